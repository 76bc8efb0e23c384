"""REFLACX (PhysioNet, reflacx-xray-localization): `gaze.csv` and `fixations.csv` of one reading.

As published, `main_data/ID/fixations.csv` and `gaze_data/ID/gaze.csv`: each in a folder named by
the reading's id. Times are seconds from the start of the audio, positions are source-image pixels.
Every row contains the part of the image that was shown, and where it was on the screen; the window
is given as shares of the image's range. `main_data/metadata_phase_*.csv` (also in any folder above)
names the image of each id, and the reader if it has such a column, which the published one does
not.
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from app.interchange.foreign_reading import (
    RowCounts,
    SourceFile,
    SourceFixations,
    SourceReading,
)
from app.interchange.notes import note
from app.interchange.options import ImportOptions
from app.interchange.places import Place, Placement, listed, whole_image
from app.interchange.tables import Table, microseconds, read_table
from devices.gaze.geometry import FloatArray

LACKS = ("eyes", "pupil", "screen")
_METADATA = "metadata_phase_*.csv"
_AXES = ("xmin", "ymin", "xmax", "ymax")


def read_reflacx(path: Path, options: ImportOptions) -> SourceFile:
    """Read one `gaze.csv` (has `timestamp_sample`) or `fixations.csv`.

    Raises
    ------
    GazeFileError
        If a column is missing or a value is not a number.
    """
    table = read_table(path)
    is_gaze = table.find("timestamp_sample") is not None
    time = table.need("timestamp_sample" if is_gaze else "timestamp_start_fixation")
    table, counts = _timed(table, time)
    if not len(table):
        return SourceFile([], counts, [note("no-readings")])
    image, reader = _named(path)
    points = np.column_stack(
        (table.numbers(table.need("x_position")), table.numbers(table.need("y_position")))
    )
    shown = _shown(table)
    canvas, place = _to_canvas(points, shown), _placed(shown)
    start_us = microseconds(table.numbers(time), "s")
    fixations = None
    if not is_gaze:
        end_us = microseconds(table.numbers(table.need("timestamp_end_fixation")), "s")
        fixations = SourceFixations(start_us, end_us - start_us, canvas, place)
    reading = SourceReading(
        image=image,
        reader=reader,
        points_canvas=canvas if is_gaze else np.empty((0, 2)),
        time_us=start_us if is_gaze else None,
        place=place,
        fixations=fixations,
        lacks=LACKS if is_gaze else ("samples", *LACKS),
        details=_details(table, path, start_us),
    )
    return SourceFile([reading], counts)


def _timed(table: Table, time: str) -> tuple[Table, RowCounts]:
    counts = RowCounts(len(table))
    has_time = np.isfinite(table.numbers(time))
    if not has_time.all():
        counts.dropped["no time"] = int((~has_time).sum())
        table = table.take(np.flatnonzero(has_time))
    return table, counts


def _shown(table: Table) -> FloatArray | None:
    """Return (N, 8): the shown part of the image and its place on the screen; None if not given."""
    names = [f"{axis}_shown_from_image" for axis in _AXES]
    names += [f"{axis}_in_screen_coordinates" for axis in _AXES]
    if any(table.find(name) is None for name in names):
        return None
    shown = np.column_stack([table.numbers(table.need(name)) for name in names])
    image, screen = shown[:, 2:4] - shown[:, 0:2], shown[:, 6:8] - shown[:, 4:6]
    usable = (image > 0).all(axis=1) & (screen > 0).all(axis=1)
    if not usable.any():
        return None
    return _filled(shown, usable)


def _filled(values: FloatArray, usable: Any) -> FloatArray:
    """Return (N, K) with unusable rows replaced by the usable one before them, else the first."""
    last = np.maximum.accumulate(np.where(usable, np.arange(len(values)), -1))
    return values[np.where(last < 0, int(np.argmax(usable)), last)]


def _to_canvas(points_image: FloatArray, shown: FloatArray | None) -> FloatArray:
    if shown is None:
        return points_image
    scale = (shown[:, 6:8] - shown[:, 4:6]) / (shown[:, 2:4] - shown[:, 0:2])
    return (points_image - shown[:, 0:2]) * scale + shown[:, 4:6]


def _placed(shown: FloatArray | None) -> Place:
    if shown is None:
        return whole_image
    new = np.r_[True, (np.diff(shown, axis=0) != 0).any(axis=1)]
    return listed([_placement(int(i), shown[i]) for i in np.flatnonzero(new)])


def _placement(first: int, shown: FloatArray) -> Placement:
    left, top, right, bottom, x, y, x_end, y_end = (float(v) for v in shown)
    scale_x, scale_y = (x_end - x) / (right - left), (y_end - y) / (bottom - top)
    rect = (x, y, x_end - x, y_end - y)
    kind = "zoom" if first else "open"
    return Placement(first, scale_x, scale_y, x - left * scale_x, y - top * scale_y, rect, kind)


def _details(table: Table, path: Path, start_us: Any) -> dict[str, Any]:
    """Return what has no column of ours: angular resolution, windows, pupil without a unit."""
    details: dict[str, Any] = {"id": path.parent.name, "time_base": "start of the audio"}
    for axis in "xy":
        name = table.find(f"angular_resolution_{axis}_pixels_per_degree")
        values = table.numbers(name) if name else np.empty(0)
        if np.isfinite(values).any():
            details[f"pixels_per_degree_{axis}"] = float(np.nanmedian(values))
    level, width = table.find("window_level"), table.find("window_width")
    if level and width:
        windows = np.column_stack((table.numbers(level), table.numbers(width)))
        new = np.r_[True, (np.diff(windows, axis=0) != 0).any(axis=1)]
        new &= np.isfinite(windows).all(axis=1)
        details["windows_us_level_width"] = [
            [int(start_us[i]), *map(float, windows[i])] for i in np.flatnonzero(new)
        ]
    return details


def _named(path: Path) -> tuple[str, str | None]:
    """Return the image and the reader of a reading's folder, from the metadata if it exists."""
    own = path.parent.name or path.stem
    for folder in path.parents[:4]:
        beside = folder / "main_data"
        for table in sorted((*folder.glob(_METADATA), *beside.glob(_METADATA))):
            with table.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    if row.get("id") == own:
                        image = row.get("dicom_id") or Path(row.get("image") or own).stem
                        return image, row.get("reader")
    return own, None
