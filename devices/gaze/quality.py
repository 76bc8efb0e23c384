"""Quality of gaze on known targets: accuracy and precision in degrees, and loss.

Definitions: Holmqvist et al. 2012, "Eye tracker data quality"; per-target medians as in Titta.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from devices.gaze.geometry import ScreenGeometry
from devices.gaze.rating import lost_share
from devices.gaze.samples import Eye, SampleArray, gaze_norm

FloatArray = NDArray[np.float64]
EYES: tuple[Eye, ...] = ("both", "left", "right")


@dataclass(frozen=True, slots=True)
class EyeQuality:
    """Quality of one eye, or of both together; None if there was no gaze.

    Attributes
    ----------
    accuracy_deg
        Angle at the eye between the target and the median gaze on it.
    precision_rms_deg
        Precision: root mean square of the angles between successive samples.
    precision_sd_deg
        Precision: root mean square of the angles between samples and their mean.
    loss
        Share of samples without gaze, 0 … 1; 1 where no sample came at all.
    sample_count
        Samples with gaze.
    gaze_x_norm, gaze_y_norm
        Median gaze on the one target; None without any, and for all targets together.
    """

    accuracy_deg: float | None
    precision_rms_deg: float | None
    precision_sd_deg: float | None
    loss: float
    sample_count: int
    gaze_x_norm: float | None = None
    gaze_y_norm: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TargetQuality:
    """Quality on one target.

    Attributes
    ----------
    x_norm, y_norm
        The target.
    gaze_x_norm, gaze_y_norm
        Median gaze of both eyes on it; None without any.
    """

    x_norm: float
    y_norm: float
    gaze_x_norm: float | None
    gaze_y_norm: float | None
    both: EyeQuality
    left: EyeQuality
    right: EyeQuality

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Validation:
    """Quality over all targets: the mean of the targets' figures, loss over all samples.

    Attributes
    ----------
    worst_deg
        Largest accuracy error of a target, both eyes.
    targets
        In the order shown.
    """

    both: EyeQuality
    left: EyeQuality
    right: EyeQuality
    worst_deg: float | None
    targets: tuple[TargetQuality, ...]

    @property
    def accuracy_deg(self) -> float | None:
        """Accuracy of both eyes together."""
        return self.both.accuracy_deg

    @property
    def loss(self) -> float:
        """Share of samples without gaze of either eye."""
        return self.both.loss

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


def validate(
    targets_norm: ArrayLike,
    samples_per_target: Sequence[SampleArray],
    geometry: ScreenGeometry,
) -> Validation:
    """Return accuracy, precision and loss from gaze on known targets.

    Parameters
    ----------
    targets_norm
        Shape (K, 2).
    samples_per_target
        K arrays of samples, each taken while its target was looked at (the last 300 ms, say).
    geometry
        The tracked screen; degrees are angles at the eye.

    Raises
    ------
    ValueError
        If there is no target, or not one array of samples for each.
    """
    targets = np.asarray(targets_norm, np.float64).reshape(-1, 2)
    if len(targets) == 0 or len(targets) != len(samples_per_target):
        raise ValueError(
            f"{len(targets)} targets need the same number of sample arrays, not "
            f"{len(samples_per_target)}."
        )
    pairs = zip(targets, samples_per_target, strict=True)
    results = tuple(_target(target, samples, geometry) for target, samples in pairs)
    counts = [len(samples) for samples in samples_per_target]
    errors = [r.both.accuracy_deg for r in results]
    return Validation(
        both=_over_targets([r.both for r in results], counts),
        left=_over_targets([r.left for r in results], counts),
        right=_over_targets([r.right for r in results], counts),
        worst_deg=max((e for e in errors if e is not None), default=None),
        targets=results,
    )


def _target(target: FloatArray, samples: SampleArray, geometry: ScreenGeometry) -> TargetQuality:
    both, left, right = (_eye(target, gaze_norm(samples, eye), geometry) for eye in EYES)
    x, y = both.gaze_x_norm, both.gaze_y_norm
    return TargetQuality(float(target[0]), float(target[1]), x, y, both, left, right)


def _eye(target: FloatArray, gaze: FloatArray, geometry: ScreenGeometry) -> EyeQuality:
    seen = np.isfinite(gaze[:, 0]) & np.isfinite(gaze[:, 1])
    there = gaze[seen]
    loss = lost_share(len(there), len(gaze))
    if len(there) == 0:
        return EyeQuality(None, None, None, loss, 0)
    successive = seen[1:] & seen[:-1]
    steps = geometry.angle_deg(gaze[:-1][successive], gaze[1:][successive])
    spread = geometry.angle_deg(there, np.broadcast_to(there.mean(axis=0), there.shape))
    median = np.median(there, axis=0)
    error = geometry.angle_deg(median[None], target[None])
    x, y = median.tolist()
    return EyeQuality(float(error[0]), _rms(steps), _rms(spread), loss, len(there), x, y)


def _over_targets(parts: Sequence[EyeQuality], counts: Sequence[int]) -> EyeQuality:
    seen = sum(p.sample_count for p in parts)
    return EyeQuality(
        accuracy_deg=_mean([p.accuracy_deg for p in parts]),
        precision_rms_deg=_mean([p.precision_rms_deg for p in parts]),
        precision_sd_deg=_mean([p.precision_sd_deg for p in parts]),
        loss=lost_share(seen, sum(counts)),
        sample_count=seen,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def _rms(angles: FloatArray) -> float | None:
    return float(np.sqrt(np.mean(angles**2))) if len(angles) else None
