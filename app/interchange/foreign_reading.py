"""What a foreign file says of one reading, before it is matched to an image of the study.

Frame `_canvas`: pixels of whatever the source counts in (the image itself, a resized copy of it,
the screen). `Placement`s say how the image lay on that canvas, so that what was recorded is kept
as it was and image coordinates follow from it as everywhere else.
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
    """Fixations the source found itself.

    Attributes
    ----------
    start_us, duration_us
        Shape (M,), the source's clock.
    points_canvas
        Shape (M, 2).
    place
        How the image lay on the canvas; `Placement.first` counts fixations.
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
    """Zoom the place was recorded at, where it differs from the placement's."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SourceReading:
    """One reading of one image.

    Attributes
    ----------
    image
        How the source names it.
    points_canvas
        Shape (N, 2), NaN where gaze was lost. Empty if only fixations are known.
    time_us
        Shape (N,), the source's clock, ascending; None if it stamps no time.
    eyes_canvas
        Left and right, (N, 2) each, if the source tells them apart.
    pupils_mm
        Shape (N, 2), left and right.
    place
        How the image lies on the canvas.
    screen
        The tracked screen; None if the source does not say.
    lacks
        What the source does not say: "time", "geometry", "samples", "eyes", "pupil", …
    border_clamped
        Whether gaze beside the image was moved onto its border, so that nothing on the border
        tells where gaze was.
    rows
        Rows of the file it came from; None: as many as samples, or fixations.
    details
        Whatever else is kept, ready for JSON.
    participant
        Who read as the file says it, which may be a person's name: it becomes a pseudonym before
        anything is stored. `reader` is a pseudonym already.
    own_id
        Of our own export: the id that the reading had there.
    notes
        What was inferred of this reading.
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
    """What became of the rows of one file."""

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
        A list, or read as they are asked for: counts and notes are whole when the last one came.
    counts
        What became of the rows of all of them.
    notes
        What was inferred of the file, ours to add to.
    """

    readings: Iterable[SourceReading]
    counts: RowCounts
    notes: list[Note] = field(default_factory=list)
