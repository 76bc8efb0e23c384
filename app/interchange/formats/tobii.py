"""Tobii Pro Lab's TSV ("Data export").

Column names vary by version: units stand in brackets, in parentheses or not at all
(``Gaze point X [DACS px]``, ``Gaze point X (DACSpx)``, ``Gaze point X``), decimals may be commas.
The screen's resolution and where the media stood on it are columns too; the screen's size in
millimetres is not, so degrees are assumed.
"""

import re
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import (
    IntArray,
    Place,
    RowCounts,
    SourceFile,
    SourceFixations,
    SourceReading,
    fitted_screen,
    shown_at,
)
from app.interchange.formats.mcgip import guessed_unit
from app.interchange.options import ImportOptions
from app.interchange.tables import Table, groups, microseconds, read_table
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray, ScreenGeometry

ASSUMED_MM_PER_PX = 0.27
_UNITS = ("", " [DACS px]", " (DACSpx)", " [ADCS px]", " (ADCSpx)", " (RCSpx)", " [MCS px]")


def read_tobii_tsv(path: Path, options: ImportOptions) -> SourceFile:
    """Read one export of any number of participants and stimuli.

    Raises
    ------
    GazeFileError
        If a column is missing or a value is no number.
    """
    table = read_table(path, "\t")
    counts = RowCounts(len(table))
    media = table.text(table.need("Presented Media name", "Presented Stimulus name", "Media name"))
    people = _text(table, "Participant name")
    recordings = _text(table, "Recording name")
    sensor = _text(table, "Sensor")
    time_us, unit = _times(table)
    reason = np.array(
        [_reason(sensor[i], media[i], time_us[i]) for i in range(len(table))], dtype=object
    )
    counts.dropped.update(r for r in reason if r)
    chosen = np.flatnonzero(reason == "")
    keys = [(media[i], people[i], recordings[i]) for i in chosen]
    readings = [
        _reading(table.take(chosen[rows]), time_us[chosen[rows]], key, unit, options)
        for key, rows in groups(keys)
    ]
    return SourceFile(readings, counts)


def _reason(sensor: str, media: str, time_us: int) -> str:
    if sensor and "eye" not in sensor.lower():
        return f"row of {sensor}, not of the eye tracker"
    if not media:
        return "no media shown"
    return "no time" if time_us == _NO_TIME else ""


_NO_TIME = np.iinfo(np.int64).min


def _text(table: Table, name: str) -> list[str]:
    found = table.find(name)
    return table.text(found) if found else [""] * len(table)


def _times(table: Table) -> tuple[IntArray, str]:
    name = next((n for n in table.names if n.lower().startswith("recording timestamp")), None)
    if name is None:
        name = next((n for n in table.names if n.lower().startswith("eyetracker timestamp")), None)
    if name is None:
        name = table.need("Recording timestamp")
    values = table.numbers(name)
    there = np.isfinite(values)
    said = re.search(r"[\[(]\s*(ms|us|[µμ]s|s)\s*[\])]", name)
    unit = said[1].replace("µ", "u").replace("μ", "u") if said else guessed_unit(values[there])
    times = np.full(len(values), _NO_TIME, np.int64)
    times[there] = microseconds(values[there], unit)
    return times, unit


def _reading(
    table: Table, time_us: IntArray, key: tuple[str, ...], unit: str, options: ImportOptions
) -> SourceReading:
    screen = _screen(table, options)
    eyes = tuple(_pair(table, f"Gaze point {side}", side) for side in ("left", "right"))
    points = _pair(table, "Gaze point", "")
    if np.isnan(points).all():
        with np.errstate(invalid="ignore"):
            points = np.where(np.isnan(eyes[0]), eyes[1], eyes[0])
    if np.isnan(points).all() and table.find(*_names("Gaze point", "X")) is None:
        table.need(*_names("Gaze point", "X"), *_names("Gaze point left", "X"))
    place, known = _place(table, screen, options)
    has_eyes = bool(np.isfinite(eyes[0]).any() or np.isfinite(eyes[1]).any())
    lacks = ["screen size in mm", *([] if known else ["geometry"]), *([] if has_eyes else ["eyes"])]
    return SourceReading(
        image=key[0],
        # Participant names may be people's names: they tell readings apart and are not kept.
        points_canvas=points,
        time_us=time_us,
        place=place,
        eyes_canvas=(eyes[0], eyes[1]) if has_eyes else None,
        pupils_mm=_pupils(table),
        screen=screen,
        fixations=_fixations(table, time_us, place),
        lacks=tuple(lacks),
        details={"time_unit": unit},
    )


