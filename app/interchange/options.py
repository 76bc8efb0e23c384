"""What the user says of a file that does not say it itself."""

from dataclasses import dataclass, field
from typing import Literal

from devices.gaze.geometry import ScreenGeometry

Unit = Literal["image-px", "image-fraction", "screen-px", "screen-fraction"]
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
        Of the coordinates of a csv: where (0, 0) is.
    time_unit
        Of a csv's times: "s", "ms", "us" or "ns".
    screen
        The screen gaze was recorded on, if said.
    shown
        (x, y, width, height) of the image on that screen, in its pixels.
    """

    reader: str = "imported"
    image_height: float | None = None
    columns: dict[str, str] = field(default_factory=dict)
    unit: Unit = "image-px"
    origin: Origin = "top-left"
    time_unit: str | None = None
    screen: ScreenGeometry | None = None
    shown: tuple[float, float, float, float] | None = None
