"""The station: the one place that owns clock, tracker, session and window, and joins the rest.

Start-up: a fine clock is required, the window shown, the study opened (what a crash left open is
closed), trackers looked for. A session opens with the first calibration or reading and closes when
the reader, the tracker or the study changes, or the window closes.
"""

import logging
import platform
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.errors import AppError
from app.garbage import GuiGarbageCollector
from app.pages.calibration import CalibrationPage
from app.pages.reading import ReadingPage
from app.pages.start import StartPage
from app.pages.training import TrainingPage
from app.pages.worklist import WorklistPage
from app.reading.recovery import close_interrupted
from app.reading.session import ReadingSession
from app.reading.sitting import has_consented
from app.reading.stimulus import FindingSource
from app.reading.worklist import worklist
from app.recent import recent_studies, remember
from app.screen import screen_geometry
from app.widgets.dialogs import MessageDialog
from app.window import MainWindow
from app.wiring.bugs import BugHook
from app.wiring.calibration import CalibrationController
from app.wiring.devices import DeviceController
from app.wiring.importing import ImportController
from app.wiring.reading import ReadingController
from app.wiring.sessions import SessionKeeper
from app.wiring.simulated import SimulatedEye
from app.wiring.studies import (
    ask_consent,
    ask_new_study,
    ask_study,
    finished_readings,
    readers_of,
    why_not_read,
)
from app.wiring.training import TrainingController
from devices.catalogue import open_tracker
from devices.clock import HostClock, require_fine_clock
from devices.errors import DeviceError
from devices.geometry import ScreenGeometry
from devices.tracker import Tracker
from migrations.errors import StudyError
from migrations.settings import StudySettings
from migrations.study import Study

log = logging.getLogger(__name__)

KNOWN_ERRORS = (AppError, DeviceError, StudyError)
"""The user's environment, not our mistakes: told in their own words, without a traceback."""

TrackerSource = Callable[[str, ScreenGeometry], Tracker]


