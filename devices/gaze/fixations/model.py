"""What a filter finds."""

from dataclasses import dataclass


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
