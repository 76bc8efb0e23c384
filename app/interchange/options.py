"""What the user says of a file that does not say it itself."""

from dataclasses import dataclass, field
from typing import Literal

from devices.gaze.geometry import ScreenGeometry

Unit = Literal["image-px", "image-fraction", "screen-px", "screen-fraction", "screen-deg"]
UNITS: tuple[Unit, ...] = (
    "image-px", "image-fraction", "screen-px", "screen-fraction", "screen-deg"
)  # fmt: skip
Origin = Literal["top-left", "bottom-left", "centre"]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of one `import-gaze`.

    Attributes
    ----------
    reader
        Pseudonym of who read, where the source does not say; never taken from file names, which
        hold people's names.
    image_height
        Height in pixels to which the recorder resized images (MicEye's "image height"); 0 means
        coordinates are source pixels; None: not said.
    columns
        Which column holds what, e.g. {"x": "gaze_x"}.
    unit, origin
        Of the coordinates of a csv, and where (0, 0) is; None: to be told by the file.
    time_unit
        Of times and durations: "s", "ms", "us" or "ns"; None: to be told by the file.
    valid_when
        Which values of a column of validity are gaze, e.g. "0,1" or ">=0.5".
    missing
        Coordinates that stand for nothing, apart by commas; "none" for no such code.
    min_confidence
        Below which gaze is lost, where the file says a confidence.
    participant
        The column that says who read; "none": nobody is told apart, `reader` read all.
    stream, markers
        Of an XDF: the name (or its number) of the gaze stream, and of the stream of markers. Of an
        EyeLink file `markers` is the word that goes before an image's name in a message.
    skip_lines
        Lines before the header of a table; None: told by the lines.
    screen, screen_mm_said
        The screen gaze was recorded on, if said; whether its size in mm was said too.
    shown
        (x, y, width, height) of the image on that screen, in its pixels.
    """

    reader: str = "imported"
    image_height: float | None = None
    columns: dict[str, str] = field(default_factory=dict)
    unit: Unit | None = None
    origin: Origin | None = None
    time_unit: str | None = None
    valid_when: str | None = None
    missing: str | None = None
    min_confidence: float | None = None
    participant: str | None = None
    stream: str | None = None
    markers: str | None = None
    skip_lines: int | None = None
    screen: ScreenGeometry | None = None
    shown: tuple[float, float, float, float] | None = None
    screen_mm_said: bool = False
