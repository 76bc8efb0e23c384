"""Which images of a batch are positives of one another.

P_ij = 1 if i and j are the same image, or if their relation says so (Wang et al., McGIP, AAAI 2024,
arXiv 2312.06069). GzPT keeps each extra pair with probability 1 − p, redrawn every step (IEEE TMI
2025, doi 10.1109/TMI.2025.3528965). Ids are positions in the cohort that is trained on. All of it
lies on the CPU, where pairs are drawn ahead of their step: no step waits for it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from devices.gaze.pair_rates import pairs_a_batch


@dataclass(frozen=True, slots=True)
class StepPairs:
    """The pairs of one step, drawn with its batch.

    Attributes
    ----------
    mask
        Which images are positives of each other, (A, B), bool; or their weights
        from 0 to 1, float.
    passed_over
        Which are no negatives of each other, (A, B), bool; None: no such rule.
    glimpses
        Fixations in each image's first view, (A, K + 1, 2): those seen so far, and the next one;
        see `trainer.pretrain.paths`. None: the method asks for none, or there are none.
    """

    mask: Tensor
    passed_over: Tensor | None = None
    glimpses: Tensor | None = None

    def tensors(self) -> list[Tensor]:
        """Return what there is, in order."""
        return [t for t in (self.mask, self.passed_over, self.glimpses) if t is not None]

    def of(self, tensors: Iterable[Tensor]) -> "StepPairs":
        """Return the same with other tensors, as `tensors` gave these."""
        left = iter(tensors)
        parts = (self.mask, self.passed_over, self.glimpses)
        mask, passed_over, glimpses = (None if t is None else next(left) for t in parts)
        assert mask is not None
        return StepPairs(mask, passed_over, glimpses)


class Related(Protocol):
    """Where extra pairs come from."""

    def lookup(self, ids_a: Tensor, ids_b: Tensor) -> Tensor:
        """Return (A, B): whether image a and image b are related, never an image to itself.

        Bool, or weights from 0 to 1, float.
        """

    def pair_count(self) -> int:
        """Return how many unordered pairs of different images are related."""

    def mass(self) -> float:
        """Return the sum of their weights; where each weighs 1, how many there are."""

    def hash(self) -> str:
        """Return 16 hex digits that change when any relation does."""


@dataclass(frozen=True)
class PairMatrix:
    """Images related by gaze: a dense table.

    Attributes
    ----------
    table
        Shape (N, N), bool, symmetric, False on the diagonal.
    """

    table: Tensor

    @classmethod
    def of(
        cls, matrix: NDArray[np.floating], valid: NDArray[np.bool_], threshold: float
    ) -> "PairMatrix":
        """Return the relation `similarity > threshold` between images with valid gaze.

        Parameters
        ----------
        matrix
            Similarity, shape (N, N).
        valid
            Shape (N, N) for pairs or (N,) for images; the others have only themselves.
        threshold
            A pair must lie above it.
        """
        allowed = valid if valid.ndim == 2 else valid[:, None] & valid[None, :]
        table = (matrix > threshold) & allowed  # NaN compares as False
        table = table | table.T
        np.fill_diagonal(table, False)
        return cls(torch.from_numpy(table))

    @classmethod
    def of_edges(
        cls, rows: NDArray[np.integer], columns: NDArray[np.integer], images: int
    ) -> "PairMatrix":
        """Return the relation of stored pairs, given in both directions, (E,) each."""
        table = np.zeros((images, images), dtype=bool)
        table[rows, columns] = True
        return cls(torch.from_numpy(table))

    def lookup(self, ids_a: Tensor, ids_b: Tensor) -> Tensor:
        """Return bool (A, B); see `Related`."""
        return self.table[ids_a][:, ids_b]

    def pair_count(self) -> int:
        """Return the number of unordered pairs."""
        return int(self.table.sum()) // 2

    def mass(self) -> float:
        """Return the number of pairs: each weighs 1."""
        return float(self.pair_count())

    def hash(self) -> str:
        """Return 16 hex digits of the table."""
        return table_hash(np.packbits(self.table.cpu().numpy()).tobytes())


@dataclass(frozen=True)
class SparsePairs:
    """Images related by gaze: neighbours of each, for cohorts whose table would not fit.

    Attributes
    ----------
    starts
        Where each image's neighbours begin in `neighbours`, and their end; (N + 1,), int64.
    neighbours
        Ids, ascending for each image; (E,), int64.
    """

    starts: Tensor
    neighbours: Tensor

    @classmethod
    def of_edges(
        cls, rows: NDArray[np.integer], columns: NDArray[np.integer], images: int
    ) -> "SparsePairs":
        """Return the relation of stored pairs, given in both directions, (E,) each."""
        order = np.lexsort((columns, rows))
        starts = np.concatenate([[0], np.bincount(rows, minlength=images).cumsum()])
        neighbours = np.asarray(columns, np.int64)[order]
        return cls(torch.from_numpy(starts.astype(np.int64)), torch.from_numpy(neighbours))

    def lookup(self, ids_a: Tensor, ids_b: Tensor) -> Tensor:
        """Return bool (A, B); see `Related`. Work grows with A's neighbours, not with N."""
        begin, count = self.starts[ids_a], self.starts[ids_a + 1] - self.starts[ids_a]
        line = torch.repeat_interleave(count)
        ahead = torch.repeat_interleave(count.cumsum(0) - count, count)
        near = self.neighbours[begin[line] + torch.arange(len(line)) - ahead]
        asked, column = torch.unique(ids_b, return_inverse=True)
        at = torch.searchsorted(asked, near).clamp(max=len(asked) - 1)
        hit = asked[at] == near
        rows = torch.zeros(len(ids_a), len(asked), dtype=torch.bool)
        rows[line[hit], at[hit]] = True
        return rows[:, column]

    def pair_count(self) -> int:
        """Return the number of unordered pairs."""
        return len(self.neighbours) // 2

    def mass(self) -> float:
        """Return the number of pairs: each weighs 1."""
        return float(self.pair_count())

    def hash(self) -> str:
        """Return 16 hex digits of the pairs."""
        return table_hash(
            self.starts.cpu().numpy().tobytes() + self.neighbours.cpu().numpy().tobytes()
        )


