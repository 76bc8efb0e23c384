"""Small tables of gaze as Tobii's and others' software write them."""

from collections.abc import Sequence
from pathlib import Path

from tests.app.interchange.gaze_files import lines

PRO_LAB = (
    "Recording timestamp [μs]", "Sensor", "Participant name", "Recording name",
    "Recording resolution height [px]", "Recording resolution width [px]", "Event",
    "Gaze point X [DACS px]", "Gaze point Y [DACS px]", "Presented Media name",
    "Presented Media width [px]", "Presented Media height [px]",
    "Presented Media position X [DACS px]", "Presented Media position Y [DACS px]",
)  # fmt: skip
STUDIO = (
    "ParticipantName", "RecordingName", "MediaName", "MediaPosX (ADCSpx)", "MediaPosY (ADCSpx)",
    "MediaWidth", "MediaHeight", "RecordingTimestamp", "GazePointLeftX (ADCSpx)",
    "GazePointLeftY (ADCSpx)", "GazePointRightX (ADCSpx)", "GazePointRightY (ADCSpx)",
    "ValidityLeft", "ValidityRight",
)  # fmt: skip


def pro_lab_row(
    time_us: int, x: float, y: float, *, person: str = "P01", media: str = "P1.png",
    sensor: str = "Eye Tracker", event: str = "",
) -> tuple[object, ...]:  # fmt: skip
    gaze = (x, y) if sensor == "Eye Tracker" else ("", "")
    return (time_us, sensor, person, "Rec", 1080, 1920, event, *gaze, media, 120, 200, 460, 140)


def studio_row(time_ms: int, x: float, y: float, left: int, right: int) -> tuple[object, ...]:
    return ("P01", "Rec 01", "P1.png", 460, 140, 120, 200, time_ms, x, y, x, y, left, right)


def tsv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    return lines(path, *("\t".join(map(str, row)) for row in (header, *rows)))


def csv_samples(path: Path, header: str, rows: Sequence[str]) -> Path:
    """Write rows after `P1.png,TIME`, 120 samples a second."""
    return lines(path, header, *(f"P1.png,{round(k * 8333.3)},{row}" for k, row in enumerate(rows)))
