"""Gaze samples: one structured NumPy array, one row per sample of the tracker."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Eye = Literal["both", "left", "right"]

NO_DEVICE_TIME = np.iinfo(np.int64).min
"""`device_us` of a tracker without time stamps of its own."""

SAMPLE_DTYPE = np.dtype(
    [
        ("host_us", "<i8"),  # host clock, the instant of the sample (not of its arrival)
        ("device_us", "<i8"),  # tracker's own clock, arbitrary origin
        ("left_x_norm", "<f4"),
        ("left_y_norm", "<f4"),
        ("right_x_norm", "<f4"),
        ("right_y_norm", "<f4"),
        ("left_pupil_mm", "<f4"),
        ("right_pupil_mm", "<f4"),
        ("left_origin_x_mm", "<f4"),  # eye position, tracker frame: x right, y up, z to the user
        ("left_origin_y_mm", "<f4"),
        ("left_origin_z_mm", "<f4"),
        ("right_origin_x_mm", "<f4"),
        ("right_origin_y_mm", "<f4"),
        ("right_origin_z_mm", "<f4"),
        ("left_openness_mm", "<f4"),
        ("right_openness_mm", "<f4"),
    ]
)

VALUE_FIELDS = tuple(n for n in SAMPLE_DTYPE.names or () if not n.endswith("_us"))

SampleArray = NDArray[np.void]
"""Shape (N,), dtype `SAMPLE_DTYPE`, in order of `host_us`; values are NaN where an eye is lost."""


def empty_samples(count: int) -> SampleArray:
    """Return `count` samples with every value missing and every time 0."""
    samples = np.zeros(count, dtype=SAMPLE_DTYPE)
    samples["device_us"] = NO_DEVICE_TIME
    for name in VALUE_FIELDS:
        samples[name] = np.nan
    return samples


def concatenate_samples(parts: Sequence[SampleArray]) -> SampleArray:
    """Return runs of samples as one, in the order given; empty for none.

    NumPy's own `concatenate` compares the fields of structured arrays one by one at each call,
    which the recorder's thread would pay many times a second.
    """
    joined = np.empty(sum(len(part) for part in parts), dtype=SAMPLE_DTYPE)
    start = 0
    for part in parts:
        joined[start : start + len(part)] = part
        start += len(part)
    return joined


def split_by_span(samples: SampleArray, longest_us: int) -> list[SampleArray]:
    """Return runs of samples (N,) in order of time as parts that last less than `longest_us`."""
    since_us = samples["host_us"] - samples["host_us"][0]
    if since_us[-1] < longest_us:
        return [samples]
    edges = np.flatnonzero(np.diff(since_us // longest_us)) + 1
    return np.split(samples, edges)


def gaze_norm(samples: SampleArray, eye: Eye = "both") -> NDArray[np.float64]:
    """Return the point of gaze of each sample.

    Parameters
    ----------
    samples
        Shape (N,).
    eye
        "both" is the mean of the eyes with gaze.

    Returns
    -------
    NDArray
        Shape (N, 2), normalised display area, NaN where the chosen eye (or both) is lost.
    """
    left, right = eyes_norm(samples)
    return {"left": left, "right": right}[eye] if eye != "both" else mean_of_eyes(left, right)


def eyes_norm(samples: SampleArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points of gaze (N, 2) of the left and of the right eye, NaN where it is lost."""
    points = np.empty((2, len(samples), 2))
    for eye, name in enumerate(("left", "right")):
        points[eye, :, 0], points[eye, :, 1] = samples[f"{name}_x_norm"], samples[f"{name}_y_norm"]
    # Half a point is no point: an eye with only one coordinate is lost.
    points[~np.isfinite(points).all(axis=2)] = np.nan
    return points[0], points[1]


def mean_of_eyes(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean (N, 2) of the eyes with gaze, NaN where both are lost."""
    mean = (left + right) / 2
    mean = np.where(np.isnan(mean), left, mean)
    return np.where(np.isnan(mean), right, mean)


def valid_count(samples: SampleArray, eye: Eye = "both") -> int:
    """Return how many samples (N,) have gaze."""
    return int((~np.isnan(gaze_norm(samples, eye)[:, 0])).sum())
