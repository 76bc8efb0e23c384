"""What the command writes: matrix or graph for training code, and JSON beside it for people.

Keys of the JSON are listed in docs/similarity.md.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from devices.gaze.foreign import SIMILARITY_MARK
from devices.gaze.pair_rates import COMMON_THRESHOLDS, pairs_among, rates_at
from migrations.study.unwritable import unwritable_text
from trainer.errors import SimilarityError
from trainer.similarity.base import BoolArray, Similarity
from trainer.similarity.graph import Graph

MATRIX_SUFFIXES = (".npy", ".npz")


def write_matrix(path: Path, similarity: Similarity, ids: Sequence[str]) -> None:
    """Write the matrix: `.npy` alone, `.npz` with `similarity`, `valid` and `ids`.

    Raises
    ------
    SimilarityError
        If the file cannot be written.
    """
    with whole(path) as file:
        if path.suffix == ".npy":
            np.save(file, similarity.matrix)
            return
        names = np.array(list(ids), dtype=np.str_)
        np.savez(file, similarity=similarity.matrix, valid=similarity.valid, ids=names)


def write_graph(path: Path, graph: Graph, ids: Sequence[str], measure: str) -> None:
    """Write a graph as `scipy.sparse.load_npz` reads it, with `ids`, `valid` and `measure` beside.

    Raises
    ------
    SimilarityError
        If the file cannot be written.
    """
    matrix = graph.matrix
    with whole(path) as file:
        np.savez(
            file,
            format=np.array(b"csr"),
            data=matrix.data,
            indices=matrix.indices,
            indptr=matrix.indptr,
            shape=np.array(matrix.shape),
            ids=np.array(list(ids), dtype=np.str_),
            valid=graph.valid,
            measure=np.array(measure),
        )


def write_json(path: Path, content: dict[str, Any]) -> Path:
    """Write JSON beside a matrix or graph: same name, suffix `.json`; return its path.

    Raises
    ------
    SimilarityError
        If the file cannot be written.
    """
    beside = path.with_suffix(".json")
    text = json.dumps({SIMILARITY_MARK: 1, **content}, indent=1, allow_nan=False) + "\n"
    with whole(beside) as file:
        file.write(text.encode())
    return beside


def matrix_facts(similarity: Similarity) -> dict[str, Any]:
    """Return validity and positive rates of a matrix (N, N), ready for JSON."""
    values, valid = similarity.matrix, similarity.valid
    pairs = pairs_among(len(values))
    count = int(np.triu(valid, 1).sum())
    facts: dict[str, Any] = {"valid": _valid_items(valid), "pairs": pairs, "valid_pairs": count}
    if values.ndim == 2:
        facts["positive_rates"] = rates_at(values, valid, COMMON_THRESHOLDS)
    return facts


def _valid_items(valid: BoolArray) -> list[bool]:
    """Return whether each item has a value with itself: what is valid has valid gaze."""
    return [bool(v) for v in np.diagonal(valid)]


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Give a file that takes its place when it is whole, or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise SimilarityError(unwritable_text(path, error, "name another place")) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
