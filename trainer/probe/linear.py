"""Linear probe: logistic regression on frozen features."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from trainer.probe.labelled import FloatArray, IntArray
from trainer.probe.validation import choose

STRENGTHS = tuple(float(c) for c in np.logspace(-3, 3, 7))
DEFAULT_STRENGTH = 1.0


@dataclass(frozen=True, slots=True)
class LinearProbe:
    """A fitted logistic regression; all classes of the training labels are known to it.

    Attributes
    ----------
    strength
        Inverse regularisation C for features of unit length on average, as chosen within.
    weights, offset
        Shapes (K, D) and (K,); logits are `features @ weights.T + offset`.
    """

    strength: float
    weights: FloatArray
    offset: FloatArray

    def log_probabilities(self, features: FloatArray) -> FloatArray:
        """Return log-probabilities (N, K) of features (N, D)."""
        return _log_softmax(features @ self.weights.T + self.offset)


@contextlib.contextmanager
def unconverged_allowed() -> Iterator[None]:
    """Silence scikit-learn: nearly unregularised separable data never quite converge.

    Validation judges such fits. Enter it once, around all threads: filters belong to the process.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def fit_linear(
    features: FloatArray, codes: IntArray, patients: IntArray, classes: int, seed: int
) -> LinearProbe:
    """Fit on labelled features; regularisation by inner validation, classes weighed alike.

    Parameters
    ----------
    features
        Shape (N, D), standardised; scaled here so that a feature vector has length 1 on average.
    codes, patients
        Class 0 … K − 1 and patient of each image.
    classes
        K; those without a label get no probability.
    seed
        Of the inner folds.
    """
    scale = 1 / np.sqrt(features.shape[1])
    small, basis = _rotated(features * scale)
    coarse = small.astype(np.float32)  # enough to choose by, and twice as fast

    def attempt(train: IntArray, held: IntArray) -> Iterator[FloatArray]:
        for weights, offset in _path(coarse[train], codes[train], classes, STRENGTHS):
            yield _log_softmax(coarse[held] @ weights.T + offset)

    rng = np.random.default_rng([seed, 11])
    strength = choose(STRENGTHS, DEFAULT_STRENGTH, attempt, codes, patients, rng, rises=2)
    ((weights, offset),) = _path(small, codes, classes, (strength,), 1e-7)
    if basis is not None:
        weights = weights @ basis
    return LinearProbe(strength, weights * scale, offset)


def _rotated(features: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Return coordinates in the span of the images where these are fewer than features.

    The weights of least norm lie in that span, so the solution is the same, found much faster.
    """
    if features.shape[0] >= features.shape[1]:
        return features, None
    basis, triangle = np.linalg.qr(features.T)
    return triangle.T, basis.T


def _path(
    features: NDArray[np.floating],
    codes: IntArray,
    classes: int,
    strengths: Sequence[float],
    tolerance: float = 1e-3,
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield weights (K, D) and offsets (K,) for each strength, each starting from the last."""
    model = LogisticRegression(
        class_weight="balanced", warm_start=True, max_iter=500, tol=tolerance, solver="lbfgs"
    )
    for strength in strengths:
        model.set_params(C=strength)
        model.fit(features, codes)
        yield _as_softmax(model, classes)


def _as_softmax(model: LogisticRegression, classes: int) -> tuple[FloatArray, FloatArray]:
    """Return one row for each class; those never seen get a logit far below all others."""
    weights, offset = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
        weights, offset = np.vstack([0 * weights, weights]), np.append(0.0, offset)
    all_weights = np.zeros((classes, weights.shape[1]))
    all_offsets = np.full(classes, -1e3)
    all_weights[model.classes_], all_offsets[model.classes_] = weights, offset
    return all_weights, all_offsets


def _log_softmax(logits: FloatArray) -> FloatArray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), np.float64)
