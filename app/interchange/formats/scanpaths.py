"""Scan paths as JSON lists: GazeSearch (chest radiographs) and CT-ScanGaze (volumes).

Each entry is one scan path: `name`, `subject`, `X`, `Y`, `T` (duration of each fixation); in
CT-ScanGaze also `Z` (the slice). `task`, `condition` and `split` are kept. Fixations follow each
other directly, since the files do not give the time between them.
"""

import json
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
from app.interchange.notes import Note, note
from app.interchange.options import ImportOptions
from app.interchange.places import Place, stretched, whole_image
from app.interchange.times import duration_unit, times_us
from devices.gaze.errors import GazeFileError
from devices.gaze.foreign_values import plain_number, read_text

MOST_BYTES = 256 << 20
GRID = 224
_KEPT = ("task", "condition", "split")


def read_gazesearch(path: Path, options: ImportOptions) -> SourceFile:
    """Read GazeSearch's JSON: X and Y refer to a grid laid over the image, T is in seconds.

    Raises
    ------
    GazeFileError
        If it does not have that layout, or is too large to be read at once.
    """
    grid = options.image_height or GRID
    said = note("grid", width=f"{grid:g}", height=f"{grid:g}")
    return _read(path, options, stretched(grid, grid), [said], with_slices=False)


def read_ct_scangaze(path: Path, options: ImportOptions) -> SourceFile:
    """Read CT-ScanGaze's JSON: X and Y in pixels of a slice, Z its number from 0.

    Raises
    ------
    GazeFileError
        If it does not have that layout, or is too large to be read at once.
    """
    return _read(path, options, whole_image, [], with_slices=True)


def _read(
    path: Path, options: ImportOptions, place: Place, notes: list[Note], *, with_slices: bool
) -> SourceFile:
    entries = _entries(path)
    needed = ("name", "X", "Y", "T", *(("Z",) if with_slices else ()))
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or any(key not in entry for key in needed):
            raise GazeFileError(f"{path}, entry {number}: it needs {', '.join(needed)}.")
    lasting = np.concatenate([_numbers(path, e, "T") for e in entries] or [np.empty(0)])
    unit, said = duration_unit(path, "T", lasting, options.time_unit)
    readings = [_reading(path, entry, place, unit, with_slices) for entry in entries]
    counts = RowCounts(sum(len(r.fixations.start_us) for r in readings if r.fixations))
    return SourceFile(readings, counts, [*notes, *said])


def _entries(path: Path) -> list[Any]:
    if path.stat().st_size > MOST_BYTES:
        raise GazeFileError(
            f"{path} is larger than {MOST_BYTES >> 20} MB: JSON must be read at once. Split the "
            "file."
        )
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise GazeFileError(f"{path} cannot be read as JSON ({type(error).__name__}).") from error
    if not isinstance(found, list):
        raise GazeFileError(f"{path} is not a list of scan paths.")
    return found


def _numbers(path: Path, entry: dict[str, Any], key: str) -> Any:
    try:
        values = np.array([plain_number(value) for value in entry[key]], np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise GazeFileError(f"{path}: {key} of a scan path must be numbers.") from error
    if values.ndim != 1 or len(values) != len(entry["X"]):
        raise GazeFileError(f"{path}: X, Y and {key} of a scan path must have the same length.")
    return values


def _reading(
    path: Path, entry: dict[str, Any], place: Place, unit: str, with_slices: bool
) -> SourceReading:
    points = np.column_stack([_numbers(path, entry, axis) for axis in "XY"])
    lasted = _numbers(path, entry, "T")
    if not np.isfinite(lasted).all():
        raise GazeFileError(f"{path}: T of a scan path must be numbers.")
    duration_us = times_us(lasted, unit)
    start_us: IntArray = (np.cumsum(duration_us) - duration_us).astype(np.int64)
    if with_slices and len(points):
        depth = _numbers(path, entry, "Z")
        if not (depth == np.rint(depth)).all():
            raise GazeFileError(f"{path}: Z of a scan path must be whole numbers: the slices.")
        slices = depth.astype(np.int64)
        firsts = np.flatnonzero(np.r_[True, np.diff(slices) != 0])
        frames = tuple((int(i), int(slices[i])) for i in firsts)
        place = Place(place.rule, place.values, place.listed, frames)
    details = {key: str(entry[key])[:100] for key in _KEPT if entry.get(key) is not None}
    return SourceReading(
        image=str(entry["name"]),
        participant=f"subject {entry['subject']}" if "subject" in entry else "",
        points_canvas=np.empty((0, 2)),
        time_us=None,
        place=place,
        fixations=SourceFixations(start_us, duration_us, points, place),
        lacks=("samples", "time", "geometry", "eyes", "pupil"),
        details=details,
    )
