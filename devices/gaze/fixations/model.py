"""What a filter finds."""

from dataclasses import dataclass
from typing import Literal

EventKind = Literal["saccade", "pursuit", "blink"]


@dataclass(frozen=True, slots=True)
class Fixation:
    """A stretch of time in which the eye rested.

    Attributes
    ----------
    start_us, end_us
        Times of its first and its last sample.
    x_deg, y_deg
        Mean of its samples.
    dispersion_deg
        (max x - min x) + (max y - min y) of its samples.
    sample_count
        Valid samples in it.
    """

    start_us: int
    end_us: int
    x_deg: float
    y_deg: float
    dispersion_deg: float
    sample_count: int

    @property
    def duration_us(self) -> int:
        """Time from the first to the last sample."""
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class GazeEvent:
    """What an eye did beside resting.

    Attributes
    ----------
    kind
        "saccade", "pursuit" (the eye moves along with something) or "blink".
    start_us, end_us
        Saccade: last sample of the rest before, first of the rest after it. Pursuit: its first and
        its last sample. Blink: first lost sample, first one with gaze again.
    amplitude_deg
        Distance between the rests a saccade connects; way of a pursuit; None for a blink.
    peak_velocity_deg_s
        Largest velocity in the filter's window, which at slow rates is wider than a saccade and
        then shows less than the eye did; None for a blink.
    """

    kind: EventKind
    start_us: int
    end_us: int
    amplitude_deg: float | None = None
    peak_velocity_deg_s: float | None = None

    @property
    def duration_us(self) -> int:
        """Time from its start to its end."""
        return self.end_us - self.start_us
