"""Running counts of a stream of samples: how many, how many missing, how fast."""

import numpy as np
from numpy.typing import NDArray

from devices.gaze.samples import Eye, SampleArray, gaze_norm

_FIRST_INTERVALS = 20
_LATE = 1.5


def last_gaze_us(samples: SampleArray) -> int | None:
    """Return the time of the last sample (N,) with gaze of either eye, None without any.

    Called at every poll, so it looks at the last sample first.
    """
    left, right = samples["left_x_norm"], samples["right_x_norm"]
    if left[-1] == left[-1] or right[-1] == right[-1]:  # equal to itself: not NaN
        return int(samples["host_us"][-1])
    seen = np.flatnonzero(~(np.isnan(left) & np.isnan(right)))
    return int(samples["host_us"][seen[-1]]) if len(seen) else None


class StreamCounts:
    """Running figures of one stream; only the figures are kept.

    Parameters
    ----------
    eye
        Which eye's gaze makes a sample valid.

    Attributes
    ----------
    sample_count
        Samples seen.
    valid_count
        Those with a point of gaze.
    lost_count
        Samples expected in the gaps between the time stamps: lost by the link or the recorder, not
        by the eye (a blink is a sample without gaze).
    gap_count, longest_gap_us
        Intervals over one and a half times the usual one, and the longest of them.
    last_us
        Time of the last sample; None before the first.
    """

    def __init__(self, eye: Eye = "both") -> None:
        self.eye = eye
        self.sample_count = self.valid_count = self.lost_count = 0
        self.gap_count = self.longest_gap_us = 0
        self.last_us: int | None = None
        self._first: list[int] = []
        self._regular_count = self._regular_sum_us = 0
        self._regular_squares = 0.0

    def add(self, samples: SampleArray, valid: NDArray[np.bool_] | None = None) -> None:
        """Count samples (N,), in order of time; `valid` (N,) if validity is already known."""
        if len(samples) == 0:
            return
        times = samples["host_us"]
        if valid is None:
            valid = ~np.isnan(gaze_norm(samples, self.eye)[:, 0])
        self.sample_count += len(samples)
        self.valid_count += int(valid.sum())
        before = times[:1] if self.last_us is None else np.array([self.last_us])
        intervals = np.empty(len(times), np.int64)
        intervals[0], intervals[1:] = times[0] - before[0], times[1:] - times[:-1]
        self.last_us = int(times[-1])
        self._add_intervals(intervals[intervals > 0])

    @property
    def measured_rate_hz(self) -> float | None:
        """Samples per second of uninterrupted stream; None before there are enough."""
        if self._regular_sum_us == 0:
            return None
        return 1e6 * self._regular_count / self._regular_sum_us

    @property
    def jitter_us(self) -> float | None:
        """Standard deviation of the intervals without gaps; None before there are enough."""
        if self._regular_count == 0:
            return None
        mean = self._regular_sum_us / self._regular_count
        return float(np.sqrt(max(self._regular_squares / self._regular_count - mean**2, 0.0)))

    def _add_intervals(self, intervals_us: NDArray[np.int64]) -> None:
        # The rate is measured, never taken on trust: senders declare rates that they do not keep.
        if self._regular_count == 0:
            self._first.extend(intervals_us.tolist())
            if len(self._first) < _FIRST_INTERVALS:
                return
            intervals_us = np.array(self._first, np.int64)
            self._first = []
        expected_us = self._expected_us(intervals_us)
        regular = intervals_us <= _LATE * expected_us
        self._regular_count += int(regular.sum())
        self._regular_sum_us += int(intervals_us[regular].sum())
        self._regular_squares += float(np.square(intervals_us[regular], dtype=np.float64).sum())
        gaps_us = intervals_us[~regular]
        if len(gaps_us):
            self.gap_count += len(gaps_us)
            self.longest_gap_us = max(self.longest_gap_us, int(gaps_us.max()))
        missing = np.rint(gaps_us / expected_us) - 1
        self.lost_count += int(missing.sum())

    def _expected_us(self, intervals_us: NDArray[np.int64]) -> float:
        if self._regular_count == 0:
            return float(np.median(intervals_us))
        return self._regular_sum_us / self._regular_count
