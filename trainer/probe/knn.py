"""Nearest neighbours by cosine, their votes weighted by likeness (Wu et al. 2018)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.probe.labelled import FloatArray, IntArray
from trainer.probe.validation import choose, class_weights

NEIGHBOURS = (1, 3, 5, 9, 15, 25, 50, 100)
TEMPERATURE = 0.1
_PRIOR = 0.02  # of all votes, shared by the classes: no class is ever ruled out


@dataclass(frozen=True, slots=True)
class KnnProbe:
    """Labelled features to look neighbours up in.

    Attributes
    ----------
    neighbours
        How many vote, as chosen within.
    features, codes
        Unit vectors (N, D) and their classes.
    classes
        K.
    """

    neighbours: int
    features: FloatArray
    codes: IntArray
    classes: int

    def log_probabilities(self, features: FloatArray) -> FloatArray:
        """Return log-probabilities (M, K) of features (M, D)."""
        (scores,) = _votes(self.features, self.codes, unit(features), self.classes,
                           (self.neighbours,))  # fmt: skip
        return scores


def fit_knn(
    features: FloatArray, codes: IntArray, patients: IntArray, classes: int, seed: int
) -> KnnProbe:
    """Keep labelled features; the number of neighbours by inner validation. See `fit_linear`."""
    own = unit(features)
    choices = [k for k in NEIGHBOURS if k <= max(1, len(codes) // 2)]

    def attempt(train: IntArray, held: IntArray) -> Sequence[FloatArray]:
        return _votes(own[train], codes[train], own[held], classes, choices)

    rng = np.random.default_rng([seed, 12])
    default = min(choices, key=lambda k: abs(k - 5))
    chosen = choose(choices, default, attempt, codes, patients, rng)
    return KnnProbe(chosen, own, codes, classes)


def unit(features: FloatArray) -> FloatArray:
    """Return features (N, D) at length 1."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-12), np.float64)


def _votes(
    known: FloatArray, codes: IntArray, asked: FloatArray, classes: int, numbers: Sequence[int]
) -> list[FloatArray]:
    """Return log shares of the votes (M, K) for each number of neighbours."""
    likeness = asked @ known.T
    most = min(max(numbers), len(codes))
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :most]
    close = np.take_along_axis(likeness, nearest, axis=1)
    weight = np.exp((close - close[:, :1]) / TEMPERATURE) * class_weights(codes)[codes[nearest]]
    votes = np.zeros((len(asked), most, classes))
    np.put_along_axis(votes, codes[nearest][:, :, None], weight[:, :, None], axis=2)
    sums = votes.cumsum(axis=1)
    return [_log_shares(sums[:, min(k, most) - 1]) for k in numbers]


def _log_shares(votes: FloatArray) -> FloatArray:
    share = votes / votes.sum(axis=1, keepdims=True)
    return np.asarray(np.log((1 - _PRIOR) * share + _PRIOR / votes.shape[1]), np.float64)