@dataclass(frozen=True)
class SameLabel:
    """Images of the same label; those without one (-1) have only themselves.

    Attributes
    ----------
    codes
        Shape (N,), int64.
    """

    codes: Tensor

    @classmethod
    def of(cls, labels: Sequence[str | None]) -> "SameLabel":
        """Return the relation of labels in the order of the cohort."""
        known = {label: i for i, label in enumerate(sorted({x for x in labels if x is not None}))}
        return cls(torch.tensor([-1 if x is None else known[x] for x in labels]))

    def lookup(self, ids_a: Tensor, ids_b: Tensor) -> Tensor:
        """Return bool (A, B); see `Related`."""
        a, b = self.codes[ids_a][:, None], self.codes[ids_b][None, :]
        return (a == b) & (a >= 0) & (ids_a[:, None] != ids_b[None, :])

    def pair_count(self) -> int:
        """Return the number of unordered pairs."""
        counts = torch.bincount(self.codes[self.codes >= 0])
        return int((counts * (counts - 1) // 2).sum())

    def mass(self) -> float:
        """Return the number of pairs: each weighs 1."""
        return float(self.pair_count())

    def hash(self) -> str:
        """Return 16 hex digits of the labels."""
        return table_hash(self.codes.cpu().numpy().tobytes())


@dataclass(frozen=True)
class PairPolicy:
    """How the mask of a step is made.

    Attributes
    ----------
    related
        Extra pairs; None: an image has only itself (`none`, the plain method).
    drop
        Chance that an extra pair is left out of a step; 0 but for `gzpt`.
    patients
        Number of each image's patient, (N,), int64, if two images of one patient are never
        negatives of each other; None: they may be.
    """

    related: Related | None = None
    drop: float = 0.0
    patients: Tensor | None = None

    def within(self, ids: Tensor, draws: torch.Generator) -> StepPairs:
        """Return the pairs of a batch (B,) among itself, (B, B).

        A pair is kept or dropped in both directions at once. `draws` is the step's generator.
        """
        return StepPairs(self.mask(ids, ids, draws, symmetric=True), self.passed_over(ids, ids))

    def with_earlier(self, ids: Tensor, earlier: Tensor, draws: torch.Generator) -> StepPairs:
        """Return the pairs of a batch (B,) with the images of earlier keys, (B, K).

        Each cell is drawn alone. An id of -1 is an empty slot, which is nobody's pair.
        """
        filled = earlier >= 0
        known = earlier.clamp(min=0)  # an empty slot must not look up an id
        mask = self.mask(ids, known, draws, among=filled)
        return StepPairs(mask, self.passed_over(ids, known))

    def passed_over(self, ids_a: Tensor, ids_b: Tensor) -> Tensor | None:
        """Return bool (A, B): images of one patient, which are no negatives; None: no such rule."""
        if self.patients is None:
            return None
        return self.patients[ids_a][:, None] == self.patients[ids_b][None, :]

    def mask(
        self,
        ids_a: Tensor,
        ids_b: Tensor,
        generator: torch.Generator,
        *,
        symmetric: bool = False,
        among: Tensor | None = None,
    ) -> Tensor:
        """Return the pair mask of a step.

        Parameters
        ----------
        ids_a, ids_b
            Image ids, shapes (A,) and (B,).
        generator
            Of the step.
        symmetric
            Whether a pair is kept or dropped in both directions at once, which needs `ids_a` and
            `ids_b` to be the same batch; else each related cell is drawn alone (MoCo v2).
        among
            Columns that count, (B,), bool; None: all.

        Returns
        -------
        Tensor
            Shape (A, B), bool; float where pairs have weights, of which an image's own is 1.
        """
        same = ids_a[:, None] == ids_b[None, :]
        if among is not None:
            same &= among
        if self.related is None:
            return same
        extra = self.related.lookup(ids_a, ids_b)
        there = extra > 0
        if among is not None:
            there &= among
        if self.drop > 0 and symmetric:
            there &= _kept_both_ways(len(ids_a), self.drop, generator)
        elif self.drop > 0:  # of 256 x 65,536 cells a few are related: only they are drawn
            count = int(there.count_nonzero())
            there[there.clone()] = torch.rand(count, generator=generator) >= self.drop
        if extra.dtype == torch.bool:
            return same | there
        return torch.where(same, torch.ones_like(extra), extra * there)

    def extra_pairs_per_batch(self, images: int, batch: int) -> float:
        """Return how many extra unordered pairs a batch is expected to hold, after dropping.

        A pair counts by its weight.
        """
        if self.related is None:
            return 0.0
        return pairs_a_batch(self.related.mass(), images, batch, self.drop)

    def hash(self) -> str:
        """Return 16 hex digits of the relation; empty where there is none."""
        return "" if self.related is None else self.related.hash()


def _kept_both_ways(count: int, drop: float, generator: torch.Generator) -> Tensor:
    upper = (torch.rand(count, count, generator=generator) >= drop).triu(1)
    return upper | upper.T


def table_hash(data: bytes) -> str:
    """Return 16 hex digits of the bytes of a relation."""
    return hashlib.sha256(data).hexdigest()[:16]
