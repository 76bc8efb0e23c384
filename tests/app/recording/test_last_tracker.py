"""Which tracker a station takes unasked."""

import pytest

from app.recording.last_tracker import preferred, remember
from devices.tracker import TrackerInfo

SIMULATED = TrackerInfo("simulated", "simulated", "Simulated reader")
MOUSE = TrackerInfo("mouse", "mouse", "Mouse")
REAL = TrackerInfo("tobii:1", "tobii", "Tobii")
OTHER = TrackerInfo("lsl:a", "lsl", "A")


@pytest.fixture(autouse=True)
def own_configuration(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path))


@pytest.mark.parametrize(
    ("attached", "last", "taken"),
    [
        ((SIMULATED, MOUSE), None, ""),
        ((SIMULATED, MOUSE), SIMULATED, ""),
        ((SIMULATED, MOUSE, REAL), None, "tobii:1"),
        ((SIMULATED, REAL, OTHER), None, ""),
        ((SIMULATED, REAL, OTHER), OTHER, "lsl:a"),
        ((SIMULATED, REAL), OTHER, "tobii:1"),
    ],
)
def test_no_stand_in_is_taken_unasked(attached, last: TrackerInfo | None, taken: str) -> None:
    if last is not None:
        remember(last)
    assert preferred(attached) == taken
