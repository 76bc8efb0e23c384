"""Everything that needs a session: opens it, calibrates and reads in it, watches it, closes it."""

from collections.abc import Sequence

from PySide6.QtCore import QObject

from app.pages.calibration.controller import CalibrationController
from app.pages.reading.controller import ReadingController
from app.pages.worklist.controller import WorklistController
from app.recording.session import ReadingSession
from app.recording.stimulus import FindingSource
from app.shell.shell import Shell
from app.sitting.absent_reader import AbsentReaderWatch
from app.sitting.closing_guard import ClosingGuard
from app.sitting.drift_check import DriftCheck
from app.sitting.health import HealthWatch
from app.sitting.mouse_eye import MouseEye
from app.sitting.screen_watch import ScreenWatch
from app.sitting.session_opener import SessionOpener, TrackerSource
from app.sitting.sessions import Callback, SessionKeeper
from app.sitting.simulated_eye import SimulatedEye
from app.sitting.status import SittingStatus
from app.sitting.tracker_change import TrackerChange
from app.ui.awake import KeepAwake
from app.ui.job import JobContext, StationJob, job_of
from app.ui.text import tr
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from migrations.study.folder import Study


class SessionCoordinator(QObject):
    """Leads worklist, calibration and reading through one session after another.

    Parameters
    ----------
    jobs
        Those of the station; worklist, calibration and reading are among them.
    """

    def __init__(
        self,
        shell: Shell,
        context: JobContext,
        jobs: Sequence[StationJob],
        clock: HostClock,
        tracker_source: TrackerSource,
        findings: FindingSource | None,
    ) -> None:
        super().__init__(context.parent)
        self._shell, self._context = shell, context
        self._study: Study | None = None
        self.worklist = job_of(jobs, WorklistController)
        self.calibration = job_of(jobs, CalibrationController)
        self.reading = job_of(jobs, ReadingController)
        self.sessions = SessionKeeper(self)
        self.eye = SimulatedEye(findings, self)
        self.mouse = MouseEye(self)
        self.health = HealthWatch(self)
        self.absence = AbsentReaderWatch(self.reading.page, self)
        self.awake = KeepAwake()
        self.screen = ScreenWatch(self._screen_changed, self)
        self.opener = SessionOpener(
            shell.window, clock, tracker_source, self.sessions, context.reader
        )
        self.drift = DriftCheck(
            shell.window, self.calibration.page, lambda: self.session, self._recalibrate, self
        )
        self.reading.before_case = self.drift.before_case
        self._status = SittingStatus(
            shell.window, self.calibration.page, self.reading.page.strip, self.worklist.devices
        )
        self._guard = ClosingGuard(shell.window, self.sessions, self.close_session)
        self._guard.in_mid_case = lambda: self.reading.reading
        self._guard.pause = self.reading.pause
        self._guard.unsaved = lambda: next((job.unsaved for job in jobs if job.unsaved), "")
        self._tracker_change = TrackerChange(
            shell.window, self.worklist.devices, self.close_session, self._changed
        )
        self._connect()

    @property
    def session(self) -> ReadingSession | None:
        """The open session, if any."""
        return self.sessions.session

    def open(self, study: Study) -> None:
        """Open sessions in this study from now on."""
        self._study = study
        self._show_tracker()

    def choose_reader(self, pseudonym: str, *, consented: bool = False) -> None:
        """Let someone else read."""
        if pseudonym != self._context.reader.name:
            self.close_session()
        self.opener.choose(pseudonym, consented=consented)
        self._changed()

    def offer_all(self) -> None:
        """Also offer cases whose images no one has cleared: the reader is not a person."""
        self._context.reader.cleared_only = False
        self._changed()

    def start_reading(self, *, anyway: bool = False) -> None:
        """Open a session if there is none, and show the next case.

        Without a calibration within limits, the calibration page comes first, unless the reader has
        already chosen there to read anyway.
        """
        if self.reading.reading:
            return
        if anyway or (self.session is not None and not self.session.against_reading):
            self._with_session(lambda: self._read(anyway=anyway))
        else:
            self._lead_to_calibration()

    def start_calibration(self, *, validate_only: bool = False) -> None:
        """Open a session if there is none, and calibrate."""
        before = self._shell.window.current
        self._shell.window.show_page("calibration")
        self._with_session(lambda: self._calibrate(validate_only), lambda: self._declined(before))

    def close_session(self) -> None:
        """End the session; its rows are committed and the database is backed up in a worker."""
        self.calibration.cancel(tr("The session was closed."))
        self.calibration.accept()
        self.drift.reset()
        self.reading.interrupt("the session was closed")
        if self.session is not None:
            self.eye.use(None, None, None)
            self.mouse.use(None, None)
            self.sessions.close()
            self.calibration.page.forget()
            self._show_tracker()

    def finish(self) -> None:
        """Close the session, wait until its rows are on the disk, and release the study.

        Raises
        ------
        NotCommitted, DatabaseError
            If they cannot be written or backed up.
        """
        self.close_session()
        self._study = None
        try:
            self.sessions.finish()
        finally:
            self.awake.release()
            self.health.follow(None)

    def _connect(self) -> None:
        shell, notices = self._shell, self._context.notices
        shell.window.placed.connect(self.reading.placement_changed)
        shell.window.end_wanted.connect(self.close_session)
        self.reading.end_wanted.connect(self._end_wanted)
        self.reading.recording_changed.connect(self._show_recording)
        self._connect_worklist()
        self._connect_calibration()
        self.sessions.opened.connect(self._opened)
        self.sessions.closed.connect(self._closed)
        self.sessions.failed.connect(self._failed)
        self.reading.seen.connect(self.eye.see)
        self.reading.completed.connect(self.close_session)
        self.reading.ended.connect(lambda: self._context.go("worklist"))
        self.reading.failed.connect(self._reading_failed)
        self.health.checked.connect(self._status.show_health)
        self.health.checked.connect(lambda _health: self.absence.check())
        notices.cases_changed.connect(self._cases_changed)
        notices.study_changed.connect(self._show_tracker)
        notices.reading_allowed.connect(
            lambda why_not: self._status.show_reader(self._context.reader, why_not)
        )

    def _connect_worklist(self) -> None:
        page = self.worklist.page
        page.reader_chosen.connect(self.choose_reader)
        page.reader_wanted.connect(self._ask_reader)
        page.calibrate_wanted.connect(self.start_calibration)
        self.worklist.devices.changed.connect(self._device_changed)

    def _connect_calibration(self) -> None:
        shell, page = self._shell, self.calibration.page
        page.target_shown.connect(self.eye.fixate)
        page.begin_wanted.connect(self.start_calibration)
        page.validate_wanted.connect(lambda: self.start_calibration(validate_only=True))
        page.reading_wanted.connect(lambda: self.start_reading(anyway=True))
        self.calibration.started.connect(shell.go_bare)
        self.calibration.ended.connect(shell.leave_bare)
        self.calibration.measured.connect(self.opener.measured)
        self.calibration.measured.connect(self.screen.measured)
        self.calibration.failed.connect(lambda e: shell.show_error(tr("Calibration failed"), e))

    def _with_session(self, then: Callback, declined: Callback = lambda: None) -> None:
        if self._study is None:
            return
        if self.session is None:
            self.calibration.page.show_waiting(tr("Opening the tracker…"))
        self.opener.with_session(self._study, self.worklist.devices.chosen, then, declined)

    def _lead_to_calibration(self) -> None:
        """Show the calibration page: it offers to calibrate, and to read anyway."""
        self._shell.leave_bare()
        self._shell.window.show_page("calibration")
        self.calibration.page.lead_here()

    def _declined(self, page: str) -> None:
        """Return to where a reader was who does not consent."""
        self.calibration.page.show_idle(tr("Nothing is recorded without your consent."))
        if page:
            self._context.go(page)

    def _ask_reader(self) -> None:
        if self._study is not None:
            self.opener.ask_reader(
                self._study, lambda name: self.choose_reader(name, consented=True)
            )

    def _opened(self) -> None:
        session, geometry = self.session, self.opener.geometry
        assert session is not None
        self.eye.use(self._study, session.tracker, geometry)
        self.mouse.use(session.tracker, geometry)
        self.calibration.page.forget()
        self._show_tracker()
        self.awake.hold()
        self.screen.follow(self._shell.window.screen(), geometry)
        self.absence.follow(session)
        self.health.follow(session)
        self._context.notices.session_opened.emit(session)

    def _screen_changed(self, geometry: ScreenGeometry, text: str) -> None:
        self.opener.measured(geometry)
        if self.session is not None:
            self.eye.use(self._study, self.session.tracker, geometry)
            self.mouse.use(self.session.tracker, geometry)
            if (
                not self.reading.reading
            ):  # otherwise its next view includes the screen, at its own time
                self.session.setup.take_screen(geometry)
        self.reading.screen_changed(geometry, text)

    def _closed(self) -> None:
        self.screen.follow(None, None)
        self.mouse.use(None, None)
        self.awake.release()
        self.health.follow(None)
        self.absence.follow(None)
        self._changed()
        self._context.notices.session_closed.emit()

    def _failed(self, title: str, error: Exception) -> None:
        self.calibration.page.show_idle(f"{title}.", warn=True)
        self._show_tracker()
        self._shell.show_error(title, error)

    def _cases_changed(self) -> None:
        # A session knows the cases it was opened with; the next one knows the new ones.
        if self.session is not None and not self.reading.reading:
            self.close_session()
        self._changed()

    def _device_changed(self) -> None:
        session, chosen = self.session, self.worklist.devices.chosen
        if session is not None and session.tracker.info.id != chosen:
            self._tracker_change.ask(session.tracker.info.id)
        else:
            self._changed()

    def _end_wanted(self) -> None:
        """End the session from a panel of the reading page."""
        self.close_session()
        self.reading.page.leave()
        self._context.go("worklist")

    def _show_recording(self, state: str) -> None:
        self._shell.window.show_session(state if self.session is not None else "")

    def _changed(self) -> None:
        self._context.notices.study_changed.emit()

    def _show_tracker(self) -> None:
        if self._study is not None:
            self._status.show_tracker(self._study, self.session)

    def _read(self, *, anyway: bool = False) -> None:
        session, geometry = self.session, self.opener.geometry
        assert session is not None
        assert geometry is not None
        if anyway:
            session.read_anyway()
        self.calibration.accept()
        self.drift.reset()
        self._shell.go_bare()
        self._shell.window.show_page("reading")
        self.reading.start(session, geometry)
        self.health.check()

    def _calibrate(self, validate_only: bool) -> None:
        session, geometry = self.session, self.opener.geometry
        assert session is not None
        assert geometry is not None
        self.calibration.start(session, geometry, validate_only=validate_only)

    def _recalibrate(self) -> None:
        self.reading.interrupt("calibration")  # between two cases nothing is open
        self._calibrate(False)

    def _reading_failed(self, error: Exception) -> None:
        # The next session offers the case again.
        self.close_session()
        self._context.go("worklist")
        self._shell.show_error(tr("The case cannot be shown"), error)
