"""How long a reader's eyes have not been seen, counting only the time observed."""

from app.recording.stream_counts import last_gaze_us
from devices.gaze.samples import SampleArray

_LATE_POLLS = 5
"""A poll later than this many intervals says something about the computer, not the reader."""


class UnseenTime:
    """Counts host time without gaze: from samples, and from the silence between them.

    A silent tracker is noticed only by polling it. A computer too busy to poll has not seen the
    reader leave, so each poll counts for a few intervals at most, however late it is. Samples
    without gaze prove their own time, late or not.

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
        """Note a poll and the samples (N,) it brought, in order of time."""
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
