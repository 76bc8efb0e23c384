"""Pairs from a relation file: its rows are matched to the images, then cut at a threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from devices.gaze.pair_rates import (
    pairs_among,
    share_of_valid,
    threshold_of_values,
)
from trainer.config.config import RunConfig
from trainer.data.cohort import Cohort, Member
from trainer.data.image_folder import Resolver
from trainer.errors import ImageFolderError, SimilarityError
from trainer.pairs.choose import ChosenPairs, related_by
from trainer.pairs.nearest import nearest_of_graph
from trainer.pairs.policy import PairMatrix, PairPolicy, SparsePairs
from trainer.pairs.relation_file import LoadedRelation, load_relation_file

_DENSE_UP_TO = 8192
"""A sparse graph of fewer images becomes a table (64 MB at most): a look-up is fastest there."""


def pairs_of_file(
    path: Path, cohort: Cohort, members: Sequence[Member], config: RunConfig
) -> ChosenPairs:
    """Return the pairs that a relation file gives to the members of a cohort.

    Raises
    ------
    SimilarityError
        If the file cannot be read as a relation.
    ImageFolderError
        If its rows and the images of the cohort do not go together.
    """
    every = [m.image_id for m in cohort.members]
    chosen = [m.image_id for m in members]
    return pairs_of_relation(load_relation_file(path), path, every, chosen, config)


def pairs_of_relation(
    loaded: LoadedRelation,
    path: Path,
    every: Sequence[str],
    chosen: Sequence[str],
    config: RunConfig,
) -> ChosenPairs:
    """Return the pairs of a relation file.

    Parameters
    ----------
    loaded, path
        The relation and the file it came from.
    every
        Ids of all images, in dataset order: that of a file without ids.
    chosen
        Ids of those that are trained on; ids of the result are positions here.
    config
        Threshold or rate, drop.

    Raises
    ------
    ImageFolderError
        If the relation's rows and the images do not go together; says how many of each.
    SimilarityError
        If it has no value for any pair of those that are trained on.
    """
    _require_weighable(loaded, path, config)
    rows = rows_of(loaded, path, every)
    index = np.array([rows.get(c, -1) for c in chosen])
    drop = config.drop if config.pairs == "gzpt" else 0.0
    if isinstance(loaded.values, np.ndarray):
        matrix, valid = dense_of(loaded, index)
        _require_values(path, int(np.count_nonzero(valid)) - int(np.trace(valid)))
        relation, threshold, rate = related_by(config, matrix, valid)
        policy = PairPolicy(relation, drop)
        return ChosenPairs(policy, threshold, rate, matrix=matrix, valid=valid)
    edges = edges_of(loaded, index)
    _require_values(path, edges.valid_pairs)
    if config.neighbours:
        return _of_edges(_nearest(edges, config), None, drop)
    return _of_edges(edges, _sparse_threshold(config, edges), drop)


def _require_weighable(loaded: LoadedRelation, path: Path, config: RunConfig) -> None:
    if config.weighs_pairs and config.agreement:
        raise SimilarityError(
            f"agreement is on, but {path} contains no readings, so the agreement of readers is "
            "unknown. Set agreement to false."
        )
    if config.weighs_pairs and not isinstance(loaded.values, np.ndarray):
        raise SimilarityError(
            f"softness weighs pairs by their rank among all of them, but {path} contains only the "
            "nearest ones. Use a relation of all pairs, or set softness to 0."
        )


def _require_values(path: Path, pairs: int) -> None:
    if pairs == 0:
        raise SimilarityError(
            f"{path} has no value for any pair of the images that are trained on, so a run would "
            "not use gaze. Use the relation of these images, or set pairs to none."
        )


def rows_of(loaded: LoadedRelation, path: Path, every: Sequence[str]) -> Mapping[str, int]:
    """Return the row of each image in the relation; images that it does not know are left out."""
    if loaded.ids is None:
        if len(loaded) != len(every):
            raise ImageFolderError(
                f"{path} relates {len(loaded)} images, but there are {len(every)}. It has no ids, "
                "so it must be in the order of the images: by name, or as given by --order."
            )
        return {name: i for i, name in enumerate(every)}
    resolve = Resolver(every)
    rows: dict[str, int] = {}
    for row, text in enumerate(loaded.ids):
        meant = resolve.find(text)
        if len(meant) == 1:
            rows.setdefault(meant[0], row)
    if len(rows) < 2:
        raise ImageFolderError(
            f"{path} relates {', '.join(loaded.ids[:3])}, …: {len(rows)} of them is among the "
            f"images ({', '.join(every[:3])}, …). Use the relation of these images."
        )
    return rows


def dense_of(
    loaded: LoadedRelation, index: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return similarity and validity (N, N) of the rows at `index` of a dense relation.

    −1 stands for an image that it does not know; a value that is not a number is none. Where the
    two directions of a pair differ, the higher counts, as for a graph.
    """
    assert isinstance(loaded.values, np.ndarray)
    known, at = index >= 0, np.maximum(index, 0)
    matrix = np.asarray(loaded.values[np.ix_(at, at)], np.float64)
    valid = loaded.valid[np.ix_(at, at)] if loaded.valid.ndim == 2 else loaded.valid[at]
    pairs = valid if valid.ndim == 2 else valid[:, None] & valid[None, :]
    pairs = pairs & known[:, None] & known[None, :] & np.isfinite(matrix)
    return _both_ways(matrix, pairs)


