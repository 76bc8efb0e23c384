"""The gaze on a target that is on the screen, taken from the ongoing recording."""

from app.errors import WrongStep
from app.recording.recorder import Recorder
from devices.clock import HostClock
from devices.gaze.samples import SampleArray, concatenate_samples

Point = tuple[float, float]
"""A place on the tracked screen, `_norm`."""

SETTLE_US = 500_000
"""From a target's appearance until the eye rests on it."""
WINDOW_US = 500_000
"""What is judged after that."""
_KEPT_US = 3 * (SETTLE_US + WINDOW_US)
_SILENT_REAL_S = 1.0
"""So long a tracker that is asked may give nothing."""
_UNASKED_REAL_S = 10.0
"""So long the computer may be too busy, or the driver may take, to ask it."""


class TargetWatch:
    """Listens to the recorder until `stop`.

    Attributes
    ----------
    seen
        The samples (N,) of each target looked at so far.
    """

    def __init__(self, recorder: Recorder, clock: HostClock) -> None:
        self.seen: dict[Point, SampleArray] = {}
        self._recorder, self._clock = recorder, clock
        self._recent: list[SampleArray] = []
        self._shown: tuple[Point, int] | None = None
        recorder.add_listener(self._listen)

    def show(self, target: Point) -> None:
        """Report that a target is on the screen from now on."""
        self._shown = (target, self._clock.now_us())

    def is_sampled(self) -> bool:
        """Return whether the target shown has been looked at long enough; take it if so.

        A silent tracker does not hold the reader up: the target then has no samples.
        One that was not even asked since has not kept silent.
        """
        if self._shown is None:
            raise WrongStep("No validation target is shown; show one first.")
        target, shown_us = self._shown
        start_us, end_us = shown_us + SETTLE_US, shown_us + SETTLE_US + WINDOW_US
        samples = self.recent()
        arrived = len(samples) > 0 and samples["host_us"][-1] >= end_us
        if not arrived and not self._has_kept_silent(end_us):
            return False
        times = samples["host_us"]
        self.seen[target] = samples[(times >= start_us) & (times < end_us)]
        return True

    def recent(self) -> SampleArray:
        """Return the samples (N,) of the last seconds."""
        return concatenate_samples(self._recent)

    def stop(self) -> None:
        """Stop listening; safe to call twice."""
        self._recorder.remove_listener(self._listen)

    def _has_kept_silent(self, since_us: int) -> bool:
        real_us, now_us = 1e6 * self._clock.speed, self._clock.now_us()
        asked_us = now_us - real_us * self._recorder.status().unasked_s
        return bool(
            asked_us >= since_us + real_us * _SILENT_REAL_S
            or now_us >= since_us + real_us * _UNASKED_REAL_S
        )

    def _listen(self, samples: SampleArray) -> None:
        oldest_us = int(samples["host_us"][-1]) - _KEPT_US
        kept = [part for part in self._recent if part["host_us"][-1] >= oldest_us]
        self._recent = [*kept, samples]
