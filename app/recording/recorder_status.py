"""What the status strip needs to know about the recorder."""

import time
from dataclasses import dataclass

_OVER_S = 1.0
TRACKER_GONE = (
    "{name} is gone: check its cable and power. Recording resumes by itself when it is back."
)


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """The state of the recording.

    Attributes
    ----------
    recording
        Whether the thread runs.
    sample_count, missing_count
        Samples received, and those missing between their time stamps.
    committed_count, committed_us
        Samples committed, and the host time of the last of them; None before the first.
    queue_depth
        Writes not committed yet.
    last_commit_us
        Host time at which the last chunk was committed; None before the first.
    rate_hz
        Samples per second of host time over the last real second.
    lost_for_us
        Host time without gaze up to the last poll (since the start, if there never was any). A
        computer too busy to poll the tracker does not count as an absent reader.
    unasked_s
        Real seconds since the tracker was last polled; long only if the computer is overloaded or
        the tracker's driver hangs.
    device_lost
        Whether the device reported that its connection is lost.
    problem
        What is wrong, in words for the user; "" if nothing is.
    """

    recording: bool
    sample_count: int
    missing_count: int
    committed_count: int
    committed_us: int | None
    queue_depth: int
    last_commit_us: int | None
    rate_hz: float
    lost_for_us: int
    unasked_s: float
    device_lost: bool
    problem: str


class RecentRate:
    """Growth of a count over the last real second."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, int]] = []

    def mark(self, count: int) -> None:
        """Note the count as it is now."""
        now = time.perf_counter()
        marks = [mark for mark in self._marks if now - mark[0] <= _OVER_S]
        if not marks or now - marks[-1][0] >= _OVER_S / 10:
            marks.append((now, count))
        self._marks = marks

    @property
    def per_second(self) -> float:
        """Growth per real second; 0 before there is enough data."""
        marks = self._marks
        if len(marks) < 2:
            return 0.0
        (first_s, first), (last_s, last) = marks[0], marks[-1]
        return (last - first) / (last_s - first_s)
