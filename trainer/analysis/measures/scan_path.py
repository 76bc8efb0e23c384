"""How the eyes moved over an image: fixations, saccades, path."""

from typing import Any

import numpy as np

from trainer.analysis.definitions import Group, defined
from trainer.analysis.looked import FloatArray, Looked

_HOLMQVIST = "Holmqvist et al., Eye Tracking, Oxford 2011"

DEFINITIONS = defined(
    "reading",
    [
        ("time_on_image_ms", "ms", "time from when the image was first shown to when it was last "
                                   "shown", "Foveate"),
        ("total_dwell_ms", "ms", "sum of the durations of all fixations on the image", _HOLMQVIST),
        ("fixation_count", "1", "fixations on the image", _HOLMQVIST),
        ("fixation_rate_hz", "1/s", "fixations per second of time on the image", _HOLMQVIST),
        ("mean_fixation_ms", "ms", "mean duration of fixations", _HOLMQVIST),
        ("median_fixation_ms", "ms", "median duration of fixations", _HOLMQVIST),
        ("log_fixation_sd", "1", "standard deviation of the natural logarithm of durations",
         _HOLMQVIST),
        ("path_length_deg", "deg", "sum of the distances between consecutive fixations on the "
                                   "same frame", _HOLMQVIST),
        ("mean_step_deg", "deg", "mean of those distances", _HOLMQVIST),
        ("saccade_count", "1", "saccades on the image", _HOLMQVIST),
        ("mean_saccade_deg", "deg", "mean amplitude of saccades", _HOLMQVIST),
        ("mean_peak_velocity_deg_s", "deg/s", "mean of saccades' peak velocities", _HOLMQVIST),
        ("blink_count", "1", "blinks while the image was shown", _HOLMQVIST),
        ("blink_rate_min", "1/min", "blinks per minute of time on the image", _HOLMQVIST),
        ("pupil_mm", "mm", "mean pupil diameter, if the tracker reports it", _HOLMQVIST),
    ],
)  # fmt: skip


def scan_path(looked: Looked) -> dict[str, Any]:
    """Return the measures of one reading of one image."""
    duration_ms = looked.duration_us / 1000.0
    seconds = (looked.left_us - looked.shown_us) / 1e6
    steps = steps_deg(looked)
    return {
        "time_on_image_ms": seconds * 1000,
        "total_dwell_ms": float(duration_ms.sum()),
        "fixation_count": len(duration_ms),
        "fixation_rate_hz": len(duration_ms) / seconds if seconds > 0 else np.nan,
        "mean_fixation_ms": _mean(duration_ms),
        "median_fixation_ms": float(np.median(duration_ms)) if len(duration_ms) else np.nan,
        "log_fixation_sd": _sd(np.log(duration_ms[duration_ms > 0])),
        "path_length_deg": float(steps.sum()) if np.isfinite(steps).all() else np.nan,
        "mean_step_deg": _mean(steps),
        "saccade_count": len(looked.amplitude_deg),
        "mean_saccade_deg": _mean(looked.amplitude_deg),
        "mean_peak_velocity_deg_s": _mean(looked.peak_velocity_deg_s),
        "blink_count": looked.blinks,
        "blink_rate_min": looked.blinks / seconds * 60 if seconds > 0 else np.nan,
        "pupil_mm": looked.pupil_mm,
    }


def steps_deg(looked: Looked) -> FloatArray:
    """Return the distance from each fixation to the next of the same frame, degrees."""
    together = np.diff(looked.frame) == 0
    apart = (
        np.hypot(*np.diff(looked.points_image, axis=0).T) if len(looked.frame) > 1 else np.zeros(0)
    )
    scale = (looked.px_per_deg[1:] + looked.px_per_deg[:-1]) / 2
    return np.asarray((apart / scale)[together], dtype=np.float64)


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _sd(values: FloatArray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan


GROUP = Group(DEFINITIONS, scan_path)
