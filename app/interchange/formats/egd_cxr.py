"""EGD-CXR (PhysioNet, egd-cxr): `eye_gaze.csv` and `fixations.csv`, many images in one file.

`DICOM_ID, SESSION_ID, Time (in secs)` (in the paper: `TIME(in secs)`), `FPOGS, FPOGD` (s), `FPOGV`,
`X_ORIGINAL, Y_ORIGINAL` in source pixels, negative outside the image; a point is valid where FPOGV
is 1. A row without X_ORIGINAL is padding.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app.interchange.foreign_reading import (
    IntArray,
    RowCounts,
    SourceFile,
    SourceFixations,
    SourceReading,
)
from app.interchange.options import ImportOptions
from app.interchange.places import whole_image
from app.interchange.rows import RowSource
from app.interchange.sheets import open_rows
from app.interchange.surveys import Survey, steps, streamed, survey
from app.interchange.tables import Table, find_column, need_column
from app.interchange.times import NO_TIME, times_us
from devices.gaze.geometry import FloatArray

LACKS = ("geometry", "eyes")
_TIME = ("Time (in secs)", "TIME(in secs)", "Time")
_SLOWEST_SAMPLES_S = 0.06


def read_egd_cxr(path: Path, options: ImportOptions) -> SourceFile:
    """Read one of the two files.

    Raises
    ------
    GazeFileError
        If a column is missing or a value is not a number.
    """
    source = open_rows(path, None, options.skip_lines)
    for wanted in (("X_ORIGINAL",), ("Y_ORIGINAL",), _TIME):
        need_column(path, source.names, *wanted)
    keys = [
        need_column(path, source.names, "DICOM_ID"),
        find_column(source.names, "SESSION_ID"),
    ]
    found = survey(source, keys)
    counts = RowCounts(found.rows)
    return SourceFile(_readings(source, found, keys, counts), counts)


def _readings(
    source: RowSource, found: Survey, keys: list[str | None], counts: RowCounts
) -> Iterator[SourceReading]:
    make = _gaze if _is_gaze(source.path, found) else _fixations
    for (image, sitting), table in streamed(source, found, keys):
        points, time_us = _points(table), _times(table)
        usable = np.isfinite(points).all(axis=1)
        _drop(counts, ~usable, "no X_ORIGINAL, Y_ORIGINAL (padding)")
        _drop(counts, usable & (time_us == NO_TIME), "no time")
        chosen = np.flatnonzero(usable & (time_us != NO_TIME))
        if len(chosen):
            yield make(table.take(chosen), image, sitting, points[chosen], time_us[chosen])


def _is_gaze(path: Path, found: Survey) -> bool:
    """Distinguish samples from fixations: by the file's name, else by how dense the rows are."""
    if "fixation" in path.stem.lower():
        return False
    assert found.sample is not None
    apart = steps(found.sample, found.pieces, found.sample.need(*_TIME))
    if "gaze" in path.stem.lower() or not len(apart):
        return True
    return bool(np.median(apart) < _SLOWEST_SAMPLES_S)


def _drop(counts: RowCounts, which: Any, reason: str) -> None:
    if which.any():
        counts.dropped[reason] += int(which.sum())


def _points(table: Table) -> FloatArray:
    x, y = table.need("X_ORIGINAL"), table.need("Y_ORIGINAL")
    return np.column_stack((table.numbers(x), table.numbers(y)))


def _times(table: Table) -> IntArray:
    """Return (N,) int64 microseconds, `NO_TIME` where there is none."""
    return times_us(table.numbers(table.need(*_TIME)), "s")


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
    start_us = times_us(table.numbers(table.need("FPOGS")), "s")
    start_us = np.where(start_us == NO_TIME, time_us, start_us)
    duration_us = times_us(np.nan_to_num(table.numbers(table.need("FPOGD"))), "s")
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
    """Return (N, 2) left and right in millimetres, if Gazepoint wrote them."""
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
