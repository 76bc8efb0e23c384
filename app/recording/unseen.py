"""How long a reader's eyes have not been seen, counting only the time that was watched."""

from app.recording.stream_counts import last_gaze_us
from devices.gaze.samples import SampleArray

_LATE_POLLS = 5
"""A poll that comes later than so many intervals tells of the computer, not of the reader."""


class UnseenTime:
    """Counts the host time without gaze: what samples show, and the silence between them.

    A tracker that says nothing is only noticed by asking it. A computer too busy to ask has not
    seen the reader leave, so each poll counts for a few intervals at most, however late it comes.
    Samples without gaze prove their own time, late or not.

    Parameters
    ----------
    start_us
        Host time of the first moment that counts.
    poll_us
        Host time between two polls of a recorder that is on time.
    """

    def __init__(self, start_us: int, poll_us: float) -> None:
        self._most_us = round(_LATE_POLLS * poll_us)
        self._polled_us = start_us
        self._last_us: int | None = None
        self._shown_us = self._silent_us = 0

    @property
    def us(self) -> int:
        """Host time without gaze up to the last poll."""
        return self._shown_us + self._silent_us

    def since_poll_us(self, now_us: int) -> int:
        """Return the host time since the tracker was last asked."""
        return max(0, now_us - self._polled_us)

    def polled(self, now_us: int, samples: SampleArray) -> None:
        """Note a poll and what samples (N,) it brought, in order of time."""
        step_us = min(self.since_poll_us(now_us), self._most_us)
        self._polled_us = now_us
        if not len(samples):
            self._silent_us += step_us
            return
        first_us, last_us = int(samples["host_us"][0]), int(samples["host_us"][-1])
        seen_us = last_gaze_us(samples)
        if seen_us is not None:
            self._shown_us = max(0, last_us - seen_us)
        else:
            before_us = first_us if self._last_us is None else self._last_us
            between_us = min(max(0, first_us - before_us), self._silent_us + step_us)
            self._shown_us += between_us + max(0, last_us - first_us)
        self._silent_us, self._last_us = 0, last_us
