"""Gaze of McGIP/GzPT's released code (github.com/zhaozh10/McGIP): JSON and mammography csv.

JSON, one file per image, which `devices.gaze.foreign` parses: made from MicEye version 1, so that
x and y count in pixels of the image resized to a height (800 there). Mammography csv, one file per
image, named like it: `system_time_in_pc, img_gaze_X, img_gaze_Y`, in pixels of the image.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import (
    IntArray,
    RowCounts,
    SourceAnnotation,
    SourceFile,
    SourceReading,
    fitted_height,
    whole_image,
)
from app.interchange.matching import leaf
from app.interchange.options import ImportOptions
from app.interchange.tables import Table, microseconds, read_table
from devices.gaze import foreign
from devices.gaze.errors import GazeFileError
from devices.gaze.foreign import ExactGaze, McgipGaze
from devices.gaze.geometry import FloatArray

CANVAS_HEIGHT = 800.0
_NO_LOSS = ("geometry", "eyes", "pupil", "loss")


def read_mcgip(path: Path, options: ImportOptions) -> SourceFile:
    """Read one JSON file, or a mammography csv where the name ends so.

    Raises
    ------
    GazeFileError
        If it is not of that format.
    """
    if path.suffix.lower() == ".csv":
        return read_mcgip_mammo(path, options)
    found = foreign.read_mcgip(path)
    if found is None:
        return SourceFile([], RowCounts(), ("it is what `similarity` wrote, not gaze",))
    counts = RowCounts(len(found.points))
    if not len(found.points):
        return SourceFile([], counts, ("no gaze in it",))
    return SourceFile([_reading(found, options)], counts)


def _reading(found: McgipGaze, options: ImportOptions) -> SourceReading:
    gt = found.facts.get("gt")
    reading = SourceReading(
        image=leaf(found.image),
        points_canvas=found.points,
        time_us=None,
        place=whole_image,
        annotations=() if gt is None else (SourceAnnotation("class", str(gt)),),
        lacks=("time", *_NO_LOSS),
        details=found.facts,
    )
    if found.exact is not None:  # our own export says more than the released layout has room for
        return _exact(reading, found.exact)
    height = CANVAS_HEIGHT if options.image_height is None else options.image_height
    place = fitted_height(height) if height else whole_image
    return replace(reading, place=place, details=found.facts | {"image_height": height})


def _exact(reading: SourceReading, own: ExactGaze) -> SourceReading:
    return replace(
        reading,
        points_canvas=own.points_image,
        time_us=own.time_us,
        reader=own.reader,
        lacks=_NO_LOSS,
    )


def read_mcgip_mammo(path: Path, options: ImportOptions) -> SourceFile:
    """Read the csv of one mammogram, named like its image.

    Raises
    ------
    GazeFileError
        If a column is missing or a value is none.
    """
    table = read_table(path)
    x, y = table.numbers(table.need("img_gaze_X")), table.numbers(table.need("img_gaze_Y"))
    counts = RowCounts(len(table))
    time_us, unit = _times(table, table.need("system_time_in_pc"), options)
    kept = np.ones(len(table), bool)
    if time_us is None:
        kept = np.isfinite(x) & np.isfinite(y)
        counts.dropped.update({"no gaze": int((~kept).sum())} if not kept.all() else {})
    if not kept.any():
        return SourceFile([], counts, ("no gaze in it",))
    reading = SourceReading(
        image=path.stem,
        points_canvas=np.column_stack((x, y))[kept],
        time_us=time_us,
        place=whole_image,
        lacks=_NO_LOSS if time_us is not None else ("time", *_NO_LOSS),
        details={"time_unit": unit},
    )
    return SourceFile([reading], counts)


def _times(table: Table, column: str, options: ImportOptions) -> tuple[IntArray | None, str]:
    """Return times in microseconds and the unit they were in; text may be clock times."""
    texts = table.text(column)
    try:
        values = np.array([float(t) for t in texts])
    except ValueError:
        return _clock_times(table, texts), "clock"
    if not np.isfinite(values).all() or not len(values):
        return None, "missing"
    unit = options.time_unit or guessed_unit(values)
    return microseconds(values, unit), unit


def guessed_unit(values: FloatArray) -> str:
    """Return the unit in which the usual step between times (N,) is that of a tracker.

    Trackers sample at 25 to 2000 Hz: 0.5 to 40 ms.
    """
    steps = np.diff(np.unique(values))
    step = float(np.median(steps)) if len(steps) else 1.0
    for unit, below in (("s", 0.2), ("ms", 200.0), ("us", 200_000.0)):
        if step < below:
            return unit
    return "ns"


def _clock_times(table: Table, texts: list[str]) -> IntArray:
    try:
        return np.array([_instant_us(text) for text in texts], np.int64)
    except ValueError as error:
        raise GazeFileError(
            f"{table.path}: `system_time_in_pc` is neither a number nor a time of day ({error})."
        ) from error


def _instant_us(text: str) -> int:
    text = text.replace("/", "-").strip()
    at = datetime.fromisoformat(text if "-" in text else f"1970-01-01T{text}")
    whole = at.replace(tzinfo=None) - datetime(1970, 1, 1)
    return (whole.days * 86_400 + whole.seconds) * 1_000_000 + whole.microseconds
