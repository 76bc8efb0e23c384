"""Relations between images in files, as written by us or by the released code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.errors import SimilarityError

_ROUNDING = 1e-3
"""What float16 adds to a 1."""


@dataclass(frozen=True, slots=True)
class LoadedRelation:
    """How alike images are.

    Attributes
    ----------
    values
        Dense (N, N) float, or a sparse matrix in which a pair that is not stored is below all
        that are.
    valid
        Shape (N, N) or (N,), bool; which pairs or images can be compared.
    ids
        Of the images in the order of both axes; None where the file does not say.
    """

    values: NDArray[np.floating] | sparse.csr_array
    valid: NDArray[np.bool_]
    ids: tuple[str, ...] | None

    def __len__(self) -> int:
        return int(self.values.shape[0])


def load_relation_file(path: Path) -> LoadedRelation:
    """Return a relation: `.npy` (N, N), `.npz` with `similarity`, `valid`, `ids`, or CSR `.npz`.

    Raises
    ------
    SimilarityError
        If the file is missing, damaged or of another shape, or holds no similarity: values outside
        -1 to 1, images less alike to themselves than to others, no value at all; says what it
        holds.
    """
    try:
        with path.open("rb") as raw:
            content = np.load(raw, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return _dense(path, content, {})
            with content:
                table = {name: content[name] for name in content.files}
    except (OSError, ValueError, BadZipFile, EOFError) as error:
        raise SimilarityError(f"{path} cannot be read as a relation: {error}.") from error
    if "indptr" in table:
        return _sparse(path, table)
    if "similarity" not in table:
        raise SimilarityError(
            f"{path} holds {', '.join(table) or 'nothing'}; a relation needs `similarity` (N, N), "
            "or `data`, `indices`, `indptr` and `shape`."
        )
    return _dense(path, table["similarity"], table)


def _dense(path: Path, values: NDArray[Any], table: Mapping[str, Any]) -> LoadedRelation:
    square = values.ndim == 2 and values.shape[0] == values.shape[1]
    if not square or values.dtype.kind not in "fiub":
        raise SimilarityError(
            f"{path} holds {values.dtype} of shape {values.shape}; a relation must be an (N, N) "
            "array of numbers."
        )
    valid = _valid(path, table, values.shape)
    numbers = values if values.dtype.kind == "f" else values.astype(np.float32)
    _require_similarity(path, numbers, valid)
    return LoadedRelation(numbers, valid, _ids(path, table, len(values)))


def _require_similarity(path: Path, values: NDArray[np.floating], valid: NDArray[np.bool_]) -> None:
    """Refuse what cannot be a similarity: each would train on nonsense without a word."""
    apart = ~np.eye(len(values), dtype=bool) & np.isfinite(values)
    apart &= valid if valid.ndim == 2 else valid[:, None] & valid[None, :]
    if not apart.any():
        raise SimilarityError(
            f"{path} has no value for any pair of images; a relation must say how similar they are."
        )
    _require_in_range(path, values[apart])
    own = np.diagonal(values)
    above = apart & (values > own[:, None] + _ROUNDING)  # NaN compares as False
    if above.any():
        row, column = (int(i) for i in np.argwhere(above)[0])
        raise SimilarityError(
            f"{path} calls image {row + 1} and image {column + 1} more similar "
            f"({values[row, column]:.4g}) than image {row + 1} is to itself ({own[row]:.4g}), and "
            f"{np.count_nonzero(above)} pairs in all. If these are distances, where small means "
            "similar, convert them to similarities first. If only the diagonal was left empty, "
            "fill it with 1."
        )


def _require_in_range(path: Path, values: NDArray[np.floating]) -> None:
    outside = np.abs(values) > 1 + _ROUNDING
    if outside.any():
        raise SimilarityError(
            f"{path} holds values from {values.min():.4g} to {values.max():.4g}; similarity must "
            "lie between -1 and 1. Convert distances, where small means similar, to similarities "
            "first."
        )


def _valid(path: Path, table: Mapping[str, Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return `valid` of one of the shapes allowed, (N,) or that of the values; all if unsaid."""
    valid = np.asarray(table.get("valid", np.ones(shape[0], bool)), dtype=bool)
    if valid.shape not in (shape, shape[:1]):
        raise SimilarityError(f"{path}: `valid` has shape {valid.shape}, not {shape}.")
    return valid


def _sparse(path: Path, table: Mapping[str, Any]) -> LoadedRelation:
    try:
        size = tuple(int(n) for n in table["shape"])
        graph = sparse.csr_array((table["data"], table["indices"], table["indptr"]), shape=size)
        graph.check_format()
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise SimilarityError(f"{path} is not a readable sparse graph: {error}.") from error
    if graph.shape[0] != graph.shape[1]:
        raise SimilarityError(f"{path} has shape {graph.shape}; a relation must be (N, N).")
    if not np.isfinite(graph.data).all():
        raise SimilarityError(
            f"{path} contains values that are not numbers. Leave such pairs out of the graph."
        )
    _require_in_range(path, graph.data)
    return LoadedRelation(
        graph, _valid(path, table, graph.shape[:1]), _ids(path, table, graph.shape[0])
    )


def _ids(path: Path, table: Mapping[str, Any], count: int) -> tuple[str, ...] | None:
    if "ids" not in table:
        return None
    ids: Sequence[Any] = table["ids"].tolist()
    if len(ids) != count:
        raise SimilarityError(f"{path} has {len(ids)} ids for {count} images.")
    return tuple(str(i) for i in ids)
