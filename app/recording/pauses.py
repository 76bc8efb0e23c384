"""Pauses of a reading: spells in which its images were hidden and no gaze was due."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAUSES = "pauses_us"
"""Key of the pauses in `reading.details`: pairs of start and end, on the host clock."""


@dataclass(slots=True)
class Pauses:
    """Spells [start, end) in host time; the last one has no end while it lasts."""

    spells: list[tuple[int, int | None]] = field(default_factory=list)

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> "Pauses":
        """Return those that a reading's details keep."""
        return cls([(start, end) for start, end in details.get(PAUSES, ())])

    @property
    def is_open(self) -> bool:
        """Whether a pause is in progress."""
        return bool(self.spells) and self.spells[-1][1] is None

    def begin(self, now_us: int) -> None:
        """Begin a pause, unless one is in progress."""
        if not self.is_open:
            self.spells.append((now_us, None))

    def end(self, now_us: int) -> None:
        """End the pause in progress; no effect without one."""
        if self.is_open:
            self.spells[-1] = (self.spells[-1][0], max(now_us, self.spells[-1][0]))

    def as_rows(self) -> list[list[int | None]]:
        """Return them ready for JSON."""
        return [list(spell) for spell in self.spells]

    def during(self, time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether each instant (N,) lies in a pause."""
        inside = np.zeros(len(time_us), bool)
        for start, end in self.spells:
            inside |= (time_us >= start) & ((time_us < end) if end is not None else True)
        return inside

    def total_us(self, end_us: int) -> int:
        """Return how long they lasted up to an instant."""
        return sum(max(0, min(end or end_us, end_us) - start) for start, end in self.spells)