def _both_ways(
    matrix: NDArray[np.float64], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return symmetric matrices, so that a rate counts the pairs that the mask will have."""
    np.copyto(matrix, -np.inf, where=~valid)
    if not np.array_equal(matrix, matrix.T):
        matrix, valid = np.maximum(matrix, matrix.T), valid | valid.T
    np.copyto(matrix, 0.0, where=~valid)
    return matrix, valid


@dataclass(frozen=True, slots=True)
class Edges:
    """Stored pairs of N images, in both directions, no image with itself.

    Attributes
    ----------
    rows, columns, values
        Shape (E,) each: positions of two images, and their similarity.
    comparable
        Shape (N,): images that have a value; a pair of them is valid, stored or not.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float64]
    comparable: NDArray[np.bool_]

    @property
    def valid_pairs(self) -> int:
        """How many pairs have a value, stored or not."""
        return pairs_among(int(np.count_nonzero(self.comparable)))


def edges_of(loaded: LoadedRelation, index: NDArray[np.int64]) -> Edges:
    """Return the pairs between images at `index` of a graph; a neighbour of either is one of both.

    −1 stands for an image that it does not know.
    """
    comparable = (index >= 0) & loaded.valid[np.maximum(index, 0)]
    keep = np.flatnonzero(comparable)
    part = sparse.csr_array(loaded.values)[index[keep]][:, index[keep]].tocoo()
    there, back, count = keep[part.row], keep[part.col], len(index)
    keys = np.concatenate([there * count + back, back * count + there])
    values = np.concatenate([part.data, part.data]).astype(np.float64)
    order = np.lexsort((values, keys))
    keys, values = keys[order], values[order]
    last = np.append(keys[1:] != keys[:-1], True)[: len(keys)]  # the higher of both directions
    rows, columns = np.divmod(keys[last], count)
    apart = rows != columns
    return Edges(rows[apart], columns[apart], values[last][apart], comparable)


def _sparse_threshold(config: RunConfig, edges: Edges) -> float:
    """Return the threshold; valid pairs that are not stored are less alike than all that are."""
    if config.threshold is not None:
        return config.threshold
    once = edges.values[edges.rows < edges.columns]
    return threshold_of_values(once, config.positive_rate or 0.0, edges.valid_pairs)


def _nearest(edges: Edges, config: RunConfig) -> Edges:
    """Return the edges of nearest neighbours."""
    count = len(edges.comparable)
    graph = sparse.csr_array((edges.values, (edges.rows, edges.columns)), shape=(count, count))
    rows, columns, _ = nearest_of_graph(
        graph, edges.comparable, config.neighbours, mutual=config.mutual
    )
    return replace(edges, rows=rows, columns=columns, values=np.ones(len(rows)))


def _of_edges(edges: Edges, threshold: float | None, drop: float) -> ChosenPairs:
    above = edges.values > (-np.inf if threshold is None else threshold)
    rows, columns = edges.rows[above], edges.columns[above]
    images = len(edges.comparable)
    kind = PairMatrix if images <= _DENSE_UP_TO else SparsePairs
    related = kind.of_edges(rows, columns, images)
    rate = share_of_valid(related.pair_count(), edges.valid_pairs)
    return ChosenPairs(PairPolicy(related, drop), threshold, rate)
