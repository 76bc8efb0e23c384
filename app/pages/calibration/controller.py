"""Calibration and validation: page, session and tracker, target by target."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import QTimer, Signal

from app.pages.calibration.page import CalibrationPage
from app.pages.calibration.positioning import Positioning
from app.pages.calibration.validation_view import validation_summary
from app.recording.calibration.correction import offset_correction
from app.recording.calibration.earlier import EarlierCalibration
from app.recording.calibration.luminance import case_grey
from app.recording.calibration.run import CalibrationRun
from app.recording.calibration.target_watch import Point
from app.recording.session import ReadingSession
from app.ui import theme
from app.ui.background import Task, run
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.screen import desktop_point
from app.ui.text import tr
from devices.gaze.geometry import ScreenGeometry
from devices.tracker import CalibrationOutcome, PointResult

REPEATS = 2
"""How often a target that an eye missed is shown again."""
_POLL_MS = 20
_AROUND = int(theme.CASE_BACKGROUND[1:3], 16)
_OUTCOMES = {
    "failure": "The tracker could not compute a calibration.",
    "left_only": "Only the left eye could be calibrated.",
    "right_only": "Only the right eye could be calibrated.",
}

Prepared = tuple[EarlierCalibration | None, int]


class CalibrationController(StationJob):
    """Leads through one calibration with its validation.

    Signals
    -------
    started
        The dark page is about to be shown.
    ended
        It is over, done or cancelled.
    measured : object
        The geometry of the screen, with the distance now in force.
    failed : object
        An exception that the reader must be told about.
    """

    started = Signal()
    ended = Signal()
    measured = Signal(object)
    failed = Signal(object)

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = CalibrationPage()
        self.pages = (JobPage("calibration", page, tr("Calibration"), "reader"),)
        self._session: ReadingSession | None = None
        self._geometry: ScreenGeometry | None = None
        self._run: CalibrationRun | None = None
        self._finished: CalibrationRun | None = None
        self._earlier: EarlierCalibration | None = None
        self._made: datetime | None = None
        self._queue: list[Point] = []
        self._repeats: dict[Point, int] = {}
        self._count = 0
        self._redoing = False
        self._positioning = Positioning(page, self)
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._sampled)
        page.target_settled.connect(self._settled)
        page.cancelled.connect(lambda: self.cancel(tr("Cancelled. Calibrate when you are ready.")))
        page.redo_wanted.connect(self.redo)
        page.correction_wanted.connect(self.use_correction)

    def start(
        self, session: ReadingSession, geometry: ScreenGeometry, *, validate_only: bool = False
    ) -> None:
        """Begin: the reader sits down, then the page shows the first target."""
        if self._run is not None:
            return
        if session is not self._session:
            self._made = None
        self._session, self._geometry = session, geometry
        if self.page.eyewear:
            session.setup.set_eyewear(self.page.eyewear)
        if validate_only:
            self._begin((), after=self._finished)
            self._ready(False)
            return
        self.accept()
        self._begin(None)
        around = _AROUND

        def prepare() -> Prepared:
            collects = self._run is not None and bool(self._run.targets)
            earlier = session.setup.earlier_calibration() if collects else None
            return earlier, case_grey(session.study, geometry, around)

        self._in_worker(prepare, self._prepared)

    def redo(self, points: Sequence[Point]) -> None:
        """Collect single targets again; the results of the others are kept."""
        finished = self._finished
        if self._run is None and self._session is not None and finished and finished.may_redo:
            self._begin(points, after=finished)
            self._redoing = True
            QTimer.singleShot(0, self._next_target)

    def use_correction(self, wanted: bool) -> None:
        """Correct the gaze by the last validation's offset, or stop doing so; then check again."""
        session, geometry = self._session, self._geometry
        if self._run is not None or session is None or geometry is None:
            return
        last = session.validation
        session.setup.correct(offset_correction(last.validation) if wanted and last else None)
        self.start(session, geometry, validate_only=True)

    def accept(self) -> None:
        """Accept the calibration: the tracker leaves its calibration mode."""
        finished, self._finished = self._finished, None
        if finished is not None:
            finished.release()

    def cancel(self, reason: str) -> None:
        """Cancel what is in progress, if anything."""
        if self._run is not None:
            self._finish()
            self.page.show_idle(reason, warn=True)
            self.ended.emit()

    def _begin(self, targets: Sequence[Point] | None, after: CalibrationRun | None = None) -> None:
        assert self._session is not None
        self._run = self._session.calibrate(targets, after=after)
        self._repeats, self._redoing = {}, False
        self._queue = list(self._run.targets)
        self._count = len(self._queue)
        self.started.emit()

    def _prepared(self, prepared: Prepared) -> None:
        assert self._session is not None
        self._earlier, grey = prepared
        self.page.set_ground(grey)
        self._session.setup.note_ground(grey)
        self._positioning.start(self._session, self._earlier, self._ready)

    def _ready(self, reapply: bool) -> None:
        assert self._session is not None
        self.measured.emit(self._session.setup.take_distance(self.page.taped_mm))
        if reapply and self._run is not None and self._earlier is not None:
            self._queue, self._count = [], 0
            chosen, earlier = self._run, self._earlier
            self._made = datetime.fromisoformat(earlier.made_utc)
            self._in_worker(lambda: chosen.reapply(earlier), lambda _none: self._next_target())
            return
        # One turn of the event loop, so that the page has its final size.
        QTimer.singleShot(0, self._next_target)

    def _next_target(self) -> None:
        if self._run is None:
            return
        if self._queue:
            number = self._count - len(self._queue) + 1
            said = tr("Calibration point {number} of {count}", number=number, count=self._count)
            self._show("collecting", self._queue[0], said)
        elif self._count:
            self._in_worker(self._run.compute, self._computed)
        else:
            self._begin_validation()

    def _settled(self) -> None:
        if self._run is None or self.page.state != "collecting":
            return
        target, chosen = self._queue[0], self._run

        def collect() -> PointResult:
            if self._redoing:
                chosen.discard(target)
            return chosen.collect(target)

        self._in_worker(collect, self._collected)

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
            self.page.show_idle(tr(_OUTCOMES["failure"]), warn=True)
            self.ended.emit()
            return
        self._made = datetime.now(UTC)
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
        said = tr("Accuracy check, point {number} of {count}", number=number, count=self._count)
        self._show("validating", self._queue[0], said)
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
        result = validation_summary(self._run.validate(), self._session, self._run, self._made)
        self._finish(keep=True)
        self.page.show_result(result)
        self.ended.emit()

    def _finish(self, *, keep: bool = False) -> None:
        self._poll.stop()
        self._positioning.stop()
        chosen, self._run = self._run, None
        if chosen is not None:
            chosen.end(keep=keep)
            self._finished = chosen if keep else None

    def _show(self, state: str, target: Point, text: str) -> None:
        assert self._session is not None
        assert self._geometry is not None
        at = desktop_point(self._geometry, *target)
        speed = self._session.clock.speed
        keys = tr("Esc to cancel")
        self.page.show_target(state, at, target, f"{text}   ·   {keys}", speed)

    def _in_worker(self, work: Callable[[], Any], then: Callable[[Any], object]) -> Task:
        chosen = self._run

        def still(value: object) -> None:
            if self._run is chosen:  # cancelled meanwhile: its answer is not needed
                then(value)

        def broke(error: Exception) -> None:
            if self._run is chosen and chosen is not None:  # otherwise it would end another run
                self._broke(error)

        return run(self, work, still, broke)

    def _broke(self, error: Exception) -> None:
        self._finish()
        self.page.show_idle(tr("The calibration was interrupted."), warn=True)
        self.ended.emit()
        self.failed.emit(error)
