"""How regularly samples arrive: measured rate, gaps, jitter and loss."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.gaze.rating import lost_share
from devices.gaze.samples import SampleArray, valid_count

FloatArray = NDArray[np.float64]
_GAP_INTERVALS = 1.5


@dataclass(frozen=True, slots=True)
class StreamQuality:
    """How regularly samples arrived.

    Attributes
    ----------
    measured_rate_hz
        From the median interval; NaN for fewer than two samples.
    lost_count
        Samples that are missing in the gaps.
    gap_count, longest_gap_us
        Intervals above 1.5 times the usual one, and the longest of them (0: none).
    jitter_us
        Robust standard deviation of the intervals that are not gaps; None without any.
    loss
        Share of the samples due that came without gaze of either eye, or never did between two
        others; 1 where none came.
    """

    measured_rate_hz: float | None
    sample_count: int
    lost_count: int
    gap_count: int
    longest_gap_us: int
    jitter_us: float | None
    loss: float

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


def stream_quality(samples: SampleArray, nominal_rate_hz: float | None = None) -> StreamQuality:
    """Return rate, gaps, jitter and loss of a run of samples.

    Parameters
    ----------
    samples
        Shape (N,), in order of host time.
    nominal_rate_hz
        Used for gaps only while there are too few samples to measure the rate.
    """
    steps_us = np.diff(samples["host_us"]).astype(np.float64)
    steps_us = steps_us[steps_us > 0]
    measured_us = float(np.median(steps_us)) if len(steps_us) else None
    usual_us = 1e6 / nominal_rate_hz if len(steps_us) < 3 and nominal_rate_hz else measured_us
    is_gap = steps_us > _GAP_INTERVALS * (usual_us or np.inf)
    gaps_us = steps_us[is_gap]
    lost_count = int((np.round(gaps_us / (usual_us or 1)) - 1).sum())
    return StreamQuality(
        measured_rate_hz=1e6 / measured_us if measured_us else None,
        sample_count=len(samples),
        lost_count=lost_count,
        gap_count=len(gaps_us),
        longest_gap_us=int(gaps_us.max()) if len(gaps_us) else 0,
        jitter_us=_robust_sd(steps_us[~is_gap]),
        loss=lost_share(valid_count(samples), len(samples) + lost_count),
    )


def _robust_sd(values: FloatArray) -> float | None:
    """Return 1.4826 times the median absolute deviation, the SD of a normal distribution."""
    if len(values) == 0:
        return None
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
