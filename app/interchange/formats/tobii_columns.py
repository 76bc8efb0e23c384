"""The columns of Tobii's exports, by the names used in Studio and Pro Lab over the years.

Units are in brackets, in parentheses or missing (``Gaze point X [DACS px]``, ``GazePointX
(ADCSpx)``, ``Gaze point X``); names are compared without them. DACS and ADCS refer to the display
(pixels, or mm), MCS to the media shown (its own pixels, or shares of it).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.interchange.tables import find_column, need_column
from devices.gaze.errors import GazeFileError

FRAMES = {
    "screen": ("", "px", "dacspx", "adcspx", "rcspx"),
    "media": ("mcspx",),
    "media-share": ("mcsnorm",),
    "mm": ("dacsmm", "adcsmm"),
}
"""Frame of coordinates → the end of its columns' names."""
Pair = tuple[str, str]
_STUDIO = ("studioversionrec", "mediaposxadcspx", "gazepointxadcspx", "gazepointleftxadcspx")
_ONES = {
    "media": ("Presented Media name", "Presented Stimulus name", "MediaName", "Media name"),
    "participant": ("Participant name", "ParticipantName", "Participant"),
    "recording": ("Recording name", "RecordingName"),
    "sensor": ("Sensor",),
    "event": ("Event", "StudioEvent"),
    "left_valid": ("Validity left", "ValidityLeft"),
    "right_valid": ("Validity right", "ValidityRight"),
    "left_pupil": ("Pupil diameter left [mm]", "Pupil diameter left", "PupilLeft"),
    "right_pupil": ("Pupil diameter right [mm]", "Pupil diameter right", "PupilRight"),
    "kind": ("Eye movement type", "GazeEventType"),
    "index": ("Eye movement type index", "FixationIndex"),
    "duration": ("Gaze event duration [ms]", "Gaze event duration", "GazeEventDuration"),
    "width": ("Presented Media width [px]", "Presented Media width", "MediaWidth", "MediaWidthpx"),
    "height": (
        "Presented Media height [px]", "Presented Media height", "MediaHeight", "MediaHeightpx",
    ),
    "screen_width": ("Recording resolution width [px]", "Recording resolution width"),
    "screen_height": ("Recording resolution height [px]", "Recording resolution height"),
    "resolution": ("RecordingResolution", "Recording resolution"),
}  # fmt: skip
_TIMES = (
    "Recording timestamp*", "RecordingTimestamp*", "Eyetracker timestamp*", "EyeTrackerTimestamp*",
    "Timestamp*",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TobiiColumns:
    """What was found in one header.

    Attributes
    ----------
    one
        Role → column, for those that exist.
    points
        (what, side, frame) → the columns of x and y; `what` is gaze or fixation.
    studio
        Whether it is from Studio, whose validity code 0 is the best.
    """

    names: tuple[str, ...]
    one: dict[str, str]
    points: dict[tuple[str, str, str], Pair]
    position: Pair | None
    time: str
    studio: bool

    @property
    def frames(self) -> list[str]:
        """Frames in which gaze is given, best first."""
        return [f for f in FRAMES if any(k[0] == "gaze" and k[2] == f for k in self.points)]


def tobii_columns(path: Path, names: tuple[str, ...]) -> TobiiColumns:
    """Find the columns of an export.

    Raises
    ------
    GazeFileError
        If there are no columns for media, time or gaze.
    """
    one = {role: name for role, known in _ONES.items() if (name := find_column(names, *known))}
    if "media" not in one:
        need_column(path, names, *_ONES["media"])
    time = find_column(names, *_TIMES) or need_column(path, names, "Recording timestamp")
    points = dict(_points(names))
    if not any(what == "gaze" for what, _, _ in points):
        raise GazeFileError(
            f"{path} has no column `Gaze point X` or `Gaze point left X`; its columns are "
            f"{', '.join(names)}. Export the gaze as well."
        )
    position = _pair(names, "Presented Media position ", "") or _pair(names, "MediaPos", "")
    studio = any(find_column(names, name) for name in _STUDIO)
    return TobiiColumns(names, one, points, position, time, studio)


def _points(names: tuple[str, ...]) -> Iterator[tuple[tuple[str, str, str], Pair]]:
    for frame in FRAMES:
        for side in ("", "left", "right"):
            found = _pair(names, f"Gaze point {side}", "", frame) or (
                _pair(names, "Gaze point", side, frame) if side else None
            )
            if found:
                yield ("gaze", side, frame), found
        fixation = _pair(names, "Fixation point", "", frame)
        if fixation:
            yield ("fixation", "", frame), fixation


def _pair(names: tuple[str, ...], before: str, after: str, frame: str = "screen") -> Pair | None:
    x, y = (
        find_column(names, *(f"{before}{axis}{after}{unit}" for unit in FRAMES[frame]))
        for axis in "XY"
    )
    return (x, y) if x and y else None
