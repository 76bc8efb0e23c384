"""EGD-CXR (PhysioNet, egd-cxr): `eye_gaze.csv` and `fixations.csv`, many images in one file.

`DICOM_ID, SESSION_ID, Time (in secs)` (the paper: `TIME(in secs)`), `FPOGS, FPOGD` (s), `FPOGV`,
`X_ORIGINAL, Y_ORIGINAL` in source pixels, negative beside the image; a point is valid where FPOGV
is 1. A row without X_ORIGINAL is padding.
"""

from pathlib import Path
from typing import Any

import numpy as np

from app.interchange.foreign_reading import (
    IntArray,
    RowCounts,
    SourceFile,
    SourceFixations,
    SourceReading,
    whole_image,
)
from app.interchange.options import ImportOptions
from app.interchange.tables import Table, groups, microseconds, read_table
from devices.gaze.geometry import FloatArray

LACKS = ("geometry", "eyes")


def read_egd_cxr(path: Path, options: ImportOptions) -> SourceFile:
    """Read one of the two files.

    Raises
    ------
    GazeFileError
        If a column is missing or a value is no number.
    """
    table = read_table(path)
    counts = RowCounts(len(table))
    points, time_us = _points(table), _times(table)
    usable = np.isfinite(points).all(axis=1)
    _drop(counts, ~usable, "no X_ORIGINAL, Y_ORIGINAL (padding)")
    _drop(counts, usable & (time_us == _NO_TIME), "no time")
    usable &= time_us != _NO_TIME
    chosen = np.flatnonzero(usable)
    table, points, time_us = table.take(chosen), points[chosen], time_us[chosen]
    session = table.find("SESSION_ID")
    images = table.text(table.need("DICOM_ID"))
    sessions = table.text(session) if session else [""] * len(table)
    is_gaze = _is_gaze(path, time_us)
    make = _gaze if is_gaze else _fixations
    readings = [
        make(table.take(rows), image, sitting, points[rows], time_us[rows])
        for (image, sitting), rows in groups(zip(images, sessions, strict=True))
    ]
    return SourceFile(readings, counts)


_NO_TIME = np.iinfo(np.int64).min


def _is_gaze(path: Path, time_us: IntArray) -> bool:
    """Tell samples from fixations: by the file's name, else by how dense the rows are."""
    if "fixation" in path.stem.lower():
        return False
    if "gaze" in path.stem.lower() or len(time_us) < 2:
        return True
    return bool(np.median(np.diff(np.sort(time_us))) < 60_000)


def _drop(counts: RowCounts, which: Any, reason: str) -> None:
    if which.any():
        counts.dropped[reason] += int(which.sum())


def _points(table: Table) -> FloatArray:
    x, y = table.need("X_ORIGINAL"), table.need("Y_ORIGINAL")
    return np.column_stack((table.numbers(x), table.numbers(y)))


def _times(table: Table) -> IntArray:
    """Return (N,) int64 microseconds, `_NO_TIME` where none stands."""
    values = table.numbers(table.need("Time (in secs)", "TIME(in secs)", "Time"))
    times = np.full(len(values), _NO_TIME, np.int64)
    there = np.isfinite(values)
    times[there] = microseconds(values[there], "s")
    return times


def _gaze(
    table: Table, image: str, sitting: str, points: FloatArray, time_us: IntArray
) -> SourceReading:
    valid = table.find("FPOGV")
    if valid is not None:
        points = np.where((table.numbers(valid) == 0)[:, None], np.nan, points)
    return SourceReading(
        image=image,
        points_canvas=points,
        time_us=time_us,
        place=whole_image,
        pupils_mm=_pupils(table),
        lacks=LACKS if table.find("LPMM") else (*LACKS, "pupil"),
        details=_details(sitting),
    )


def _fixations(
    table: Table, image: str, sitting: str, points: FloatArray, time_us: IntArray
) -> SourceReading:
    start = table.numbers(table.need("FPOGS"))
    start_us = np.where(np.isfinite(start), microseconds(np.nan_to_num(start), "s"), time_us)
    duration_us = microseconds(np.nan_to_num(table.numbers(table.need("FPOGD"))), "s")
    return SourceReading(
        image=image,
        points_canvas=np.empty((0, 2)),
        time_us=None,
        place=whole_image,
        fixations=SourceFixations(start_us, duration_us, points, whole_image),
        lacks=("samples", *LACKS, "pupil"),
        details=_details(sitting),
    )


def _pupils(table: Table) -> FloatArray | None:
    """Return (N, 2) left and right in millimetres, where Gazepoint wrote them."""
    if table.find("LPMM") is None or table.find("RPMM") is None:
        return None
    columns = []
    for side in "LR":
        size = table.numbers(table.find(f"{side}PMM"))
        valid = table.find(f"{side}PMMV")
        columns.append(np.where(table.numbers(valid) == 0, np.nan, size) if valid else size)
    return np.column_stack(columns)


def _details(sitting: str) -> dict[str, str]:
    return {"session": sitting} if sitting else {}
