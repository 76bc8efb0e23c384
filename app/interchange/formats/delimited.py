"""Any csv or tsv with a header, read by a mapping of its columns.

Roles: `image`, `reading`, `reader`, `time`, `x`, `y`, `left_x`, `left_y`, `right_x`, `right_y`,
`left_pupil_mm`, `right_pupil_mm`, `valid`; with `duration` each row is a fixation. What is not
mapped is found by the usual names; those of our own csv export are among them.
"""

from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import (
    IntArray,
    Place,
    Placement,
    RowCounts,
    SourceFile,
    SourceFixations,
    SourceReading,
    fitted_screen,
    shown_at,
)
from app.interchange.formats.mcgip import guessed_unit
from app.interchange.options import ImportOptions
from app.interchange.tables import TIME_UNITS_US, Table, groups, microseconds, read_table
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray

USUAL = {
    "image": ("image_sha256", "image", "image_name", "image_id", "img", "stimulus", "file"),
    "reading": ("reading_id", "reading", "trial", "trial_id"),
    "reader": ("reader", "participant", "participant_id", "subject"),
    "time": ("time_us", "start_us", "time", "timestamp", "time_ms", "time_s", "t"),
    "duration": ("duration_us", "duration", "duration_ms", "duration_s"),
    "x": ("x_image", "x", "gaze_x", "x_position"),
    "y": ("y_image", "y", "gaze_y", "y_position"),
    "left_x": ("left_x", "x_left", "gaze_left_x"),
    "left_y": ("left_y", "y_left", "gaze_left_y"),
    "right_x": ("right_x", "x_right", "gaze_right_x"),
    "right_y": ("right_y", "y_right", "gaze_right_y"),
    "left_pupil_mm": ("left_pupil_mm", "pupil_left_mm"),
    "right_pupil_mm": ("right_pupil_mm", "pupil_right_mm"),
    "valid": ("valid", "validity"),
}
_SUFFIX_UNITS = {"us": "us", "ms": "ms", "s": "s", "ns": "ns"}


def read_csv(path: Path, options: ImportOptions) -> SourceFile:
    """Read a table by its mapping.

    Raises
    ------
    GazeFileError
        If a mapped column is missing, a role unknown, or a value no number.
    """
    table = read_table(path, "\t" if path.suffix.lower() == ".tsv" else None)
    columns = _columns(table, options)
    counts = RowCounts(len(table))
    images = table.text(columns["image"]) if "image" in columns else [path.stem] * len(table)
    named = np.array([bool(image) for image in images], bool)
    if not named.all():
        counts.dropped["no image named"] += int((~named).sum())
    texts = [_text(table, columns.get(role)) for role in ("reading", "reader")]
    readings = []
    for (image, _reading, reader), rows in groups(zip(images, *texts, strict=True)):
        if image:
            made = _made(table.take(rows), columns, image, reader, options, counts)
            readings += [made] if made is not None else []
    return SourceFile(readings, counts)


def _text(table: Table, column: str | None) -> list[str]:
    return table.text(column) if column else [""] * len(table)


def _columns(table: Table, options: ImportOptions) -> dict[str, str]:
    unknown = set(options.columns) - set(USUAL)
    if unknown:
        raise GazeFileError(
            f"--columns: unknown {', '.join(sorted(unknown))}; known are {', '.join(USUAL)}."
        )
    found = {}
    for role, usual in USUAL.items():
        name = table.need(options.columns[role]) if role in options.columns else table.find(*usual)
        if name is not None:
            found[role] = name
    if not ({"x", "y"} <= set(found) or _has_eyes(found)):
        table.need(*USUAL["x"])
        table.need(*USUAL["y"])
    return found


def _has_eyes(columns: dict[str, str]) -> bool:
    sides = ("left", "right")
    return any(f"{s}_x" in columns and f"{s}_y" in columns for s in sides)


def _made(
    table: Table,
    columns: dict[str, str],
    image: str,
    reader: str,
    options: ImportOptions,
    counts: RowCounts,
) -> SourceReading | None:
    time_us, unit = _times(table, columns, options)
    if time_us is not None:
        there = time_us != _NO_TIME
        if not there.all():
            counts.dropped["no time"] += int((~there).sum())
            table, time_us = table.take(np.flatnonzero(there)), time_us[there]
    if not len(table):
        return None
    points, eyes = _points(table, columns, options)
    place = _place(options)
    details = {"unit": options.unit, "origin": options.origin, "time_unit": unit}
    if "duration" in columns:
        fixations = _fixations(table, columns, time_us, points, unit, place)
        return SourceReading(
            image=image, reader=reader or None, points_canvas=np.empty((0, 2)), time_us=None,
            place=place, screen=options.screen, fixations=fixations, details=details,
            lacks=("samples", *_lacks(columns, options)),
        )  # fmt: skip
    return SourceReading(
        image=image, reader=reader or None, points_canvas=points, time_us=time_us, place=place,
        eyes_canvas=eyes, pupils_mm=_pupils(table, columns), screen=options.screen,
        details=details, lacks=_lacks(columns, options),
    )  # fmt: skip


