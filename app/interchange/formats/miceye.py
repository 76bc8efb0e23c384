"""MicEye's csv, version 1 and 2, as readings of the station; `devices.gaze.foreign` parses it.

Pitfalls: version 1 counts in pixels of the image resized to the recorder's "image height" and moves
gaze outside the image onto its border; neither version has times. The file's name contains the
reader's name, and paths contain folders: neither is kept.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.interchange.foreign_reading import (
    RowCounts,
    SourceAnnotation,
    SourceFile,
    SourceReading,
)
from app.interchange.matching import leaf
from app.interchange.options import ImportOptions
from app.interchange.places import Place, Placement, fitted_height, listed, whole_image
from devices.gaze import foreign
from devices.gaze.errors import GazeFileError
from devices.gaze.foreign import MicEyeLine
from devices.gaze.geometry import FloatArray

LACKS = ("time", "geometry", "eyes", "pupil", "loss")
NO_HEIGHT = (
    "{} is MicEye version 1: its gaze counts in pixels of the image resized to the recorder's "
    'height ("image height" in its config.json), which the file does not contain. Give it '
    "with --image-height PIXELS (MicEye's own default is 800); --image-height source if images "
    "were not resized."
)


def read_miceye(path: Path, options: ImportOptions) -> SourceFile:
    """Read one csv of either version.

    Raises
    ------
    GazeFileError
        If a line is not one of MicEye's, or version 1 and no image height was given.
    """
    counts, readings = RowCounts(), []
    for line in foreign.read_miceye(path):
        counts.read += 1
        if len(line.points):
            readings.append(_reading(path, line, options))
        else:
            counts.dropped["no gaze in the line"] += 1
    return SourceFile(readings, counts)


def _reading(path: Path, line: MicEyeLine, options: ImportOptions) -> SourceReading:
    if line.scales is not None:
        return _plain(line, zooms(line.scales), {"version": 2})
    if options.image_height is None:
        raise GazeFileError(NO_HEIGHT.format(path))
    if options.image_height == 0:
        return _plain(line, whole_image, {"version": 1})
    details = {"version": 1, "image_height": options.image_height}
    return replace(_plain(line, fitted_height(options.image_height), details), border_clamped=True)


def _plain(line: MicEyeLine, place: Place, details: dict[str, Any]) -> SourceReading:
    return SourceReading(
        image=leaf(line.image), points_canvas=line.points, time_us=None, place=place, lacks=LACKS,
        annotations=_annotations(line), rows=1, details=details,
    )  # fmt: skip


def zooms(scales: FloatArray) -> Place:
    """Return placements that follow a zoom (N,) about the image's origin."""
    starts = np.flatnonzero(np.diff(scales, prepend=np.nan) != 0)

    return listed(
        [
            Placement(int(i), float(scales[i]), float(scales[i]), kind="zoom" if i else "open")
            for i in starts
        ]
    )


def _annotations(line: MicEyeLine) -> tuple[SourceAnnotation, ...]:
    marks = [] if line.label is None else [SourceAnnotation("class", line.label)]
    for box in line.boxes:
        if len(box) == 5:
            x, y, width, height, scale = box
            marks.append(SourceAnnotation("box", None, x, y, width, height, scale))
        else:
            x1, y1, x2, y2 = box
            size = abs(x2 - x1), abs(y2 - y1)
            marks.append(SourceAnnotation("box", None, min(x1, x2), min(y1, y2), *size))
    if line.keypoint is not None:
        marks.append(SourceAnnotation("keypoint", None, *line.keypoint))
    return tuple(marks)
