"""A stored gaze similarity for a researcher: rates, neighbours, outliers, agreement."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.errors import AppError
from devices.gaze.pair_rates import odd_items, pairs_among, share_of_valid
from migrations.study.folder import Study
from migrations.study.processes import as_typed
from migrations.study.schema import SimilarityRun

_SAMPLED_PAIRS = 100_000
OVERVIEW = 1000
"""Side of the matrix as drawn, in pixels: more would stall the window."""


class SimilarityUnreadable(AppError):
    """A matrix file is missing or damaged, or too large to be shown completely."""


@dataclass(frozen=True, slots=True)
class SimilarityChoice:
    """A stored similarity run that can be shown."""

    id: str
    measure: str
    created_utc: str
    images: int
    path: Path
    fingerprint: str
    details: dict[str, Any]

    @property
    def created(self) -> str:
        """When it was computed, to the minute."""
        return self.created_utc[:16].replace("T", " ")


def similarity_choices(study: Study) -> tuple[SimilarityChoice, ...]:
    """Return the runs whose matrix is still in the cache, newest first."""
    query = select(SimilarityRun).order_by(SimilarityRun.id.desc())
    with study.database.read() as session:
        rows = session.scalars(query).all()
    found = []
    for row in rows:
        path = study.folder / (row.matrix_path or "-")
        if path.is_file():
            choice = SimilarityChoice(
                row.id,
                row.measure,
                row.created_utc,
                row.image_count,
                path,
                row.cohort_fingerprint,
                dict(row.details),
            )
            found.append(choice)
    return tuple(found)


@dataclass(frozen=True)
class StoredRelation:
    """How similar the gaze on N images is.

    Attributes
    ----------
    ids
        Image ids, shape (N,).
    matrix
        Shape (N, N), float32; NaN where the measure gives no value.
    """

    ids: tuple[str, ...]
    matrix: NDArray[np.float32]

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]:
        """Valid pairs by ascending similarity: values, first and second image."""
        rows, columns = np.triu_indices(len(self.ids), 1)
        values = self.matrix[rows, columns]
        order = np.argsort(values, kind="stable")[: np.isfinite(values).sum()]  # NaN come last
        return values[order], rows[order].astype(np.int32), columns[order].astype(np.int32)

    @cached_property
    def _sorted_lines(self) -> NDArray[np.float32]:
        """Each image's similarities to the others, ascending; −inf where there is none."""
        lines = np.where(np.isfinite(self.matrix), self.matrix, -np.inf)
        np.fill_diagonal(lines, -np.inf)
        lines.sort(axis=1)
        return lines

    def prepare(self) -> None:
        """Sort once, off the GUI thread: every query is fast after that."""
        _ = self._pairs, self._sorted_lines

    @property
    def sorted_values(self) -> NDArray[np.float32]:
        """Similarity of all valid pairs, ascending."""
        return self._pairs[0]

    @property
    def sorted_pairs(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """First and second image of all valid pairs, by ascending similarity."""
        return self._pairs[1], self._pairs[2]

    @property
    def pair_count(self) -> int:
        """All pairs of two images, valid or not."""
        return pairs_among(len(self.ids))

    def _first_above(self, threshold: float) -> int:
        return int(np.searchsorted(self.sorted_values, np.float32(threshold), side="right"))

    def count_above(self, threshold: float) -> int:
        """Return how many pairs are more similar than a threshold."""
        return len(self.sorted_values) - self._first_above(threshold)

    def rate(self, threshold: float) -> float:
        """Return the positive rate at a threshold, as the trainer computes it."""
        return share_of_valid(self.count_above(threshold), len(self.sorted_values))

    def neighbours(self, index: int, count: int) -> list[tuple[int, float]]:
        """Return the `count` images with the most similar gaze: (index, similarity)."""
        line = np.where(np.isfinite(self.matrix[index]), self.matrix[index], -np.inf)
        line[index] = -np.inf
        best = np.argsort(-line, kind="stable")[:count]
        return [(int(i), float(line[i])) for i in best if np.isfinite(line[i])]

    def sample_pairs(self, threshold: float, count: int, seed: int = 0) -> list[tuple[int, int]]:
        """Return some pairs just above a threshold: the last ones to become positive."""
        _, rows, columns = self._pairs
        first = self._first_above(threshold)
        nearest = np.arange(first, min(first + 20 * count, len(rows)))
        chosen = np.random.default_rng(seed).permutation(nearest)[:count]
        return [(int(rows[k]), int(columns[k])) for k in chosen]

    def extremes(self, threshold: float) -> tuple[list[int], list[int], list[int]]:
        """Return images positive with over half of the others, with none, and without a value.

        Each suggests bad gaze: a reading that is like everything carries no information.
        """
        above, partners = self._counts_above(threshold), self._counts_above(-np.inf)
        everything, nothing, without = odd_items(above, partners)
        return everything.tolist(), nothing.tolist(), without.tolist()

    def _counts_above(self, threshold: float) -> NDArray[np.int64]:
        """Return with how many others each image is more similar than a threshold (N,)."""
        lines = self._sorted_lines
        return np.array(
            [len(line) - np.searchsorted(line, threshold, side="right") for line in lines], np.int64
        )

    def overview(self, order: NDArray[np.int64], most: int = OVERVIEW) -> NDArray[np.float32]:
        """Return the matrix in an order, (M, M) with M ≤ `most`: means of blocks.

        Missing values count as 0.
        """
        values: NDArray[np.float32] = np.nan_to_num(self.matrix[np.ix_(order, order)], nan=0.0)
        block = -(-len(order) // most)
        if block <= 1:
            return values
        starts = np.arange(0, len(order), block)
        sums = np.add.reduceat(np.add.reduceat(values, starts, axis=0), starts, axis=1)
        sizes = np.diff(np.append(starts, len(order)))
        means: NDArray[np.float32] = (sums / np.outer(sizes, sizes)).astype(np.float32)
        return means


def load_stored_relation(path: Path) -> StoredRelation:
    """Return a stored matrix; runs off the GUI thread.

    Raises
    ------
    SimilarityUnreadable
        If it is missing, damaged, or a graph without a full matrix.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if "similarity" not in file:
                raise SimilarityUnreadable(
                    f"{path.name} contains only the closest pairs; this cohort is too large to "
                    "be shown as a matrix."
                )
            matrix = file["similarity"].astype(np.float32)
            matrix[~file["valid"]] = np.nan
            return StoredRelation(tuple(str(i) for i in file["ids"]), matrix)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise SimilarityUnreadable(
            as_typed(
                f"{path} cannot be read ({error}). Compute it again with python main.py similarity"
            )
        ) from error


def agreement(relations: Sequence[StoredRelation]) -> NDArray[np.float64]:
    """Return the Spearman rank correlation (K, K) of the pairs that K relations share.

    At most 100,000 pairs are drawn; NaN if two relations share fewer than three.
    """
    out = np.full((len(relations),) * 2, np.nan)
    for a, first in enumerate(relations):
        for b, second in enumerate(relations[: a + 1]):
            out[a, b] = out[b, a] = _rank_correlation(first, second)
    return out


def _rank_correlation(first: StoredRelation, second: StoredRelation) -> float:
    places = {image_id: i for i, image_id in enumerate(second.ids)}
    shared = [(i, places[x]) for i, x in enumerate(first.ids) if x in places]
    if len(shared) < 3:
        return float("nan")
    i, j = np.array(shared).T
    generator = np.random.default_rng(0)
    rows, columns = np.triu_indices(len(shared), 1)
    drawn = generator.permutation(len(rows))[:_SAMPLED_PAIRS]
    rows, columns = rows[drawn], columns[drawn]
    a, b = first.matrix[i[rows], i[columns]], second.matrix[j[rows], j[columns]]
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3:
        return float("nan")
    from scipy.stats import spearmanr

    return float(spearmanr(a[both], b[both]).statistic)
