"""MicEye's csv, version 1 and 2 (github.com/JamesQFreeman/MicEye, YanKong0408/MicEye-v2.0).

No header, separated by semicolons, one line per image read:
``path;class;[[x, y], …];[(x1, y1, x2, y2), …];(-1, -1)``; version 2 has ``[[[x, y], scale], …]``
and boxes ``(x, y, w, h, scale)``, source pixel = value / scale.

Traps: version 1 counts in pixels of the image resized to the recorder's "image height" and moves
gaze beside the image onto its border; neither stamps times. The file's name holds the reader's
name, and paths hold folders: neither is kept.
"""

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import GazeFileError
from app.interchange.foreign_reading import (
    Place,
    Placement,
    RowCounts,
    SourceAnnotation,
    SourceFile,
    SourceReading,
    fitted_height,
    whole_image,
)
from app.interchange.matching import leaf
from app.interchange.options import ImportOptions
from app.interchange.tables import read_text
from devices.gaze.geometry import FloatArray

LACKS = ("time", "geometry", "eyes", "pupil", "loss")
NO_HEIGHT = (
    "{} is MicEye version 1: its gaze counts in pixels of the image resized to the recorder's "
    'height ("image height" in its config.json), which the file does not say. Name it with '
    "--image-height PIXELS (MicEye's own default is 800); --image-height source if images were "
    "not resized."
)


def read_miceye(path: Path, options: ImportOptions) -> SourceFile:
    """Read one csv of either version.

    Raises
    ------
    GazeFileError
        If a line is none of MicEye's, or version 1 and no image height was said.
    """
    counts, readings = RowCounts(), []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        counts.read += 1
        name, label, gaze, boxes, keypoint = _fields(path, number, line)
        if not gaze:
            counts.dropped["no gaze in the line"] += 1
            continue
        try:
            reading = _reading(path, name, gaze, options)
            marks = _annotations(label, boxes, keypoint)
        except (TypeError, ValueError, IndexError) as error:
            raise _not_miceye(path, number) from error
        readings.append(replace(reading, annotations=marks))
    return SourceFile(readings, counts)


def _fields(path: Path, number: int, line: str) -> tuple[str, str, list[Any], list[Any], Any]:
    parts = line.rsplit(";", 4)
    if len(parts) != 5:
        raise _not_miceye(path, number)
    try:
        gaze, boxes, keypoint = (ast.literal_eval(part.strip()) for part in parts[2:])
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise _not_miceye(path, number) from error
    if not isinstance(gaze, list) or not isinstance(boxes, list):
        raise _not_miceye(path, number)
    return parts[0].strip(), parts[1].strip(), gaze, boxes, keypoint


def _reading(path: Path, name: str, gaze: list[Any], options: ImportOptions) -> SourceReading:
    if isinstance(gaze[0][0], (list, tuple)):
        points = np.array([point for point, _ in gaze], np.float64).reshape(len(gaze), 2)
        scales = np.array([scale for _, scale in gaze], np.float64)
        if not (np.isfinite(scales) & (scales > 0)).all():
            raise ValueError("a zoom of 0")
        return _plain(name, points, zooms(scales), {"version": 2})
    if options.image_height is None:
        raise GazeFileError(NO_HEIGHT.format(path))
    points = np.array(gaze, np.float64).reshape(len(gaze), 2)
    if options.image_height == 0:
        return _plain(name, points, whole_image, {"version": 1})
    details = {"version": 1, "image_height": options.image_height}
    reading = _plain(name, points, fitted_height(options.image_height), details)
    return replace(reading, border_clamped=True)


def _plain(name: str, points: FloatArray, place: Place, details: dict[str, Any]) -> SourceReading:
    return SourceReading(
        image=leaf(name), points_canvas=points, time_us=None, place=place, lacks=LACKS,
        rows=1, details=details,
    )  # fmt: skip


def zooms(scales: FloatArray) -> Place:
    """Return placements that follow a zoom (N,) about the image's origin."""
    starts = np.flatnonzero(np.diff(scales, prepend=np.nan) != 0)

    def place(width: int, height: int) -> list[Placement]:
        return [
            Placement(int(i), float(scales[i]), float(scales[i]), kind="zoom" if i else "open")
            for i in starts
        ]

    return place


def _annotations(label: str, boxes: list[Any], keypoint: Any) -> tuple[SourceAnnotation, ...]:
    marks = [] if label in ("", "-1") else [SourceAnnotation("class", label)]
    for box in boxes:
        if len(box) == 5:
            x, y, width, height, scale = (float(v) for v in box)
        else:
            (x1, y1, x2, y2), scale = (float(v) for v in box), None
            x, y, width, height = min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)
        marks.append(SourceAnnotation("box", None, x, y, width, height, scale))
    if tuple(keypoint) != (-1, -1):
        x, y = (float(v) for v in keypoint)
        marks.append(SourceAnnotation("keypoint", None, x, y))
    return tuple(marks)


def _not_miceye(path: Path, number: int) -> GazeFileError:
    return GazeFileError(
        f"{path}, line {number}: not MicEye's `path;class;[[x, y], …];[boxes];(x, y)`. "
        "Is it another format?"
    )
