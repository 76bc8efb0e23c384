"""A format of gaze for `python main.py import-gaze plainlab`: lines of image,time_ms,x,y.

Coordinates count pixels of the image; an empty x or y is lost gaze. Each run of one image is a
reading of it.
"""

import csv
from itertools import groupby
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import RowCounts, SourceFile, SourceReading
from app.interchange.formats.registry import Format
from app.interchange.options import ImportOptions
from app.interchange.places import whole_image
from devices.gaze.errors import GazeFileError

COLUMNS = ["image", "time_ms", "x", "y"]


def read_plainlab(path: Path, options: ImportOptions) -> SourceFile:
    """Read one file.

    Raises
    ------
    GazeFileError
        If its columns are others, or a cell is not a number.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or list(rows[0]) != COLUMNS:
        raise GazeFileError(f"{path} does not have the columns {', '.join(COLUMNS)}.")
    try:
        readings = [_reading(name, list(own)) for name, own in groupby(rows, lambda r: r["image"])]
    except ValueError as error:
        raise GazeFileError(f"{path} holds a cell that is not a number.") from error
    return SourceFile(readings, RowCounts(len(rows)))


def _reading(image: str, rows: list[dict[str, str]]) -> SourceReading:
    points = np.array([[float(row[axis] or "nan") for axis in "xy"] for row in rows])
    return SourceReading(
        image=image,
        points_canvas=points,
        time_us=np.array([round(float(row["time_ms"]) * 1000) for row in rows], np.int64),
        place=whole_image,
        lacks=("geometry", "eyes", "pupil"),
    )


PLAINLAB = Format(read_plainlab, ("csv",), "PlainLab's csv: image, time_ms, x, y")
