"""Which cases a reader reads again, why, and from when: repeats, and readings with bad gaze."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from migrations.study.assignments import Assigned
from migrations.study.settings import StudySettings

REPEAT, BAD_GAZE, PLANNED = "repeat", "bad gaze", "planned"
SECOND_LOOK = "second look"


@dataclass(frozen=True, slots=True)
class PastReading:
    """A reading (a row of its table), and how its host times map to real ones."""

    reading: Any
    zero_utc: str
    clock_speed: float

    @property
    def ended(self) -> datetime:
        """When it ended."""
        zero = datetime.fromisoformat(self.zero_utc)
        end_us = self.reading.ended_us or self.reading.started_us
        return zero + timedelta(seconds=end_us / self.clock_speed / 1e6)


@dataclass(frozen=True, slots=True)
class Reread:
    """A second reading of a case.

    Attributes
    ----------
    of
        The finished reading that it repeats.
    why
        "repeat" (intra-reader agreement), "bad gaze", "planned" (the study's plan has the case once
        more) or "second look" (directly after the first).
    not_before
        The end of the washout; None if it has not begun.
    """

    of: str
    why: str
    not_before: datetime | None = None

    def as_details(self) -> dict[str, Any]:
        """Return what the new reading's row stores."""
        return {"of": self.of, "why": self.why}


class RereadPlan:
    """What a study wants to have read again, at an instant."""

    def __init__(self, settings: StudySettings, now: datetime) -> None:
        self._settings, self._now = settings, now

    def due(
        self, case: Any, readings: Sequence[PastReading], assigned: Sequence[Assigned] = ()
    ) -> Reread | None:
        """Return the re-read that a case's readings (oldest first) call for."""
        latest = readings[-1]
        if latest.reading.state != "finished" or case.practice:
            return None
        washout = timedelta(days=self._settings.washout_days)
        why = self._why(case.name, readings)
        following = next_arm(readings, assigned)
        if following is not None and following.arm is not None and following.arm.second_look:
            return Reread(latest.reading.id, SECOND_LOOK)
        if following is not None and why != BAD_GAZE:
            return Reread(latest.reading.id, PLANNED, latest.ended + washout)
        return None if why is None else Reread(latest.reading.id, why, latest.ended + washout)

    def may_read(self, reread: Reread) -> bool:
        """Return whether its washout is over."""
        return reread.not_before is None or reread.not_before <= self._now

    def marked(self, reading: Any) -> Reread | None:
        """Return what a reading itself repeats, for the one that resumes it."""
        noted = reading.details.get("reread")
        return Reread(noted["of"], noted["why"]) if noted else None

    def _why(self, name: str, readings: Sequence[PastReading]) -> str | None:
        if readings[-1].reading.verdict == "bad":
            return BAD_GAZE if self._settings.reread_bad else None
        usable = [
            r for r in readings if r.reading.state == "finished" and r.reading.verdict != "bad"
        ]
        is_repeated = _share_of(name) < self._settings.repeat_share
        return REPEAT if is_repeated and len(usable) == 1 else None


def next_arm(readings: Sequence[PastReading], assigned: Sequence[Assigned]) -> Assigned | None:
    """Return the first assignment of a case whose arm it has not been fully read in."""
    read = {past.reading.arm_id for past in readings if past.reading.state == "finished"}
    return next((each for each in assigned if each.arm_id not in read), None)


def _share_of(name: str) -> float:
    """Return a case's fixed random number, 0 to 1: every reader repeats the same cases."""
    return int.from_bytes(hashlib.sha256(f"repeat {name}".encode()).digest()[:8]) / 2**64