class Station(QObject):
    """One reading station.

    Parameters
    ----------
    study
        To open at once; None shows the start page.
    device_id, rate_hz, seed
        The tracker to use, its rate, the seed of a simulated reader.
    reader
        Pseudonym; asked for on the worklist where None.
    consented
        Whether that reader has agreed already by other means (the demo's simulated reader).
    speed
        Of the clock; 1.0 is life.
    finding_source
        What a simulated reader finds on an image; where None, salient places.
    full_screen
        Whether calibration and reading take the whole screen.
    tracker_source
        Opens a tracker by id; the catalogue unless given.
    window
        Shown already while the rest was loading; a new one where None.

    Attributes
    ----------
    window, pages
        The window and its pages by name: start, worklist, calibration, reading, training.
    last_error
        What the user was told last, empty at first.
    """

    def __init__(
        self,
        study: Study | None = None,
        *,
        device_id: str = "simulated",
        rate_hz: float | None = None,
        seed: int = 0,
        reader: str | None = None,
        consented: bool = False,
        speed: float = 1.0,
        finding_source: FindingSource | None = None,
        full_screen: bool = True,
        tracker_source: TrackerSource | None = None,
        window: MainWindow | None = None,
    ) -> None:
        super().__init__()
        require_fine_clock()
        self.clock = HostClock(speed)
        self.study: Study | None = None
        self.geometry: ScreenGeometry | None = None
        self.reader = reader
        self.last_error = ""
        self._consented = consented
        self._full_screen = full_screen
        self._open_tracker = tracker_source or (
            lambda name, geometry: open_tracker(name, geometry, rate_hz=rate_hz, seed=seed)
        )
        self._collector = GuiGarbageCollector(self)
        self._closed = False
        self._make_pages(window or MainWindow())
        self._make_controllers(device_id, finding_source)
        self._connect()
        self._bugs = BugHook(self.show_error)
        if study is not None:
            self.use_study(study)
        else:
            self.start_page.show_recent(recent_studies())
            self.window.show_page("start")

    # ---- what an autopilot and the command call --------------------------------------------

    @property
    def session(self) -> ReadingSession | None:
        """The open reading session, if any."""
        return self.sessions.session

    def show(self) -> None:
        """Show the window and look for trackers."""
        self.window.show()
        self.devices.look()

    def go(self, name: str) -> None:
        """Go to a page, if the station is in a state that allows it."""
        if self.reading.reading and name != "reading":
            return
        if name == "reading":
            self.start_reading()
            return
        self._leave_bare()
        self.window.show_page(name)
        self.refresh()

    def screenshot(self, name: str, path: Path) -> None:
        """Write a picture of the window showing a page, or of the page as it is if it is shown."""
        if self.window.current != name:
            self.window.show_page(name)
        self.window.grab().save(str(path))

    def refresh(self) -> None:
        """Read again what the pages show of the study."""
        if self.study is None:
            return
        rows = worklist(self.study, self.reader or "")
        self.worklist_page.show_rows(rows)
        self.worklist_page.show_readers(readers_of(self.study, self.reader), self.reader)
        self.training_page.show_readings(finished_readings(self.study))
        why_not = why_not_read(rows, self.reader)
        self.worklist_page.show_ready(not why_not, not why_not, why_not)
        for name in ("calibration", "reading"):
            self.window.enable(name, not why_not, why_not)
        self.window.show_reader(f"Reader {self.reader}" if self.reader else "No reader chosen")
        self._show_device()

    def use_study(self, study: Study) -> None:
        """Show an open study; an open session of another one is closed."""
        self.close_session()
        self._finish_sessions()
        if self.study is not None and self.study is not study:
            self.study.close()
        found = close_interrupted(study.database)
        self.study = study
        self.imports.set_study(study)
        self.training.set_study(study)
        self.window.show_study(study.settings.name)
        remember(study.folder)
        self.go("worklist")
        if found:
            self.worklist_page.say_state(
                f"{len(found)} readings were cut off when the station stopped; they come again.",
                "warning",
            )

    def open_study(self, folder: Path) -> None:
        """Open a study's folder; what is wrong with it is said on the start page."""
        try:
            self.use_study(Study.open(folder, durable=True))
        except StudyError as error:
            log.warning("A study could not be opened.", exc_info=True)
            self.start_page.show_error(str(error))
            self.window.show_page("start")

    def create_study(self, folder: Path) -> None:
        """Make a study in a folder and open it."""
        try:
            self.use_study(Study.create(folder, StudySettings(name=folder.name), durable=True))
        except (StudyError, OSError) as error:
            log.warning("A study could not be made.", exc_info=True)
            self.start_page.show_error(str(error))

    def choose_reader(self, pseudonym: str) -> None:
        """Let someone else read."""
        if pseudonym != self.reader:
            self.close_session()
            self.reader, self._consented = pseudonym, False
        self.refresh()

    def start_reading(self) -> None:
        """Open a session if there is none, and show the next case."""
        if not self.reading.reading:
            self._with_session(self._read)

    def start_calibration(self, *, validate_only: bool = False) -> None:
        """Open a session if there is none, and calibrate."""
        self.window.show_page("calibration")
        self._with_session(lambda: self._calibrate(validate_only))

    def close_session(self) -> None:
        """End the session; its rows are committed and the database is copied in a worker."""
        self.calibration.cancel("The session was closed.")
        self.reading.interrupt("the session was closed")
        if self.session is not None:
            self.eye.use(None, None, None)
            self.sessions.close()
            self.calibration_page.forget()
            self._show_device()

    def close(self) -> None:
        """End everything that runs; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self.imports.close()
        self.devices.close()
        self.close_session()
        self._finish_sessions()
        self.training.close()
        if self.study is not None:
            self.study.close()
        self._collector.stop()
        self._bugs.remove()

    def show_error(self, title: str, error: Exception | str) -> None:
        """Say what went wrong; recording goes on behind the message."""
        self.last_error = str(error)
        log.error("%s: %s", title, type(error).__name__)
        MessageDialog(self.window, title, self.last_error).open()

    # ---- inside ----------------------------------------------------------------------------

    def _make_pages(self, window: MainWindow) -> None:
        self.window = window
        self.start_page, self.worklist_page = StartPage(), WorklistPage()
        self.calibration_page, self.reading_page = CalibrationPage(), ReadingPage()
        self.training_page = TrainingPage()
        self.pages: dict[str, QWidget] = {
            "start": self.start_page,
            "worklist": self.worklist_page,
            "calibration": self.calibration_page,
            "reading": self.reading_page,
            "training": self.training_page,
        }
        self.window.add_pages(self.pages)

    def _make_controllers(self, device_id: str, findings: FindingSource | None) -> None:
        self.imports = ImportController(self.worklist_page, self)
        self.devices = DeviceController(self.worklist_page, device_id, self._device_changed, self)
        self.calibration = CalibrationController(self.calibration_page, self)
        self.reading = ReadingController(self.reading_page, self)
        self.training = TrainingController(self.training_page, self)
        self.eye = SimulatedEye(findings, self)
        self.sessions = SessionKeeper(self)

    def _connect(self) -> None:
        window, work, calibrate = self.window, self.worklist_page, self.calibration_page
        window.page_wanted.connect(self.go)
        window.placed.connect(self._placed)
        window.closing.connect(self.close)
        self.start_page.open_requested.connect(lambda: ask_study(window, self.open_study))
        self.start_page.create_requested.connect(lambda: ask_new_study(window, self.create_study))
        self.start_page.study_chosen.connect(self.open_study)
        work.reader_chosen.connect(self.choose_reader)
        work.reader_wanted.connect(self._ask_reader)
        work.calibrate_wanted.connect(self.start_calibration)
        work.reading_wanted.connect(self.start_reading)
        calibrate.begin_wanted.connect(self.start_calibration)
        calibrate.validate_wanted.connect(lambda: self.start_calibration(validate_only=True))
        calibrate.reading_wanted.connect(self.start_reading)
        calibrate.target_shown.connect(self.eye.fixate)
        self.calibration.started.connect(self._go_bare)
        self.calibration.ended.connect(self._leave_bare)
        self.calibration.failed.connect(lambda e: self.show_error("Calibration failed", e))
        self.sessions.opened.connect(self._session_opened)
        self.sessions.closed.connect(self.refresh)
        self.sessions.failed.connect(self._session_failed)
        self.reading.seen.connect(self.eye.see)
        self.reading.completed.connect(self.close_session)
        self.reading.ended.connect(lambda: self.go("worklist"))
        self.reading.failed.connect(self._reading_failed)
        self.imports.changed.connect(self._imported)

    def _with_session(self, then: Callable[[], object]) -> None:
        if self.study is None or self.reader is None or self.sessions.opening:
            return
        agreed = self._consented or self.session is not None
        if agreed or has_consented(self.study, self.reader):
            self._open_session(self.study, self.reader, then)
        else:
            ask_consent(self.window, self.study, self.reader, lambda _name: self._consent(then))

    def _consent(self, then: Callable[[], object]) -> None:
        self._consented = True
        self._with_session(then)

    def _open_session(self, study: Study, reader: str, then: Callable[[], object]) -> None:
        if self.session is None:
            self.geometry = screen_geometry(self.window.screen())
            self.calibration_page.show_waiting("Opening the tracker…")
            self.window.show_device("Opening the tracker…")
        geometry, device_id, consented = self.geometry, self.devices.chosen, self._consented
        assert geometry is not None

        def make() -> ReadingSession:
            tracker = self._open_tracker(device_id, geometry)
            station = platform.node()
            return ReadingSession.open(
                study, reader, tracker, self.clock, geometry, station=station, consented=consented
            )

        self.sessions.want(make, then)

    def _session_opened(self) -> None:
        assert self.session is not None
        self.eye.use(self.study, self.session.tracker, self.geometry)
        self.calibration_page.forget()
        self._show_device()

    def _session_failed(self, title: str, error: Exception) -> None:
        self.calibration_page.show_idle(f"{title}.", warn=True)
        self._show_device()
        self.show_error(title, error)

    def _finish_sessions(self) -> None:
        try:
            self.sessions.finish()
        except KNOWN_ERRORS as error:
            self.show_error("The session could not be closed", error)

    def _read(self) -> None:
        assert self.session is not None
        assert self.geometry is not None
        self._go_bare()
        self.window.show_page("reading")
        self.reading.start(self.session, self.geometry)

    def _calibrate(self, validate_only: bool) -> None:
        assert self.session is not None
        assert self.geometry is not None
        self.calibration.start(self.session, self.geometry, validate_only=validate_only)

    def _go_bare(self) -> None:
        self.window.set_bare(True, full_screen=self._full_screen)

    def _leave_bare(self) -> None:
        self.window.set_bare(False)

    def _placed(self) -> None:
        self.reading.placement_changed()

    def _reading_failed(self, error: Exception) -> None:
        self.go("worklist")
        self.show_error("The case cannot be shown", error)

    def _imported(self) -> None:
        # A session knows the cases it was opened with; the next one knows the new ones.
        if self.session is not None and not self.reading.reading:
            self.close_session()
        self.refresh()

    def _device_changed(self) -> None:
        if self.session is not None and self.session.tracker.info.id != self.devices.chosen:
            self.close_session()
        self.refresh()

    def _show_device(self) -> None:
        info = self.session.tracker.info if self.session else self.devices.info
        if info is None:
            self.window.show_device(f"Tracker: {self.devices.chosen}")
            return
        self.window.show_device(f"{info.name}", recording=self.session is not None)
        if self.study is not None:
            points = self.study.settings.calibration_points
            self.calibration_page.show_device(info.name, info.calibrates, points)

    def _ask_reader(self) -> None:
        if self.study is not None:
            ask_consent(self.window, self.study, "", self._take_reader)

    def _take_reader(self, pseudonym: str) -> None:
        self.choose_reader(pseudonym)
        self._consented = True
