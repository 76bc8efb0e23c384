"""Why was it missed? Search, recognition and decision errors, with the tracker's error carried on.

Kundel, Nodine and Carmody, "Visual scanning, pattern recognition and decision-making in pulmonary
nodule detection", Investigative Radiology 13 (1978): a lesion that was not reported was never
looked at (search), looked at briefly (recognition) or looked at long (decision). Where gaze was is
known within the tracker's error only: each class has the share of draws of that error, from that
reader's own validation, in which it comes out.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainer.analysis.areas import Area
from trainer.analysis.looked import FloatArray, Looked

ErrorClass = Literal["search", "recognition", "decision"]
CLASSES: tuple[ErrorClass, ...] = ("search", "recognition", "decision")
DRAWS = 500


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as looked at, and as long.

    Attributes
    ----------
    radius_deg
        Fixations within this of the lesion's border look at it: the useful field of view.
    dwell_ms
        From this dwell on a miss is a decision error.
    """

    radius_deg: float = 2.5
    dwell_ms: float = 1000.0


@dataclass(frozen=True, slots=True)
class Miss:
    """A missed lesion, classed.

    Attributes
    ----------
    kind
        The class of gaze as it was recorded.
    dwell_ms
        Dwell within the radius.
    probability
        Of each class, given the tracker's error; all on `kind` where it is not known.
    """

    kind: ErrorClass
    dwell_ms: float
    probability: dict[ErrorClass, float]


def classify(
    looked: Looked,
    lesion: Area,
    thresholds: Thresholds,
    residuals_deg: FloatArray | None = None,
    seed: int = 0,
) -> Miss:
    """Class one missed lesion.

    Parameters
    ----------
    residuals_deg
        Shape (R, 2): gaze less target at each validation point of that reader, x and y in degrees;
        None or empty where the reader was not validated.
    seed
        Of the draws.
    """
    dwell = float(_dwells(looked, lesion, thresholds, np.zeros((1, 2)))[0])
    kind = class_of(dwell, thresholds)
    if residuals_deg is None or len(residuals_deg) == 0:
        return Miss(kind, dwell, {c: float(c == kind) for c in CLASSES})
    drawn = _draws(residuals_deg, np.random.default_rng([seed, 44]))
    dwells = _dwells(looked, lesion, thresholds, drawn)
    kinds = [class_of(float(d), thresholds) for d in dwells]
    return Miss(kind, dwell, {c: kinds.count(c) / len(kinds) for c in CLASSES})


def class_of(dwell_ms: float, thresholds: Thresholds) -> ErrorClass:
    """Return the class of a dwell on a missed lesion."""
    if dwell_ms <= 0:
        return "search"
    return "decision" if dwell_ms >= thresholds.dwell_ms else "recognition"


def _draws(residuals_deg: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return offsets of gaze (D, 2), degrees, that the validation allows.

    The offset at a lesion is like that at some validation point: drawn from them, and spread as
    their kernel density is (Silverman's rule), for a dozen points are a coarse sample.
    """
    count = len(residuals_deg)
    picked = residuals_deg[rng.integers(count, size=DRAWS)]
    if count < 3:
        return picked
    bandwidth = residuals_deg.std(axis=0, ddof=1) * count ** (-1 / 6)
    return np.asarray(picked + rng.normal(size=(DRAWS, 2)) * bandwidth, dtype=np.float64)


def _dwells(
    looked: Looked, lesion: Area, thresholds: Thresholds, offsets_deg: FloatArray
) -> FloatArray:
    """Return the dwell near the lesion, ms, had gaze been recorded off by each offset (D,)."""
    scale = looked.px_per_deg
    known = np.isfinite(scale) & np.isfinite(looked.points_image).all(axis=1)
    if lesion.frame is not None:
        known &= looked.frame == lesion.frame
    points, scale = looked.points_image[known], scale[known]
    if not len(points):
        return np.zeros(len(offsets_deg))
    moved = points[None] - offsets_deg[:, None] * scale[None, :, None]
    apart = lesion.distance_px(moved.reshape(-1, 2)).reshape(len(offsets_deg), -1)
    near = apart <= thresholds.radius_deg * scale[None]
    return np.asarray(near @ (looked.duration_us[known] / 1000.0), dtype=np.float64)