_NO_TIME = np.iinfo(np.int64).min


def _times(
    table: Table, columns: dict[str, str], options: ImportOptions
) -> tuple[IntArray | None, str]:
    if "time" not in columns:
        return None, ""
    name = columns["time"]
    values = table.numbers(name)
    there = np.isfinite(values)
    unit = options.time_unit or _SUFFIX_UNITS.get(name.lower().rsplit("_", 1)[-1], "")
    if not unit or unit not in TIME_UNITS_US:
        unit = "s" if "duration" in columns else guessed_unit(values[there])
    times = np.full(len(values), _NO_TIME, np.int64)
    times[there] = microseconds(values[there], unit)
    return times, unit


def _points(
    table: Table, columns: dict[str, str], options: ImportOptions
) -> tuple[FloatArray, tuple[FloatArray, FloatArray] | None]:
    """Return the point of gaze (N, 2), and both eyes where they are told apart."""
    flat = np.full((len(table), 2), np.nan)
    lost = (
        table.numbers(columns["valid"]) == 0 if "valid" in columns else np.zeros(len(table), bool)
    )

    def column_pair(prefix: str) -> FloatArray:
        if f"{prefix}x" not in columns or f"{prefix}y" not in columns:
            return flat
        pair = [table.numbers(columns[f"{prefix}{axis}"]) for axis in "xy"]
        return _on_screen(np.where(lost[:, None], np.nan, np.column_stack(pair)), options)

    points = column_pair("")
    if not _has_eyes(columns):
        return points, None
    eyes = (column_pair("left_"), column_pair("right_"))
    return (points if {"x", "y"} <= set(columns) else _middle(*eyes)), eyes


def _middle(left: FloatArray, right: FloatArray) -> FloatArray:
    only_left, only_right = np.isnan(right[:, 0]), np.isnan(left[:, 0])
    middle = (left + right) / 2
    middle[only_left], middle[only_right] = left[only_left], right[only_right]
    return middle


def _on_screen(points: FloatArray, options: ImportOptions) -> FloatArray:
    """Return points (N, 2) of a screen as its pixels from the top left; others as they are."""
    screen = options.screen
    if screen is None or options.unit.startswith("image"):
        return points
    size = np.array([screen.width_screen, screen.height_screen])
    if options.unit == "screen-fraction":
        points = points * size
    if options.origin == "centre":
        return points * (1, -1) + size / 2
    return points if options.origin == "top-left" else points * (1, -1) + (0, size[1])


def _place(options: ImportOptions) -> Place:
    screen = options.screen
    if options.unit.startswith("image"):
        return _image_place(options)
    if screen is None:
        raise GazeFileError(
            f"Gaze in {options.unit} needs the screen's size: --screen WIDTHxHEIGHT in pixels, "
            "and --shown X,Y,WIDTH,HEIGHT where the image lay on it (else: fitted, centred)."
        )
    return shown_at(*options.shown) if options.shown else fitted_screen(screen)


def _image_place(options: ImportOptions) -> Place:
    """Place the image on a canvas whose origin and unit are those of the table."""
    in_pixels = options.unit == "image-px"

    def place(width: int, height: int) -> list[Placement]:
        x, y = (1.0, 1.0) if in_pixels else (1 / width, 1 / height)
        if options.origin == "top-left":
            return [Placement(0, x, y)]
        if options.origin == "bottom-left":
            return [Placement(0, x, -y, 0.0, y * height)]
        return [Placement(0, x, -y, -x * width / 2, y * height / 2)]

    return place


def _fixations(
    table: Table,
    columns: dict[str, str],
    time_us: IntArray | None,
    points: FloatArray,
    unit: str,
    place: Place,
) -> SourceFixations:
    name = columns["duration"]
    own = _SUFFIX_UNITS.get(name.lower().rsplit("_", 1)[-1], "") or unit or "s"
    duration_us = microseconds(np.nan_to_num(table.numbers(name)), own)
    if time_us is None:
        time_us = np.concatenate(([0], np.cumsum(duration_us)[:-1]))
    return SourceFixations(time_us, duration_us, points, place)


def _pupils(table: Table, columns: dict[str, str]) -> FloatArray | None:
    names = [columns.get(f"{side}_pupil_mm") for side in ("left", "right")]
    if not any(names):
        return None
    return np.column_stack([table.numbers(name) for name in names])


def _lacks(columns: dict[str, str], options: ImportOptions) -> tuple[str, ...]:
    lacks = [] if "time" in columns else ["time"]
    lacks += [] if options.screen is not None else ["geometry"]
    lacks += [] if _has_eyes(columns) else ["eyes"]
    lacks += [] if {"left_pupil_mm", "right_pupil_mm"} & set(columns) else ["pupil"]
    return tuple(lacks)
