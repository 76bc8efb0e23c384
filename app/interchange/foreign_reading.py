"""What a foreign file says about one reading, before it is matched to an image of the study.

Frame `_canvas`: the pixels that the source counts in (the image itself, a resized copy of it, the
screen). `Placement`s say where the image was on that canvas, so that recordings are kept unchanged
and image coordinates are computed from them as everywhere else.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.interchange.notes import Note
from app.interchange.places import Place
from devices.gaze.geometry import FloatArray, ScreenGeometry

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SourceFixations:
    """Fixations that the source itself found.

    Attributes
    ----------
    start_us, duration_us
        Shape (M,), the source's clock.
    points_canvas
        Shape (M, 2).
    place
        Where the image was on the canvas; `Placement.first` counts fixations.
    """

    start_us: IntArray
    duration_us: IntArray
    points_canvas: FloatArray
    place: Place


@dataclass(frozen=True, slots=True)
class SourceAnnotation:
    """What the reader said: `kind` class, box, keypoint or note; places in canvas pixels."""

    kind: str
    label: str | None = None
    x_canvas: float | None = None
    y_canvas: float | None = None
    width_canvas: float | None = None
    height_canvas: float | None = None
    scale: float | None = None
    """Zoom at which the place was recorded, if it differs from the placement's."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SourceReading:
    """One reading of one image.

    Attributes
    ----------
    image
        Its name in the source.
    points_canvas
        Shape (N, 2), NaN where gaze was lost. Empty if only fixations are known.
    time_us
        Shape (N,), the source's clock, ascending; None if it stamps no time.
    eyes_canvas
        Left and right, (N, 2) each, if the source separates them.
    pupils_mm
        Shape (N, 2), left and right.
    place
        Where the image is on the canvas.
    screen
        The tracked screen; None if the source does not say.
    lacks
        What the source does not provide: "time", "geometry", "samples", "eyes", "pupil", …
    border_clamped
        Whether gaze outside the image was moved onto its border, so that the position of such gaze
        is unknown.
    rows
        Number of rows in the file it came from; None: as many as samples, or fixations.
    details
        Anything else to keep, ready for JSON.
    participant
        Reader as named in the file, possibly a person's name: replaced with a pseudonym before
        anything is stored. `reader` is already a pseudonym.
    own_id
        For our own export: the reading's original id.
    notes
        What was inferred about this reading.
    """

    image: str
    points_canvas: FloatArray
    time_us: IntArray | None
    place: Place
    reader: str | None = None
    eyes_canvas: tuple[FloatArray, FloatArray] | None = None
    pupils_mm: FloatArray | None = None
    screen: ScreenGeometry | None = None
    fixations: SourceFixations | None = None
    annotations: tuple[SourceAnnotation, ...] = ()
    lacks: tuple[str, ...] = ()
    border_clamped: bool = False
    rows: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    participant: str = ""
    own_id: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(slots=True)
class RowCounts:
    """What happened to the rows of one file."""

    read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def kept(self) -> int:
        """Rows that became gaze, fixations or annotations."""
        return self.read - self.dropped.total()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """All that one file holds.

    Attributes
    ----------
    readings
        A list, or an iterator; counts and notes are complete after its end.
    counts
        What happened to all their rows.
    notes
        What was inferred about the file; can be added to.
    """

    readings: Iterable[SourceReading]
    counts: RowCounts
    notes: list[Note] = field(default_factory=list)
