"""What the user says about a file that does not say it itself."""

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
        Pseudonym of the reader, if the source does not name one; never taken from file names, which
        contain people's names.
    image_height
        Height in pixels to which the recorder resized images (MicEye's "image height"); 0:
        coordinates are source pixels; None: not given.
    columns
        Which column contains what, e.g. {"x": "gaze_x"}.
    unit, origin
        Of the coordinates in a csv, and where (0, 0) is; None: inferred from the file.
    time_unit
        Of times and durations: "s", "ms", "us" or "ns"; None: inferred from the file.
    valid_when
        Which values of a validity column mean gaze, e.g. "0,1" or ">=0.5".
    missing
        Coordinates that mean missing gaze, separated by commas; "none" for no such code.
    min_confidence
        Gaze below this confidence is lost, if the file has one.
    participant
        The column that names the reader; "none": `reader` read everything.
    stream, markers
        For an XDF: the name (or number) of the gaze stream, and of the stream of markers. For an
        EyeLink file, `markers` is the word before an image's name in a message.
    skip_lines
        Lines before the header of a table; None: inferred from the lines.
    screen, screen_mm_said
        The screen on which gaze was recorded, if given; whether its size in mm was given too.
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
