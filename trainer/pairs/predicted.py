"""Pairs for images that nobody read: gaze similarity predicted from features of the pictures.

What the gaze on the images that were read has in common is laid out in a few dimensions (classical
scaling of their similarity); a ridge regression leads there from the leading parts of an encoder's
features. It is tried on patients that it did not see, and counts only where it does better there
than on gaze that was dealt to other images: otherwise the unread images keep no pair but their own.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from devices.gaze.pair_rates import threshold_for_rate
from trainer.errors import SimilarityError
from trainer.pairs.policy import PairMatrix, Related
from trainer.pairs.soft import WeightedPairs, soft_pairs
from trainer.similarity.base import BoolArray, FloatArray

LEAST_READ = 20
"""Images with gaze below which nothing can be learnt of them."""
_PARTS, _DIMENSIONS, _FOLDS = 32, 6, 5
_PENALTIES = (0.1, 1.0, 10.0, 100.0)
"""Of the ridge, for each image and for parts of variance 1 on average."""
_SHUFFLES = 39
"""The prediction must do better than on each of them: a chance of 1 in 40."""
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was predicted, and how well.

    Attributes
    ----------
    similarity
        Of all images, (N, N); comparable with itself alone.
    correlation
        Rank correlation with the gaze similarity of patients that were not seen.
    by_chance
        The highest that shuffled gaze reached.
    """

    similarity: FloatArray
    correlation: float
    by_chance: float

    @property
    def carries(self) -> bool:
        """Whether it does better than chance."""
        return self.correlation > max(self.by_chance, 0.0)


def predict(
    features: FloatArray,
    matrix: FloatArray,
    valid: BoolArray,
    patients: IntArray,
    seed: int = 0,
) -> Prediction:
    """Return the gaze similarity that features speak for.

    Parameters
    ----------
    features
        Of all images, (N, D).
    matrix, valid
        Similarity by gaze (N, N), and which pairs have one.
    patients
        Number of each image's patient, (N,): folds keep them whole.
    seed
        Of folds and shuffles.

    Raises
    ------
    SimilarityError
        If fewer than `LEAST_READ` images were read, or of too few patients.
    """
    pairs = _pairs_of(valid)
    read = np.flatnonzero(pairs.any(axis=1))
    if len(read) < LEAST_READ or len(set(patients[read].tolist())) < _FOLDS:
        raise SimilarityError(
            f"{len(read)} images have gaze that can be compared, of "
            f"{len(set(patients[read].tolist()))} patients; predicting the gaze of the others "
            f"needs {LEAST_READ} images of {_FOLDS} patients. Read more cases, or leave "
            "unread_encoder empty."
        )
    parts = _leading_parts(features, min(_PARTS, max(2, len(read) // 4)))
    square = np.ix_(read, read)
    known, there = matrix[square], pairs[square]
    rng = np.random.default_rng([seed, 61])
    folds = _folds(patients[read], rng)
    found, penalty = _best(parts[read], known, there, folds)
    chance = []
    for _ in range(_SHUFFLES):
        dealt = rng.permutation(len(read))
        other = np.ix_(dealt, dealt)
        chance.append(_best(parts[read], known[other], there[other], folds)[0])
    places = _ridge(parts[read], _scaled(known, there), parts, penalty)
    return Prediction(places @ places.T, found, max(chance))


def with_predicted(
    related: Related, valid: BoolArray, prediction: Prediction, rate: float, softness: float
) -> Related:
    """Return a relation with the predicted pairs that have an unread image among them.

    As many of these as of the read ones: the share `rate`. `softness` as of `soft_pairs`; weights
    stay weights.
    """
    pairs = _pairs_of(valid)
    read = np.asarray(pairs.any(axis=1))
    unread = ~(read[:, None] & read[None, :])
    np.fill_diagonal(unread, False)
    if isinstance(related, WeightedPairs):
        more = soft_pairs(prediction.similarity, unread, rate, softness)
        return WeightedPairs(torch.maximum(related.table, more.table))
    assert isinstance(related, PairMatrix)
    threshold = threshold_for_rate(prediction.similarity, unread, rate)
    added = PairMatrix.of(prediction.similarity, unread, threshold)
    return PairMatrix(related.table | added.table)


def _pairs_of(valid: BoolArray) -> BoolArray:
    """Return validity by pair (N, N), no image with itself."""
    pairs = valid.copy() if valid.ndim == 2 else valid[:, None] & valid[None, :]
    np.fill_diagonal(pairs, False)
    return np.asarray(pairs)


def _leading_parts(features: FloatArray, count: int) -> FloatArray:
    """Return the first principal components (N, count), of variance 1 on average."""
    centred = features - features.mean(axis=0)
    deviation = centred.std(axis=0)
    centred = centred / np.where(deviation > 1e-12, deviation, 1.0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    parts = left[:, :count] * values[:count]
    return np.asarray(parts / max(float(parts.std()), 1e-12))


def _scaled(known: FloatArray, there: BoolArray) -> FloatArray:
    """Return places (n, d) whose inner products are the similarities, less means: scaling."""
    filled = np.where(there, known, known[there].mean())
    filled = filled - filled.mean(axis=0)
    filled = filled - filled.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh((filled + filled.T) / 2)
    most = np.argsort(values)[::-1][:_DIMENSIONS]
    return np.asarray(vectors[:, most] * np.sqrt(np.maximum(values[most], 0)))


def _ridge(taught: FloatArray, places: FloatArray, asked: FloatArray, penalty: float) -> FloatArray:
    mean, middle = taught.mean(axis=0), places.mean(axis=0)
    known = taught - mean
    square = known.T @ known + penalty * len(taught) * np.eye(known.shape[1])
    weights = np.linalg.solve(square, known.T @ (places - middle))
    return np.asarray((asked - mean) @ weights + middle)


def _folds(patients: IntArray, rng: np.random.Generator) -> IntArray:
    """Return a fold for each image; patients are whole."""
    names, which = np.unique(patients, return_inverse=True)
    return np.asarray(rng.permutation(len(names))[which] % _FOLDS)


def _best(
    parts: FloatArray, known: FloatArray, there: BoolArray, folds: IntArray
) -> tuple[float, float]:
    """Return the rank correlation on unseen patients of the best penalty, and that penalty."""
    scores = {p: _score(parts, known, there, folds, p) for p in _PENALTIES}
    best = max(scores, key=lambda p: scores[p])
    return scores[best], best


def _score(
    parts: FloatArray, known: FloatArray, there: BoolArray, folds: IntArray, penalty: float
) -> float:
    """Return the mean over folds of the rank correlation within those that were left out."""
    found = []
    for fold in range(_FOLDS):
        left, out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        rows, columns = np.triu_indices(len(out), k=1)
        usable = there[np.ix_(out, out)][rows, columns]
        if usable.sum() < 3 or not there[np.ix_(left, left)].any():
            continue
        places = _scaled(known[np.ix_(left, left)], there[np.ix_(left, left)])
        guessed = _ridge(parts[left], places, parts[out], penalty)
        values = known[np.ix_(out, out)][rows, columns][usable]
        alike = (guessed @ guessed.T)[rows, columns][usable]
        if np.ptp(values) > 0 and np.ptp(alike) > 0:
            found.append(float(stats.spearmanr(alike, values).statistic))
    return float(np.mean(found)) if found else 0.0
