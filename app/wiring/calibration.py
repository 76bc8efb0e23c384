"""Calibration and validation: page, session and tracker, target by target."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.background import Task, run
from app.pages.calibration import CalibrationPage
from app.reading.calibration import CalibrationRun
from app.reading.session import ReadingSession
from app.reading.target_watch import Point
from app.screen import desktop_point
from app.wiring.validation_look import validation_look
from devices.geometry import ScreenGeometry
from devices.tracker import CalibrationOutcome, PointResult

REPEATS = 2
"""How often a target that an eye missed is shown again."""
_POLL_MS = 20
_OUTCOMES = {
    "failure": "The tracker could not compute a calibration from what it saw.",
    "left_only": "Only the left eye could be calibrated.",
    "right_only": "Only the right eye could be calibrated.",
}


class CalibrationController(QObject):
    """Leads through one calibration with its validation.

    Signals
    -------
    started
        The dark page is about to be shown.
    ended
        It is over, done or given up.
    failed : object
        An exception the reader must be told of.
    """

    started = Signal()
    ended = Signal()
    failed = Signal(object)

    def __init__(self, page: CalibrationPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._session: ReadingSession | None = None
        self._geometry: ScreenGeometry | None = None
        self._run: CalibrationRun | None = None
        self._queue: list[Point] = []
        self._repeats: dict[Point, int] = {}
        self._count = 0
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._sampled)
        page.target_settled.connect(self._settled)
        page.cancelled.connect(lambda: self.cancel("Given up; calibrate again when ready."))

    def start(
        self, session: ReadingSession, geometry: ScreenGeometry, *, validate_only: bool = False
    ) -> None:
        """Begin; the page shows the first target."""
        if self._run is not None:
            return
        self._session, self._geometry = session, geometry
        self._run = session.calibrate(() if validate_only else None)
        self._repeats = {}
        self._queue = list(self._run.targets)
        self._count = len(self._queue)
        self.started.emit()
        # One turn of the event loop, so that the page has its final size.
        QTimer.singleShot(0, self._next_target)

    def cancel(self, reason: str) -> None:
        """Give up what goes on, if anything."""
        if self._run is not None:
            self._finish()
            self._page.show_idle(reason, warn=True)
            self.ended.emit()

    def _next_target(self) -> None:
        if self._run is None:
            return
        if self._queue:
            number = self._count - len(self._queue) + 1
            self._show("collecting", self._queue[0], f"Calibration {number} of {self._count}")
        elif self._count:
            self._in_worker(self._run.compute, self._computed)
        else:
            self._begin_validation()

    def _settled(self) -> None:
        if self._run is not None and self._page.state == "collecting":
            target, chosen = self._queue[0], self._run
            self._in_worker(lambda: chosen.collect(target), self._collected)

    def _collected(self, result: PointResult) -> None:
        assert self._run is not None
        target, chosen = self._queue[0], self._run
        tried = self._repeats.get(target, 0)
        if not (result.left_ok and result.right_ok) and tried < REPEATS:
            self._repeats[target] = tried + 1
            self._in_worker(lambda: chosen.discard(target), lambda _none: self._next_target())
            return
        self._queue.pop(0)
        self._next_target()

    def _computed(self, outcome: CalibrationOutcome) -> None:
        if outcome.status == "failure":
            self._finish()
            self._page.show_idle(_OUTCOMES["failure"], warn=True)
            self.ended.emit()
            return
        self._begin_validation()

    def _begin_validation(self) -> None:
        assert self._run is not None
        self._queue = list(self._run.validation_targets)
        self._count = len(self._queue)
        self._validate_next()

    def _validate_next(self) -> None:
        if self._run is None:
            return
        if not self._queue:
            self._validated()
            return
        number = self._count - len(self._queue) + 1
        self._show("validating", self._queue[0], f"Check {number} of {self._count}")
        self._run.show(self._queue[0])
        self._poll.start()

    def _sampled(self) -> None:
        if self._run is None:
            self._poll.stop()
        elif self._run.is_sampled():
            self._poll.stop()
            self._queue.pop(0)
            self._validate_next()

    def _validated(self) -> None:
        assert self._run is not None
        assert self._session is not None
        assert self._geometry is not None
        result = self._run.validate()
        look = validation_look(result, self._geometry, self._session.study.settings)
        self._finish()
        self._page.show_result(look)
        self.ended.emit()

    def _finish(self) -> None:
        self._poll.stop()
        chosen, self._run = self._run, None
        if chosen is not None:
            chosen.end()

    def _show(self, state: str, target: Point, text: str) -> None:
        assert self._session is not None
        assert self._geometry is not None
        at = desktop_point(self._geometry, *target)
        speed = self._session.clock.speed
        self._page.show_target(state, at, target, f"{text}   ·   Esc gives up", speed)

    def _in_worker(self, work: Callable[[], Any], then: Callable[[Any], object]) -> Task:
        chosen = self._run

        def still(value: object) -> None:
            if self._run is chosen:  # given up meanwhile: its answer is of no use
                then(value)

        return run(self, work, still, self._broke)

    def _broke(self, error: Exception) -> None:
        if self._run is None:
            return
        self._finish()
        self._page.show_idle("The calibration broke off.", warn=True)
        self.ended.emit()
        self.failed.emit(error)
