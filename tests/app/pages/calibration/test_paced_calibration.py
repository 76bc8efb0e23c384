"""The calibration page follows a tracker that goes through all targets at its own pace."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject

from app.pages.calibration import controller as controller_module
from app.pages.calibration.controller import CalibrationController
from app.recording.calibration.targets import CALIBRATION_TARGETS
from app.recording.session import ReadingSession
from devices.clock import HostClock
from devices.gazepoint import calibrator
from migrations.study.folder import Study
from tests import PATIENCE_S
from tests.app.recording.reading_doubles import GEOMETRY, make_study
from tests.devices.gazepoint.sender import opened
from tests.devices.gazepoint.stand_in import Control, gazepoint_control

TARGETS = CALIBRATION_TARGETS[5]
SPEED = 10.0
"""Of the page: its target takes 90 ms."""


@dataclass
class Paced(Control):
    """A Control that takes its time at each target, and notes what the page showed then.

    Attributes
    ----------
    shown
        By the page, last.
    looked_at
        What the page showed when a target was measured.
    """

    shown: tuple[float, float] | None = None
    looked_at: list[tuple[float, float] | None] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def _set(self, id_: str, attributes: dict[str, str]) -> dict[str, str]:
        if (id_, attributes.get("STATE")) == ("CALIBRATE_START", "0"):
            self.stopped.set()
        return super()._set(id_, attributes)

    def _calibrate(self) -> None:
        stopped = self.stopped = threading.Event()
        threading.Thread(target=self._pace, args=(stopped,), daemon=True).start()

    def _pace(self, stopped: threading.Event) -> None:
        delay_s, measure_s = (
            float(self.state[f"CALIBRATE_{name}"]) for name in ("DELAY", "TIMEOUT")
        )
        result = ""
        for k, (x, y) in enumerate(self.points, 1):
            place = f'PT="{k}" CALX="{x:.5f}" CALY="{y:.5f}"'
            self.send_line(f'<CAL ID="CALIB_START_PT" {place} />')
            if stopped.wait(delay_s):
                return
            self.looked_at.append(self.shown)
            if stopped.wait(measure_s):
                return
            self.send_line(f'<CAL ID="CALIB_RESULT_PT" {place} />')
            result += f' CALX{k}="{x:.5f}" CALY{k}="{y:.5f}" LV{k}="1" RV{k}="1"'
        self.send_line(f'<CAL ID="CALIB_RESULT"{result} />')


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paced]:
    monkeypatch.setattr(calibrator, "DELAY_S", 0.6)
    monkeypatch.setattr(calibrator, "MEASURE_S", 0.05)
    monkeypatch.setattr(controller_module, "case_grey", lambda *_: 30)
    with gazepoint_control(Paced()) as (control, port):
        assert isinstance(control, Paced)
        monkeypatch.setenv("FOVEATE_GAZEPOINT", f"127.0.0.1:{port}")
        yield control


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path / "study", cases=1)
    yield study
    study.close()


@pytest.fixture
def session(control: Paced, study: Study) -> Iterator[ReadingSession]:
    session = ReadingSession.open(study, "R1", opened(), HostClock(SPEED), GEOMETRY, consented=True)
    yield session
    session.close()


@pytest.fixture
def job(control: Paced, session: ReadingSession, qtbot) -> Iterator[CalibrationController]:
    parent = QObject()
    job = CalibrationController(SimpleNamespace(parent=parent))  # type: ignore[arg-type]
    qtbot.addWidget(job.page)
    job.page.show()
    job.page.target_shown.connect(lambda x, y: setattr(control, "shown", (x, y)))
    yield job
    job.cancel("The test is over.")
    job.deleteLater()


def begin(job: CalibrationController, session: ReadingSession, qtbot) -> None:
    """Sit down at once."""
    job.start(session, GEOMETRY)
    qtbot.waitUntil(lambda: job.page.state == "positioning")
    job.page.guide.begin_wanted.emit()


def test_each_target_is_shown_while_it_is_measured(
    control: Paced, session: ReadingSession, job: CalibrationController, qtbot
) -> None:
    def elsewhere(x: float, y: float) -> bool:
        return (x, y) not in TARGETS

    with qtbot.waitSignal(job.page.target_shown, check_params_cb=elsewhere):
        begin(job, session, qtbot)
    assert job.page.state == "validating"
    assert control.looked_at == list(TARGETS)


def test_one_that_was_given_up_can_be_begun_anew_at_once(
    control: Paced, session: ReadingSession, job: CalibrationController, qtbot
) -> None:
    begin(job, session, qtbot)
    qtbot.waitUntil(lambda: len(control.looked_at) == 2)
    job.cancel("Given up.")
    assert control.stopped.wait(PATIENCE_S)
    control.looked_at.clear()
    begin(job, session, qtbot)
    qtbot.waitUntil(lambda: job.page.state == "validating")
    assert control.looked_at == list(TARGETS)
