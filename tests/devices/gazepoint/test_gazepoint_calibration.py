"""Calibration through the Open Gaze API: Control's pace, our targets, its result."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.recording.calibration.targets import CALIBRATION_TARGETS
from devices.clock import HostClock
from devices.errors import CalibrationError
from devices.gazepoint import GazepointTracker
from devices.gazepoint import calibrator as calibrator_module
from devices.tracker import CalibrationOutcome, PlansTargets, PointResult
from tests.devices.gazepoint.sender import opened, wait_for
from tests.devices.gazepoint.stand_in import Control, gazepoint_control

TARGETS = CALIBRATION_TARGETS[5]


@dataclass
class Stubborn(Control):
    """A Control that says what a test wants instead of calibrating."""

    lines: tuple[str, ...] = ()
    is_cut: bool = False

    def _calibrate(self) -> None:
        for line in self.lines:
            self.send_line(line)
        if self.is_cut:
            self.cut()


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
def stubborn() -> Stubborn:
    return Stubborn()


@pytest.fixture
def tracker(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GazepointTracker]:
    kind = "stubborn" if "stubborn" in request.fixturenames else "control"
    with gazepoint_control(request.getfixturevalue(kind)) as (_, port):
        monkeypatch.setenv("FOVEATE_GAZEPOINT", f"127.0.0.1:{port}")
        tracker = opened()
        tracker.connect(HostClock())
        yield tracker
        tracker.disconnect()


def calibrate(tracker: GazepointTracker) -> CalibrationOutcome:
    calibrator = tracker.calibrator()
    calibrator.plan(TARGETS)
    calibrator.enter()
    for target in TARGETS:
        calibrator.collect(*target)
    outcome = calibrator.compute()
    calibrator.leave()
    return outcome


def test_control_goes_through_our_targets_and_draws_none(
    control: Control, tracker: GazepointTracker
) -> None:
    outcome = calibrate(tracker)
    assert outcome.status == "success"
    assert outcome.points == tuple(PointResult(*at, True, True) for at in TARGETS)
    assert control.points == list(TARGETS)
    asked = [(id_, values.get("STATE")) for verb, id_, values in control.commands if verb == "SET"]
    assert ("CALIBRATE_SHOW", "0") in asked
    assert asked.index(("CALIBRATE_CLEAR", None)) < asked.index(("CALIBRATE_ADDPOINT", None))
    delays = {id_: values["VALUE"] for _, id_, values in control.commands if "VALUE" in values}
    assert float(delays["CALIBRATE_DELAY"]) > 0.9, "the page needs 0.9 s for its target"


@pytest.mark.parametrize(
    ("residual", "status"),
    [
        pytest.param((0.005, None), "left_only", id="left"),
        pytest.param((None, 0.005), "right_only", id="right"),
        pytest.param((None, None), "failure", id="none"),
    ],
)
def test_an_eye_that_was_not_seen_is_not_calibrated(
    control: Control,
    tracker: GazepointTracker,
    residual: tuple[float | None, float | None],
    status: str,
) -> None:
    control.residual_norm = residual
    outcome = calibrate(tracker)
    assert outcome.status == status
    assert [p.left_ok for p in outcome.points] == [residual[0] is not None] * 5


def test_a_result_that_says_nothing_of_an_eye_is_no_success(
    stubborn: Stubborn, tracker: GazepointTracker
) -> None:
    steps = [
        f'<CAL ID="{id_}" PT="{k}" CALX="{x:.5f}" CALY="{y:.5f}" />'
        for k, (x, y) in enumerate(TARGETS, 1)
        for id_ in ("CALIB_START_PT", "CALIB_RESULT_PT")
    ]
    stubborn.lines = (*steps, '<CAL ID="CALIB_RESULT" LV1="1" LV2="1" />')
    assert calibrate(tracker).status == "failure"


def test_all_targets_must_be_known_beforehand_and_keep_their_order(
    control: Control, tracker: GazepointTracker
) -> None:
    calibrator = tracker.calibrator()
    assert isinstance(calibrator, PlansTargets)
    with pytest.raises(CalibrationError, match="needs all targets"):
        calibrator.enter()
    calibrator.plan(TARGETS)
    calibrator.enter()
    with pytest.raises(CalibrationError, match="in order"):
        calibrator.collect(*TARGETS[1])
    with pytest.raises(CalibrationError, match="not measured all"):
        calibrator.compute()
    with pytest.raises(CalibrationError, match="cannot repeat a single target"):
        calibrator.discard(*TARGETS[0])


def test_a_page_that_is_late_with_a_target_is_told(
    control: Control, tracker: GazepointTracker
) -> None:
    calibrator = tracker.calibrator()
    calibrator.plan(TARGETS)
    calibrator.enter()
    calibrator.collect(*TARGETS[0])
    link = tracker._link
    assert link is not None
    wait_for(lambda: link.calibration.qsize() == 2 * len(TARGETS) - 1)
    link.now_us = lambda: tracker._real_now_us() + 10e6  # Control began ten seconds ago
    with pytest.raises(CalibrationError, match="shown too late"):
        calibrator.collect(*TARGETS[1])
    wait_for(lambda: control.state["CALIBRATE_START"] == "0")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param('<CAL ID="CALIB_START_PT" PT="1" CALX="0.1" CALY="0.1" />', "CALX=0.1",
                     id="elsewhere"),
        pytest.param('<CAL ID="CALIB_RESULT" />', "CALIB_RESULT", id="another's"),
        pytest.param('<CAL ID="CALIB_START_PT" CALX="x" CALY="" />', "CALX=x", id="no place"),
    ],
)  # fmt: skip
def test_a_control_that_is_elsewhere_is_told(
    stubborn: Stubborn, tracker: GazepointTracker, line: str, told: str
) -> None:
    stubborn.lines = (line,)
    with pytest.raises(CalibrationError, match=told):
        calibrate(tracker)


def test_a_control_that_falls_silent_or_away_ends_the_calibration(
    stubborn: Stubborn, tracker: GazepointTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrator_module, "MARGIN_S", -2.6)
    with pytest.raises(CalibrationError, match="did not report"):
        calibrate(tracker)
    stubborn.is_cut = True
    with pytest.raises(CalibrationError, match="lost"):
        calibrate(tracker)


def test_a_command_that_is_refused_is_named(control: Control, tracker: GazepointTracker) -> None:
    control.refused = {"CALIBRATE_ADDPOINT"}
    with pytest.raises(CalibrationError, match="refused SET CALIBRATE_ADDPOINT"):
        calibrate(tracker)
