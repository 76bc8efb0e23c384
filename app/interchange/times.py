"""The unit of times and durations, and how it is known; dates and times of day in microseconds."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import IntArray
from app.interchange.notes import Note, note
from app.interchange.tables import TIME_UNITS_US, microseconds
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray

_DAY_US = 86_400_000_000
NO_TIME = int(np.iinfo(np.int64).min)
SLOWEST_STEP_US, FASTEST_STEP_US = 1_000_000.0, 20.0
_IN_BRACKETS = re.compile(
    r"[\[(]\s*(?:in\s+)?(ms|us|[µμ]s|ns|s|secs?|seconds|milliseconds)\s*[\])]"
)
_AT_END = re.compile(r"_(ms|us|ns|s)$")
_WORDS = {"sec": "s", "secs": "s", "seconds": "s", "milliseconds": "ms", "µs": "us", "μs": "us"}
_LASTING_S = (0.02, 15.0)
"""The median of a table of fixations lies between these."""


def unit_in(name: str) -> str | None:
    """Return the unit in a column's name: Time [ms], time_us, Time (in secs)."""
    lower = name.strip().lower()
    found = _IN_BRACKETS.search(lower) or _AT_END.search(lower)
    return _WORDS.get(found[1], found[1]) if found else None


def guessed_unit(values: FloatArray) -> str:
    """Return the unit in which the typical step between times (N,) is that of a tracker.

    Trackers sample at 25 to 2000 Hz: 0.5 to 40 ms.
    """
    return unit_of_step(_median(np.diff(np.unique(values)), 1.0))


def unit_of_step(step: float) -> str:
    """Return the unit in which a step is that of a tracker."""
    for unit, below in (("s", 0.2), ("ms", 200.0), ("us", 200_000.0)):
        if step < below:
            return unit
    return "ns"


def _median(values: FloatArray, default: float) -> float:
    return float(np.median(values)) if len(values) else default


def sample_unit(
    path: Path, column: str, steps: FloatArray, said: str | None, known: str | None = None
) -> tuple[str, list[Note]]:
    """Return the unit of the times of samples, and a note about it.

    Parameters
    ----------
    steps
        Steps between neighbouring times of one reading, (N,).
    said
        By the user; it is trusted.
    known
        By the table's layout.

    Raises
    ------
    GazeFileError
        If the layout or the column's name contains a unit in which no tracker samples.
    """
    if said is not None:
        return said, []
    named, step = known or unit_in(column), _median(steps, 0.0)
    if named is None:
        unit = unit_of_step(step) if step else "s"
        why = f"the usual step is {step:g}" if step else "there is only one time"
        return unit, [note("time-unit", unit=unit, why=why)]
    step_us = step * TIME_UNITS_US[named]
    if step and not FASTEST_STEP_US <= step_us <= SLOWEST_STEP_US:
        raise GazeFileError(
            f"{path}: {_said(column, named, known)}, but then samples are "
            f"{step_us / 1e6:g} s apart; their step of {step:g} suggests "
            f"{unit_of_step(step)}. Give the unit with --time-unit."
        )
    return named, []


def duration_unit(
    path: Path, column: str, durations: FloatArray, said: str | None, known: str | None = None
) -> tuple[str, list[Note]]:
    """Return the unit of a column of fixation durations, and a note about it.

    `said` by the user is believed; `known` is the layout's.

    Raises
    ------
    GazeFileError
        If the layout or the column's name contains a unit in which no eye rests.
    """
    there = durations[np.isfinite(durations) & (durations > 0)]
    median = _median(there, 0.0)
    fitting = [u for u in ("s", "ms", "us", "ns") if _rests(median * TIME_UNITS_US[u] / 1e6)]
    named = said or known or unit_in(column)
    if named is not None:
        if said is None and median and named not in fitting:
            raise GazeFileError(
                f"{path}: {_said(column, named, known)}, but then the median fixation lasts "
                f"{median * TIME_UNITS_US[named] / 1e6:g} s. Give the unit with --time-unit."
            )
        return named, []
    if not fitting:
        raise GazeFileError(
            f"{path}: a median `{column}` of {median:g} is not a plausible fixation in s, ms, "
            "µs or ns. Give the unit with --time-unit."
        )
    return fitting[0], [note("duration-unit", unit=fitting[0], median=f"{median:g}")]


def _said(column: str, unit: str, known: str | None) -> str:
    return f"`{column}` is in {unit} in this layout" if known else f"`{column}` says {unit}"


