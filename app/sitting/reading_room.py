"""The reading room: opens sessions, calibrates and reads in them, watches them, closes them."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.pages.calibration.controller import CalibrationController
from app.pages.reading.controller import ReadingController
from app.recording.session import ReadingSession
from app.recording.stimulus import FindingSource
from app.shell.shell import Shell
from app.sitting.absent_reader import AbsenceWatch
from app.sitting.closing_window import Leaving
from app.sitting.drift_check import DriftController
from app.sitting.health import HealthWatch
from app.sitting.mouse_eye import MouseEye
from app.sitting.reader_choice import Attendance, Then, TrackerSource
from app.sitting.screen_watch import ScreenWatch
from app.sitting.sessions import SessionKeeper
from app.sitting.simulated_eye import SimulatedEye
from app.ui.awake import KeepAwake
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from migrations.study.folder import Study


class ReadingRoom(QObject):
    """Everything that needs a session.

    Parameters
    ----------
    changed
        Called when a session was opened, or something else about the tracker changed.
    to_worklist
        Called when the reader is to see the worklist again.
    refresh
        Called when a session is closed and its rows are on the disk.
    """

    def __init__(
        self,
        shell: Shell,
        clock: HostClock,
        tracker_source: TrackerSource,
        findings: FindingSource | None,
        *,
        reader: str | None,
        consented: bool,
        changed: Callable[[], object],
        to_worklist: Callable[[], object],
        refresh: Callable[[], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._shell, self._changed, self._to_worklist = shell, changed, to_worklist
        self._refresh = refresh
        self._study: Study | None = None
        self.sessions = SessionKeeper(self)
        self.calibration = CalibrationController(shell.calibration, self)
        self.reading = ReadingController(shell.reading, self)
        self.eye = SimulatedEye(findings, self)
        self.mouse = MouseEye(self)
        self.health = HealthWatch(self)
        self.absence = AbsenceWatch(shell.reading, self)
        self.awake = KeepAwake()
        self.screen = ScreenWatch(self._screen_changed, self)
        self.attendance = Attendance(
            shell.window, clock, tracker_source, self.sessions, reader=reader, consented=consented
        )
        self.drift = DriftController(shell, lambda: self.session, self._recalibrate, self)
        self.reading.before_case = self.drift.before_case
        self._leaving = Leaving(shell.window, self.sessions, self.close_session)
        self._connect()

    @property
    def session(self) -> ReadingSession | None:
        """The open session, if any."""
        return self.sessions.session

    def start_reading(self, study: Study, device_id: str) -> None:
        """Open a session if there is none, and show the next case."""
        if not self.reading.reading:
            self._with_session(study, device_id, self._read)

    def start_calibration(self, study: Study, device_id: str, *, validate_only: bool) -> None:
        """Open a session if there is none, and calibrate."""
        self._with_session(study, device_id, lambda: self._calibrate(validate_only))

    def close_session(self) -> None:
        """End the session; its rows are committed and the database is copied in a worker."""
        self.calibration.cancel("The session was closed.")
        self.calibration.accept()
        self.drift.reset()
        self.reading.interrupt("the session was closed")
        if self.session is not None:
            self.eye.use(None, None, None)
            self.mouse.use(None, None)
            self.sessions.close()
            self._shell.calibration.forget()
            self._changed()

    def finish(self) -> None:
        """Close the session and wait until its rows are on the disk.

        Raises
        ------
        NotCommitted, DatabaseError
            If they cannot be written, or not be copied.
        """
        self.close_session()
        try:
            self.sessions.finish()
        finally:
            self.awake.release()
            self.health.follow(None)

    def _connect(self) -> None:
        shell = self._shell
        shell.window.placed.connect(self.reading.placement_changed)
        shell.calibration.target_shown.connect(self.eye.fixate)
        self.calibration.started.connect(shell.go_bare)
        self.calibration.ended.connect(shell.leave_bare)
        self.calibration.measured.connect(self.attendance.measured)
        self.calibration.measured.connect(self.screen.measured)
        self.calibration.failed.connect(lambda e: shell.show_error("Calibration failed", e))
        self.sessions.opened.connect(self._opened)
        self.sessions.closed.connect(self._closed)
        self.sessions.failed.connect(self._failed)
        self.reading.seen.connect(self.eye.see)
        self.reading.completed.connect(self.close_session)
        self.reading.ended.connect(self._to_worklist)
        self.reading.failed.connect(self._reading_failed)
        self.health.told.connect(shell.show_health)
        self.health.told.connect(lambda _health: self.absence.look())

    def _with_session(self, study: Study, device_id: str, then: Then) -> None:
        self._study = study
        if self.session is None:
            self._shell.calibration.show_waiting("Opening the tracker…")
        self.attendance.with_session(study, device_id, then)

    def _opened(self) -> None:
        assert self.session is not None
        self.eye.use(self._study, self.session.tracker, self.attendance.geometry)
        self.mouse.use(self.session.tracker, self.attendance.geometry)
        self._shell.calibration.forget()
        self._changed()
        self.awake.hold()
        self.screen.follow(self._shell.window.screen(), self.attendance.geometry)
        self.absence.follow(self.session)
        self.health.follow(self.session)

    def _screen_changed(self, geometry: ScreenGeometry, text: str) -> None:
        self.attendance.measured(geometry)
        if self.session is not None:
            self.eye.use(self._study, self.session.tracker, geometry)
            self.mouse.use(self.session.tracker, geometry)
            if not self.reading.reading:  # else its next view tells the screen, at its own time
                self.session.setup.take_screen(geometry)
        self.reading.screen_changed(geometry, text)

    def _closed(self) -> None:
        self.screen.follow(None, None)
        self.mouse.use(None, None)
        self.awake.release()
        self.health.follow(None)
        self.absence.follow(None)
        self._refresh()

    def _failed(self, title: str, error: Exception) -> None:
        self._shell.calibration.show_idle(f"{title}.", warn=True)
        self._changed()
        self._shell.show_error(title, error)

    def _read(self) -> None:
        session, geometry = self.session, self.attendance.geometry
        assert session is not None
        assert geometry is not None
        self.calibration.accept()
        self.drift.reset()
        self._shell.go_bare()
        self._shell.window.show_page("reading")
        self.reading.start(session, geometry)
        self.health.look()

    def _calibrate(self, validate_only: bool) -> None:
        session, geometry = self.session, self.attendance.geometry
        assert session is not None
        assert geometry is not None
        self.calibration.start(session, geometry, validate_only=validate_only)

    def _recalibrate(self) -> None:
        self.reading.interrupt("calibration")  # between two cases: nothing is open
        self._calibrate(False)

    def _reading_failed(self, error: Exception) -> None:
        # The next session offers again what this one could not show.
        self.close_session()
        self._to_worklist()
        self._shell.show_error("The case cannot be shown", error)
