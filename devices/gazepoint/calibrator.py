"""Calibration through the Open Gaze API, at Control's pace rather than the page's.

Control takes all targets beforehand and goes through them in one go: at each it waits `DELAY_S`,
in which the page moves its target there, then measures for `MEASURE_S`. The page goes on when
Control has ended with a target, so both stay in step; a page that comes late is told, for its
reader would have looked elsewhere.
"""

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from devices.errors import CalibrationError, TrackerError
from devices.gazepoint.lines import Line
from devices.gazepoint.link import ANSWER_S, Link
from devices.tracker import CalibrationOutcome, PointResult

DELAY_S, MEASURE_S = 1.5, 1.25
"""The page takes 0.9 s to move its target and let it shrink."""
MARGIN_S = 3.0
FEWEST = 3
"""Targets at which an eye was seen, below which it is not calibrated; and at least half of all."""
NEAR_NORM = 0.01

Point = tuple[float, float]


class GazepointCalibrator:
    """All targets, planned beforehand, one after the other; each call blocks.

    Parameters
    ----------
    name
        Of the tracker, for messages.
    link
        Gives the connection in force; raises `CalibrationError` where there is none.
    """

    def __init__(self, name: str, link: Callable[[], Link]) -> None:
        self._name, self._current_link = name, link
        self._link: Link | None = None
        self._targets: list[Point] = []
        self._done = 0
        self._started_us = 0.0
        self._result: Line | None = None

    def plan(self, targets: Sequence[Point]) -> None:
        """Set the targets that will be collected, in order."""
        self._targets = list(targets)

    def enter(self) -> None:
        """Send the targets to Control, which draws none of them."""
        if not self._targets:
            raise CalibrationError(f"{self._name} needs all targets before the first one is shown.")
        link = self._link = self._current_link()
        self._done, self._result = 0, None
        self._ask("CALIBRATE_START", STATE=0)
        self._ask("CALIBRATE_SHOW", STATE=0)
        self._ask("CALIBRATE_CLEAR")
        answer: Mapping[str, str] = {}
        for x, y in self._targets:
            answer = self._ask("CALIBRATE_ADDPOINT", X=f"{x:.5f}", Y=f"{y:.5f}")
        if answer.get("PTS", str(len(self._targets))) != str(len(self._targets)):
            raise CalibrationError(
                f"{self._name} accepted only {answer['PTS']} of {len(self._targets)} targets. "
                "Restart Gazepoint Control."
            )
        self._ask("CALIBRATE_DELAY", VALUE=DELAY_S)
        self._ask("CALIBRATE_TIMEOUT", VALUE=MEASURE_S)
        while not link.calibration.empty():  # of a calibration before
            link.calibration.get_nowait()

    def collect(self, x_norm: float, y_norm: float) -> PointResult:
        """Wait until Control has measured a target; the result is known only at the end."""
        target = (x_norm, y_norm)
        if self._done >= len(self._targets) or self._targets[self._done] != target:
            raise CalibrationError(
                f"{self._name} collects all targets in one pass and in order. Calibrate again."
            )
        link = self._require_link()
        called_us = link.now_us()
        if self._done == 0:
            self._ask("CALIBRATE_START", STATE=1)
            called_us = -math.inf
        self._await(link, "CALIB_START_PT", target)
        if called_us > self._started_us + 1e6 * DELAY_S:
            self._stop()
            raise CalibrationError(
                f"A target was shown too late: {self._name} started measuring while the reader "
                "was looking elsewhere. Calibrate again."
            )
        self._await(link, "CALIB_RESULT_PT", target)
        self._done += 1
        return PointResult(x_norm, y_norm, left_ok=True, right_ok=True)

    def discard(self, x_norm: float, y_norm: float) -> None:
        """Refuse: single targets cannot be collected again.

        Raises
        ------
        CalibrationError
            Always.
        """
        raise CalibrationError(f"{self._name} cannot repeat a single target. Calibrate again.")

    def compute(self) -> CalibrationOutcome:
        """Wait for Control's result, which it has already applied."""
        link = self._require_link()
        if self._done < len(self._targets):
            raise CalibrationError(f"{self._name} has not measured all targets.")
        result = self._result or self._step(link)
        if result.id != "CALIB_RESULT":
            raise self._confused(result)
        self._stop()
        points = tuple(_point(result.values, k, at) for k, at in enumerate(self._targets, 1))
        return CalibrationOutcome(_status(points), points)

    def leave(self) -> None:
        """Stop the calibration; may be called from another thread."""
        if self._link is not None:
            self._stop()
            self._link = None

    def _await(self, link: Link, id_: str, target: Point) -> None:
        line = self._step(link)
        if line.id != id_ or not _is_at(line.values, target):
            self._stop()
            raise self._confused(line)

    def _step(self, link: Link) -> Line:
        try:
            arrived_us, line = link.step(DELAY_S + MEASURE_S + MARGIN_S, lambda: self._link is link)
        except TrackerError as error:
            self._stop()
            raise CalibrationError(f"{error} Calibrate again.") from error
        if line.id == "CALIB_START_PT":
            self._started_us = arrived_us
        return line

    def _ask(self, id_: str, **values: object) -> Mapping[str, str]:
        try:
            return self._require_link().ask("SET", id_, timeout_s=ANSWER_S, **values)
        except TrackerError as error:
            raise CalibrationError(f"{self._name} cannot be calibrated: {error}") from error

    def _stop(self) -> None:
        if self._link is not None:
            with contextlib.suppress(TrackerError):
                self._link.tell("SET", "CALIBRATE_START", STATE=0)

    def _require_link(self) -> Link:
        if self._link is None:
            raise CalibrationError(f"{self._name} is not in calibration mode.")
        return self._link

    def _confused(self, line: Line) -> CalibrationError:
        said = " ".join((line.id, *(f"{k}={v}" for k, v in list(line.values.items())[:3])))
        return CalibrationError(
            f"{self._name} is not measuring the expected target (it reported {said}). Close other "
            "programs that may calibrate it, then calibrate again."
        )


def _is_at(values: Mapping[str, str], target: Point) -> bool:
    try:
        return math.dist((float(values["CALX"]), float(values["CALY"])), target) < NEAR_NORM
    except (KeyError, ValueError):
        return False


def _point(values: Mapping[str, str], number: int, target: Point) -> PointResult:
    """Return the result of a target: an eye that is not marked valid was not seen."""
    ok = [values.get(f"{eye}V{number}", "0").strip() == "1" for eye in "LR"]
    return PointResult(*target, left_ok=ok[0], right_ok=ok[1])


def _status(
    points: Sequence[PointResult],
) -> Literal["success", "left_only", "right_only", "failure"]:
    enough = max(FEWEST, math.ceil(len(points) / 2))
    left = sum(p.left_ok for p in points) >= min(enough, len(points))
    right = sum(p.right_ok for p in points) >= min(enough, len(points))
    if left and right:
        return "success"
    return "left_only" if left else "right_only" if right else "failure"
