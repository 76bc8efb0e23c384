"""Which images of a batch are positives of one another.

P_ij = 1 if i and j are the same image, or if their relation says so (Wang et al., McGIP, AAAI 2024,
arXiv 2312.06069). GzPT keeps each extra pair with probability 1 − p, redrawn every step (IEEE TMI
2025, doi 10.1109/TMI.2025.3528965). Ids are positions in the cohort that is trained on.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MaskFn = Callable[..., Tensor]
"""`mask(ids_a (A,), ids_b (B,), *, symmetric) -> bool (A, B)`, for the step that is running."""


@dataclass(frozen=True, slots=True)
class StepPairs:
    """The pairs of the step that is running; itself the step's `MaskFn`."""

    policy: "PairPolicy"
    draws: torch.Generator

    def __call__(self, ids_a: Tensor, ids_b: Tensor, *, symmetric: bool = False) -> Tensor:
        """Return the pair mask (A, B), bool; see `PairPolicy.mask`."""
        return self.policy.mask(ids_a, ids_b, self.draws, symmetric=symmetric)

    def passed_over(self, ids_a: Tensor, ids_b: Tensor) -> Tensor | None:
        """Return which cells (A, B) are no negatives; see `PairPolicy.passed_over`."""
        return self.policy.passed_over(ids_a, ids_b)


class Related(Protocol):
    """Where extra pairs come from."""

    def lookup(self, ids_a: Tensor, ids_b: Tensor) -> Tensor:
        """Return bool (A, B): whether image a and image b are related; never an image to itself."""

    def pair_count(self) -> int:
        """Return how many unordered pairs of different images are related."""

    def to(self, device: torch.device) -> "Related":
        """Return the same on a device."""

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
        return self.table[ids_a[:, None], ids_b[None, :]]

    def pair_count(self) -> int:
        """Return the number of unordered pairs."""
        return int(self.table.sum()) // 2

    def to(self, device: torch.device) -> "PairMatrix":
        """Return the same on a device."""
        return PairMatrix(self.table.to(device))

    def hash(self) -> str:
        """Return 16 hex digits of the table."""
        return _hash(np.packbits(self.table.cpu().numpy()).tobytes())


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
        """Return bool (A, B); see `Related`. Memory grows with A × N, not with N × N."""
        images, device = len(self.starts) - 1, self.starts.device
        begin, count = self.starts[ids_a], self.starts[ids_a + 1] - self.starts[ids_a]
        line = torch.repeat_interleave(torch.arange(len(ids_a), device=device), count)
        ahead = torch.repeat_interleave(count.cumsum(0) - count, count)
        within = torch.arange(len(line), device=device) - ahead
        rows = torch.zeros(len(ids_a), images, dtype=torch.bool, device=device)
        rows[line, self.neighbours[begin[line] + within]] = True
        return rows[:, ids_b]

    def pair_count(self) -> int:
        """Return the number of unordered pairs."""
        return len(self.neighbours) // 2

    def to(self, device: torch.device) -> "SparsePairs":
        """Return the same on a device."""
        return SparsePairs(self.starts.to(device), self.neighbours.to(device))

    def hash(self) -> str:
        """Return 16 hex digits of the pairs."""
        return _hash(self.starts.cpu().numpy().tobytes() + self.neighbours.cpu().numpy().tobytes())


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

    def to(self, device: torch.device) -> "SameLabel":
        """Return the same on a device."""
        return SameLabel(self.codes.to(device))

    def hash(self) -> str:
        """Return 16 hex digits of the labels."""
        return _hash(self.codes.cpu().numpy().tobytes())


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
    ) -> Tensor:
        """Return the pair mask of a step.

        Parameters
        ----------
        ids_a, ids_b
            Image ids, shapes (A,) and (B,), on the device of the mask.
        generator
            Of the step; on the CPU.
        symmetric
            Whether a pair is kept or dropped in both directions at once, which needs `ids_a` and
            `ids_b` to be the same batch (BYOL, SimSiam); else each cell is drawn alone (MoCo).

        Returns
        -------
        Tensor
            Shape (A, B), bool.
        """
        same = ids_a[:, None] == ids_b[None, :]
        if self.related is None:
            return same
        extra = self.related.lookup(ids_a, ids_b)
        if self.drop > 0:
            extra = extra & _kept(same.shape, self.drop, generator, symmetric).to(extra.device)
        return same | extra

    def extra_pairs_per_batch(self, images: int, batch: int) -> float:
        """Return how many extra unordered pairs a batch is expected to hold, after dropping.

        Batches draw without replacement, so that each unordered pair of the cohort meets with
        probability B(B−1)/(N(N−1)).
        """
        if self.related is None or images < 2:
            return 0.0
        meet = batch * (batch - 1) / (images * (images - 1))
        return self.related.pair_count() * meet * (1 - self.drop)

    def to(self, device: torch.device) -> "PairPolicy":
        """Return the same on a device."""
        patients = None if self.patients is None else self.patients.to(device)
        return PairPolicy(self.related and self.related.to(device), self.drop, patients)

    def hash(self) -> str:
        """Return 16 hex digits of the relation; empty where there is none."""
        return "" if self.related is None else self.related.hash()


def _kept(shape: torch.Size, drop: float, generator: torch.Generator, symmetric: bool) -> Tensor:
    kept = torch.rand(shape, generator=generator) >= drop
    if not symmetric:
        return kept
    upper = kept.triu(1)
    return upper | upper.T


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
