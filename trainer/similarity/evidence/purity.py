"""Purity of gaze pairs over chance: how often images that are read alike mean the same.

Pairs of one image (read twice, or by two) are left out: they are alike whatever gaze means, and
teach nothing that an augmentation does not. The bootstrap draws images, since all pairs of an
image stand and fall together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from trainer.similarity.base import BoolArray, FloatArray

UNKNOWN = -1
LEAST_LABELS = 20
"""Labelled images below which no purity is told: its interval would cover nearly everything."""
MOST_IMAGES = 2500
"""Labelled images beyond which some are drawn, by a fixed seed: each draw weighs all pairs."""
SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Sampled:
    """A figure and the same in each bootstrap sample (B,), NaN where a sample does not give it."""

    value: float
    draws: FloatArray
    count: int = 0


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labelled items of a cohort.

    Attributes
    ----------
    items
        Shape (L,): their places among all items.
    label
        Shape (L,): code of the label of each.
    image
        Shape (L,): 0 … images − 1, which image each is of.
    images
        How many there are.
    """

    items: NDArray[np.int64]
    label: NDArray[np.int64]
    image: NDArray[np.int64]
    images: int


def labelled_of(labels: NDArray[np.int64], images: NDArray[np.int64]) -> Labelled:
    """Return the labelled items.

    Parameters
    ----------
    labels
        Shape (N,): code of each item's label, `UNKNOWN` without one.
    images
        Shape (N,): code of the image that each item is of.
    """
    items = np.flatnonzero(labels != UNKNOWN)
    names = np.unique(images[items])
    if len(names) > MOST_IMAGES:
        names = np.sort(np.random.default_rng(0).permutation(names)[:MOST_IMAGES])
        items = items[np.isin(images[items], names)]
    codes = np.searchsorted(names, images[items]).astype(np.int64)
    return Labelled(items, labels[items], codes, len(names))


def draw_weights(images: int, samples: int = SAMPLES) -> FloatArray:
    """Return how often each image counts in each bootstrap sample, (B, images); fixed seed."""
    even = np.full(max(images, 1), 1 / max(images, 1))
    drawn = np.random.default_rng(0).multinomial(images, even, samples)
    return drawn.astype(np.float64)


def purity(
    matrix: FloatArray, valid: BoolArray, threshold: float, known: Labelled, weights: FloatArray
) -> Sampled | None:
    """Return purity over chance of the pairs above a threshold.

    Parameters
    ----------
    matrix, valid
        Shape (N, N): of all items.
    threshold
        Above which a pair is positive.
    known
        The labelled items.
    weights
        Shape (B, images): the bootstrap samples, the same for all measures.

    Returns
    -------
    Sampled or None
        None where no labelled pair is positive, or none (or each) has one label.
    """
    square = np.ix_(known.items, known.items)
    allowed = valid[square] & (known.image[:, None] != known.image)
    same = known.label[:, None] == known.label
    positive = allowed & (matrix[square] > threshold)
    counts = [
        _by_image(pairs, known) for pairs in (positive & same, positive, allowed & same, allowed)
    ]
    pure, found, alike, among = (float(c.sum()) for c in counts)
    if not (found and alike and alike < among):
        return None
    drawn = [np.einsum("bi,bi->b", weights @ c, weights) for c in counts]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = (drawn[0] / drawn[1]) / (drawn[2] / drawn[3])
    draws = np.where(np.isfinite(ratio), ratio, np.nan)
    return Sampled((pure / found) / (alike / among), draws, round(found / 2))


def _by_image(pairs: BoolArray, known: Labelled) -> FloatArray:
    """Return how many pairs of items each two images have, (images, images)."""
    if known.images == len(known.items) and np.array_equal(known.image, np.arange(known.images)):
        return pairs.astype(np.float64)
    rows = np.arange(len(known.items))
    shape = len(known.items), known.images
    belongs = csr_array((np.ones(len(rows)), (rows, known.image)), shape=shape)
    return np.asarray((belongs.T @ (belongs.T @ pairs.astype(np.float64)).T).T, np.float64)