def _rests(seconds: float) -> bool:
    return _LASTING_S[0] <= seconds < _LASTING_S[1]


def start_unit(
    path: Path,
    column: str,
    steps: FloatArray,
    duration_s: float,
    said: str | None,
    known: str | None = None,
) -> tuple[str, list[Note]]:
    """Return the unit of the starts of fixations: each begins after the previous one ends.

    Parameters
    ----------
    steps
        Between the starts of neighbouring fixations, (N,).
    duration_s
        Median of their durations.
    said, known
        By the user, who is believed; by the table's layout.

    Raises
    ------
    GazeFileError
        If starts and durations fit no unit.
    """
    named, step = said or known or unit_in(column), _median(steps, 0.0)
    if not step or not duration_s:
        return named or "s", []
    fitting = [
        unit for unit in TIME_UNITS_US
        if 0.5 <= step * TIME_UNITS_US[unit] / 1e6 / duration_s < 100
    ]  # fmt: skip
    if named is not None:
        if said is None and named not in fitting:
            raise GazeFileError(
                f"{path}: {_said(column, named, known)}, but then fixations of "
                f"{duration_s:g} s begin {step * TIME_UNITS_US[named] / 1e6:g} s apart. Give the "
                "unit with --time-unit."
            )
        return named, []
    if not fitting:
        raise GazeFileError(
            f"{path}: fixations of {duration_s:g} s begin {step:g} of `{column}` apart, which "
            "fits no unit. Give the unit with --time-unit."
        )
    return fitting[0], [note("time-unit", unit=fitting[0], why=f"fixations begin {step:g} apart")]


def is_clock(cells: Sequence[str]) -> bool:
    """Whether cells hold dates or times of day."""
    there = [cell.strip() for cell in cells if cell.strip()][:20]
    if not there or not any(":" in cell for cell in there):
        return False
    try:
        [instant_us(cell) for cell in there]
    except ValueError:
        return False
    return True


def instant_us(text: str) -> int:
    """Return a date or a time of day as microseconds; a zone is taken into account.

    Raises
    ------
    ValueError
        If it is neither.
    """
    text = text.replace("/", "-").strip()
    at = datetime.fromisoformat(text if "-" in text.split(":")[0] else f"1970-01-01T{text}")
    if at.utcoffset() is not None:
        at -= at.utcoffset() or at - at
    whole = at.replace(tzinfo=None) - datetime(1970, 1, 1)
    return (whole.days * 86_400 + whole.seconds) * 1_000_000 + whole.microseconds


def clock_times(path: Path, column: str, cells: Sequence[str]) -> IntArray:
    """Return dates or times of day (N,) as microseconds, `NO_TIME` for empty cells.

    Times of day continue beyond midnight.

    Raises
    ------
    GazeFileError
        If a cell is neither.
    """
    try:
        found = [instant_us(cell) if cell.strip() else NO_TIME for cell in cells]
    except ValueError as error:
        raise GazeFileError(
            f"{path}: `{column}` is neither a number nor a time of day ({error})."
        ) from error
    times = np.array(found, np.int64)
    there = times != NO_TIME
    if there.any() and times[there].min() >= 0 and times[there].max() < _DAY_US:
        turned = np.diff(times[there], prepend=times[there][0])
        nights = (turned < -_DAY_US // 2).astype(np.int64) - (turned > _DAY_US // 2)
        times[there] += _DAY_US * np.cumsum(nights)
    return times


def check_clock(path: Path, column: str, times: IntArray) -> None:
    """Check that sample times (N,) in microseconds are those of a tracker.

    Raises
    ------
    GazeFileError
        If they are farther apart: 01:30 may mean a minute and a half, or half past one.
    """
    steps_us = np.diff(times[times != NO_TIME])
    step_us = _median(steps_us[steps_us > 0].astype(np.float64), 0.0)
    if step_us > SLOWEST_STEP_US:
        raise GazeFileError(
            f"{path}: `{column}` contains times of day that are {step_us / 1e6:g} s apart, "
            "slower than any tracker. Write hours, minutes and seconds, or times as numbers."
        )


def times_us(values: FloatArray, unit: str) -> IntArray:
    """Return times (N,) as microseconds, `NO_TIME` where there is none."""
    found = np.full(len(values), NO_TIME, np.int64)
    there = np.isfinite(values)
    found[there] = microseconds(values[there], unit)
    return found
