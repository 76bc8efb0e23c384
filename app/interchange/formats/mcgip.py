"""Gaze of McGIP/GzPT's released code (github.com/zhaozh10/McGIP): JSON and mammography csv.

JSON, one file per image, parsed by `devices.gaze.foreign`: made from MicEye version 1, so that x
and y count in pixels of the image resized to a height (800 there). Mammography csv, one file per
image and named like it: `system_time_in_pc, img_gaze_X, img_gaze_Y`, in pixels of the image.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import (
    IntArray,
    RowCounts,
    SourceAnnotation,
    SourceFile,
    SourceReading,
)
from app.interchange.matching import leaf
from app.interchange.notes import note
from app.interchange.number_text import plain_float
from app.interchange.options import ImportOptions
from app.interchange.places import fitted_height, whole_image
from app.interchange.tables import Table, microseconds, read_table
from app.interchange.times import clock_times, guessed_unit
from devices.gaze import foreign
from devices.gaze.foreign import ExactGaze, McgipGaze

CANVAS_HEIGHT = 800.0
_NO_LOSS = ("geometry", "eyes", "pupil", "loss")


def read_mcgip(path: Path, options: ImportOptions) -> SourceFile:
    """Read one JSON file, or a mammography csv if the name ends that way.

    Raises
    ------
    GazeFileError
        If it does not have that format.
    """
    if path.suffix.lower() == ".csv":
        return read_mcgip_mammo(path, options)
    found = foreign.read_mcgip(path)
    if found is None:
        return SourceFile([], RowCounts(), [note("not-gaze")])
    counts = RowCounts(len(found.points))
    if not len(found.points):
        return SourceFile([], counts, [note("no-gaze")])
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
    if (
        found.exact is not None
    ):  # our own export contains more than the released layout has space for
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
        own_id=own.reading_id,
        lacks=_NO_LOSS,
    )


def read_mcgip_mammo(path: Path, options: ImportOptions) -> SourceFile:
    """Read the csv of one mammogram, named like its image.

    Raises
    ------
    GazeFileError
        If a column is missing or a value is invalid.
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
        return SourceFile([], counts, [note("no-gaze")])
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
    """Return times in microseconds and their original unit; text may be clock times."""
    texts = table.text(column)
    try:
        values = np.array([plain_float(t) for t in texts])
    except ValueError:
        return clock_times(table.path, column, texts), "clock"
    if not np.isfinite(values).all() or not len(values):
        return None, "missing"
    unit = options.time_unit or guessed_unit(values)
    return microseconds(values, unit), unit
