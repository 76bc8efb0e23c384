"""taught: all parts of gaze, weighed by the few labels there are; ours.

A logistic regression with a strong prior learns of the labelled readings which numbers of a reading
speak for which label. Similarity is the mean of two: how alike the parts are as they stand, and how
far two readings speak for the same label, beyond how common that label is. A pair is most alike
where both speak clearly. Nothing is learnt of the test split; what was learnt is kept with the run.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.errors import NothingToLearnError
from trainer.similarity.base import (
    CohortPass,
    FeatureTable,
    Fitted,
    FloatArray,
    Known,
    Measure,
    PointParameters,
    require,
)
from trainer.similarity.gaze_parts import (
    WEIGHTS,
    fit_parts,
    in_parts,
    of_length_one,
    part_features,
    weights_of,
)
from trainer.similarity.measures.encoder import similarity

LEAST_LABELLED = 20
"""Labelled images below which nothing can be learnt."""


@dataclass(frozen=True, slots=True)
class TaughtParameters(PointParameters):
    """Parameters of taught.

    Attributes
    ----------
    label_weight
        0 leaves labels out, 1 looks at nothing else.
    trust
        In labels: the inverse of the regression's penalty.
    """

    label_weight: float = 0.5
    trust: float = 0.003

    def __post_init__(self) -> None:
        PointParameters.__post_init__(self)
        require(0 <= self.label_weight <= 1, "label_weight", "from 0 to 1", self.label_weight)
        require(self.trust > 0, "trust", "above 0", self.trust)


def fit(table: FeatureTable, known: Known, parameters: TaughtParameters) -> Fitted:
    """Return the mean, the parts and what speaks for which label.

    Raises
    ------
    NothingToLearnError
        If too few images have a label, or all have one.
    """
    fitted = fit_parts(table)
    told = np.flatnonzero((known.label >= 0) & table.flat.any(axis=1))
    images, labels = len(set(known.image[told].tolist())), set(known.label[told].tolist())
    if images < LEAST_LABELLED or len(labels) < 2:
        raise NothingToLearnError(
            f"taught learns from labelled images; there are {images} with {len(labels)} labels, "
            f"and {LEAST_LABELLED} images and two labels are needed. Add labels, or choose "
            "another measure, such as dwell."
        )
    rows = _evened(in_parts(table, fitted))
    return fitted | _regression(rows[told], known.label[told], parameters.trust)


def _evened(rows: FloatArray) -> FloatArray:
    """Return rows whose numbers have a variance of about 1, as the penalty supposes."""
    return np.asarray(rows * np.sqrt(rows.shape[1] / 4))


def _regression(rows: FloatArray, labels: NDArray[np.int64], trust: float) -> Fitted:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=trust, max_iter=300).fit(rows, labels)
    speaks, start = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(speaks) == 1:  # of two labels scikit-learn tells the second only
        speaks, start = np.vstack((0 * speaks, speaks)), np.concatenate(([0.0], start))
    fitted = {"speaks": speaks.T, "start": start}
    chances = _chances(rows, fitted)
    usual = chances.mean(axis=0)
    longest = np.linalg.norm(chances - usual, axis=1).max()
    return fitted | {"usual": usual, "longest": np.array(max(float(longest), 1e-9))}


def _chances(rows: FloatArray, fitted: Fitted) -> FloatArray:
    """Return how far readings speak for each label (R, labels), 1 in sum."""
    score = rows @ fitted["speaks"] + fitted["start"]
    odds = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def apply(table: FeatureTable, fitted: Fitted, parameters: TaughtParameters) -> FeatureTable:
    """Return parts and labels side by side, so that inner products weigh both; zeros stay zeros."""
    rows, share = in_parts(table, fitted), parameters.label_weight
    plain = of_length_one(rows * weights_of(WEIGHTS))
    clear = (_chances(_evened(rows), fitted) - fitted["usual"]) / fitted["longest"]
    clear /= np.maximum(np.linalg.norm(clear, axis=1, keepdims=True), 1.0)
    out = np.concatenate((np.sqrt(1 - share) * plain, np.sqrt(share) * clear), axis=1)
    out[~table.flat.any(axis=1)] = 0.0
    return FeatureTable(out.astype(np.float32), table.starts)


MEASURE = Measure(
    "taught",
    "Gaze weighted by labels",
    TaughtParameters,
    part_features,
    similarity,
    pair_parameters=("label_weight", "trust"),
    cohort=CohortPass(fit, apply, learns="labels"),
    vectors=True,
)