def _names(what: str, axis: str) -> tuple[str, ...]:
    return tuple(f"{what} {axis}{unit}" for unit in _UNITS)


def _pair(table: Table, what: str, side: str) -> FloatArray:
    names = [table.find(*_names(what, axis)) for axis in "XY"]
    if None in names:
        return np.full((len(table), 2), np.nan)
    points = np.column_stack([table.numbers(name) for name in names])
    valid = table.find(f"Validity {side}") if side else None
    if valid is not None:
        lost = np.array([v.strip().lower() in ("invalid", "0", "4") for v in table.text(valid)])
        # Legacy codes: 0 best, 4 lost. Words and the 0/1 code cannot be told apart by one row.
        if {v.strip() for v in table.text(valid)} & {"2", "3", "4"}:
            lost = np.array([v.strip() in ("2", "3", "4") for v in table.text(valid)])
        points[lost] = np.nan
    return points


def _pupils(table: Table) -> FloatArray | None:
    names = [
        table.find(f"Pupil diameter {s} [mm]", f"Pupil diameter {s}") for s in ("left", "right")
    ]
    if not any(names):
        return None
    return np.column_stack([table.numbers(name) for name in names])


def _first(table: Table, *names: str) -> float | None:
    found = table.find(*names)
    values = table.numbers(found) if found else np.empty(0)
    values = values[np.isfinite(values)]
    return float(values[0]) if len(values) else None


def _screen(table: Table, options: ImportOptions) -> ScreenGeometry:
    width = _first(table, "Recording resolution width", "Recording resolution width [px]")
    height = _first(table, "Recording resolution height", "Recording resolution height [px]")
    if options.screen is not None:
        return options.screen
    if width is None or height is None:
        raise GazeFileError(
            f"{table.path} does not say the screen's resolution (`Recording resolution width`, "
            "`… height`). Export those columns too, or name it: --screen WIDTHxHEIGHT."
        )
    mm = ASSUMED_MM_PER_PX
    return ScreenGeometry(width, height, width * mm, height * mm)


def _place(table: Table, screen: ScreenGeometry, options: ImportOptions) -> tuple[Place, bool]:
    """Return how the media stood on the screen, and whether the file says so."""
    if options.shown is not None:
        return shown_at(*options.shown), True
    size = [_first(table, *_sized(f"Presented Media {axis}")) for axis in ("width", "height")]
    at = [_first(table, *_placed(f"Presented Media position {axis}")) for axis in "XY"]
    if None in size or None in at:
        return fitted_screen(screen), False
    x, y, width, height = (float(v or 0) for v in (*at, *size))
    return shown_at(x, y, width, height), True


def _sized(name: str) -> tuple[str, ...]:
    return (name, f"{name} [px]", f"{name} (px)")


def _placed(name: str) -> tuple[str, ...]:
    return tuple(f"{name}{unit}" for unit in _UNITS)


def _fixations(table: Table, time_us: IntArray, place: Place) -> SourceFixations | None:
    """Return the fixations of Pro Lab's own filter: rows of one index are one fixation."""
    kind, index = table.find("Eye movement type"), table.find("Eye movement type index")
    if kind is None or index is None:
        return None
    kinds, numbers = table.text(kind), table.text(index)
    points = _pair(table, "Fixation point", "")
    rows: dict[str, list[int]] = {}
    for i, what in enumerate(kinds):
        if what.lower() == "fixation":
            rows.setdefault(numbers[i], []).append(i)
    parts = [np.array(part) for part in rows.values()]
    if not parts or np.isnan(points).all():
        return None
    duration = table.find(
        "Gaze event duration [ms]", "Gaze event duration (ms)", "Gaze event duration"
    )
    lasting = table.numbers(duration) * 1000 if duration else np.full(len(table), np.nan)
    start = np.array([time_us[p[0]] for p in parts], np.int64)
    seen = np.array([time_us[p[-1]] - time_us[p[0]] for p in parts], np.float64)
    said = np.array([lasting[p[0]] for p in parts])
    lasted = np.where(np.isfinite(said), said, seen).astype(np.int64)
    centre = np.array([_first_point(points[p]) for p in parts])
    return SourceFixations(start, lasted, centre, place)


def _first_point(points: FloatArray) -> FloatArray:
    """Return the first point (2,) of some (N, 2) that is one; NaN where none is."""
    there = np.flatnonzero(np.isfinite(points).all(axis=1))
    return points[there[0]] if len(there) else np.full(2, np.nan)
