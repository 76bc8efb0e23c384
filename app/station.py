"""The station: the one place that owns clock, tracker, session and window, and joins the rest.

Start-up: a fine clock is required, the window shown, the study opened (what a crash left open is
closed), trackers looked for. A session opens with the first calibration or reading and closes when
the reader, the tracker or the study changes, or the window closes.
"""

import logging
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.errors import AppError
from app.pages.clearing.controller import ClearingController
from app.pages.pretrain.controller import TrainingController
from app.pages.review.controller import ReviewController
from app.pages.settings.controller import SettingsController
from app.pages.setup.controller import SetupController
from app.pages.worklist.devices import DeviceController
from app.pages.worklist.importing import ImportController
from app.recording.recovery import close_interrupted
from app.recording.replay_device import PREFIX, replay_tracker
from app.recording.session import ReadingSession
from app.recording.stimulus import FindingSource
from app.shell.bugs import BugHook
from app.shell.recent import recent_studies, remember
from app.shell.shell import Shell
from app.shell.studies import ask_new_study, ask_study
from app.shell.window import MainWindow
from app.shell.workspace_door import WorkspaceDoor
from app.sitting.reader_choice import TrackerSource
from app.sitting.reading_room import ReadingRoom
from app.ui.garbage import GuiGarbageCollector
from devices.catalogue import open_tracker
from devices.clock import HostClock, require_fine_clock
from devices.gaze.errors import GazeError
from devices.gaze.geometry import ScreenGeometry
from devices.tracker import Tracker
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.settings import StudySettings

log = logging.getLogger(__name__)

KNOWN_ERRORS = (AppError, GazeError, StudyError)
"""The user's environment, not our mistakes: told in their own words, without a traceback."""


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
        self._closed = False
        self._collector = GuiGarbageCollector(self)
        self._shell = Shell(window or MainWindow(), full_screen=full_screen)
        source = tracker_source or partial(self._open_tracker, rate_hz=rate_hz, seed=seed)
        self._room = ReadingRoom(
            self._shell,
            self.clock,
            source,
            finding_source,
            reader=reader,
            consented=consented,
            changed=self._show_tracker,
            to_worklist=lambda: self.go("worklist"),
            refresh=self.refresh,
            parent=self,
        )
        self._name_parts()
        self.imports = ImportController(self.worklist_page, self)
        self.clearing = ClearingController(self._shell.clearing, self)
        self.devices = DeviceController(self.worklist_page, device_id, self._device_changed, self)
        self.training = TrainingController(self.training_page, self)
        self.workspace = WorkspaceDoor(
            self.window, self.training, self.go, self.show_error, self.replay, self
        )
        self.review = ReviewController(self._shell.review, lambda: self._room.sessions.busy, self)
        self.setup = SetupController(
            self._shell.setup, self.window.screen, self.reading_page.use_keys, self.close_session,
            self.show_error, self,
        )  # fmt: skip
        self.settings = SettingsController(
            self._shell.settings, self._reopen, self.show_error, self
        )
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

    @property
    def reader(self) -> str | None:
        """Who reads."""
        return self._room.attendance.reader

    @property
    def last_error(self) -> str:
        """What the user was told last, empty at first."""
        return self._shell.last_error

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
        self._shell.leave_bare()
        self.window.show_page(name)
        self._open_page(name)
        if not self.workspace.refresh(name):
            self.refresh()

    def replay(self, reading_id: str) -> None:
        """Play a reading again, for the researcher."""
        self.go("review")
        self.review.show(None, researcher=True, reading_id=reading_id)

    def _open_tracker(
        self, name: str, geometry: ScreenGeometry, *, rate_hz: float | None, seed: int
    ) -> Tracker:
        if name.startswith(PREFIX) and self.study is not None:
            return replay_tracker(self.study, name)
        network = self.study is not None and self.study.settings.lsl_network
        return open_tracker(name, geometry, rate_hz=rate_hz, seed=seed, network=network)

    def screenshot(self, name: str, path: Path) -> None:
        """Write a picture of the window showing a page, or of the page as it is if it is shown."""
        self._shell.screenshot(name, path)

    def refresh(self) -> None:
        """Read again what the pages show of the study."""
        if self.study is not None and not self._closed:
            cleared_only = self._room.attendance.cleared_only
            self._shell.show_study(self.study, self.reader, cleared_only=cleared_only)
            self._show_tracker()

    def offer_all(self) -> None:
        """Offer cases with images nobody has cleared too: what reads is no person."""
        self._room.attendance.cleared_only = False
        self.refresh()

    def show_error(self, title: str, error: Exception | str) -> None:
        """Say what went wrong; recording goes on behind the message."""
        self._shell.show_error(title, error)

    # ---- study and reader ------------------------------------------------------------------

    def use_study(self, study: Study) -> None:
        """Show an open study; an open session of another one is closed."""
        self._finish_sessions()
        if self.study is not None and self.study is not study:
            self.study.close()
        found = close_interrupted(study.database)
        self.study = study
        self.devices.set_study(study)
        self.imports.set_study(study)
        self.clearing.set_study(study)
        self.review.set_study(study)
        self.settings.set_study(study)
        self.training.set_study(study)
        self.workspace.set_study(study)
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
            self._shell.refuse_study(error)

    def create_study(self, folder: Path) -> None:
        """Make a study in a folder and open it."""
        try:
            self.use_study(Study.create(folder, StudySettings(name=folder.name), durable=True))
        except (StudyError, OSError) as error:
            log.warning("A study could not be made.", exc_info=True)
            self._shell.refuse_study(error)

    def choose_reader(self, pseudonym: str, *, consented: bool = False) -> None:
        """Let someone else read."""
        if pseudonym != self.reader:
            self.close_session()
        self._room.attendance.choose(pseudonym, consented=consented)
        self.refresh()

    # ---- sessions --------------------------------------------------------------------------

    def start_reading(self) -> None:
        """Open a session if there is none, and show the next case."""
        if self.study is not None:
            self._room.start_reading(self.study, self.devices.chosen)

    def start_calibration(self, *, validate_only: bool = False) -> None:
        """Open a session if there is none, and calibrate."""
        self.window.show_page("calibration")
        if self.study is not None:
            chosen = self.devices.chosen
            self._room.start_calibration(self.study, chosen, validate_only=validate_only)

    def close_session(self) -> None:
        """End the session; its rows are committed and the database is copied in a worker."""
        self._room.close_session()

    def close(self) -> None:
        """End everything that runs; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self.imports.close()
        self.clearing.close()
        self.devices.close()
        self._finish_sessions()
        self.training.close()
        self.workspace.close()
        if self.study is not None:
            self.study.close()
        self._collector.stop()
        self._bugs.remove()

    # ---- inside ----------------------------------------------------------------------------

    def _name_parts(self) -> None:
        shell, room = self._shell, self._room
        self.window, self.pages = shell.window, shell.pages
        self.start_page, self.worklist_page = shell.start, shell.worklist
        self.calibration_page, self.reading_page = shell.calibration, shell.reading
        self.training_page = shell.training
        self.sessions, self.reading = room.sessions, room.reading
        self.calibration, self.eye = room.calibration, room.eye

    def _connect(self) -> None:
        window, work, calibrate = self.window, self.worklist_page, self.calibration_page
        window.page_wanted.connect(self.go)
        window.closing.connect(self.close)
        self.start_page.open_requested.connect(lambda: ask_study(window, self.open_study))
        self.start_page.create_requested.connect(lambda: ask_new_study(window, self.create_study))
        self.start_page.study_chosen.connect(self.open_study)
        work.reader_chosen.connect(self.choose_reader)
        work.reader_wanted.connect(self._ask_reader)
        work.calibrate_wanted.connect(self.start_calibration)
        work.reading_wanted.connect(self.start_reading)
        work.clearing_wanted.connect(lambda: self.go("clearing"))
        self._shell.clearing.left.connect(lambda: self.go("worklist"))
        self.clearing.changed.connect(self._imported)
        self.clearing.failed.connect(self.show_error)
        self._shell.review.end_wanted.connect(self._end_session_and_review)
        self.sessions.opened.connect(self._tracker_known)
        self.sessions.closed.connect(self._session_closed)
        calibrate.begin_wanted.connect(self.start_calibration)
        calibrate.validate_wanted.connect(lambda: self.start_calibration(validate_only=True))
        calibrate.reading_wanted.connect(self.start_reading)
        self.imports.changed.connect(self._imported)

    def _open_page(self, name: str) -> None:
        """Fill a page that is about to be seen."""
        if name == "clearing":
            self.clearing.show()
        elif name == "review":
            self.review.show(self.reader, researcher=self.window.in_workspace)
        elif name == "setup":
            self.setup.show()

    def _reopen(self, study: Study) -> None:
        """Open a study again whose settings were written anew; the page stays."""
        self.use_study(Study.open(study.folder, durable=True))
        self.workspace.reopen("settings")

    def _tracker_known(self) -> None:
        if self.session is not None:
            self.setup.tracker_known(self.session.tracker)

    def _session_closed(self) -> None:
        if self.window.current == "review":
            self._open_page("review")

    def _end_session_and_review(self) -> None:
        self.close_session()
        self.go("review")

    def _finish_sessions(self) -> None:
        try:
            self._room.finish()
        except KNOWN_ERRORS as error:
            self.show_error("The session could not be closed", error)

    def _imported(self) -> None:
        # A session knows the cases it was opened with; the next one knows the new ones.
        if self.session is not None and not self.reading.reading:
            self.close_session()
        self.refresh()

    def _device_changed(self) -> None:
        if self.session is not None and self.session.tracker.info.id != self.devices.chosen:
            self.close_session()
        self.refresh()

    def _show_tracker(self) -> None:
        if self._closed:
            return
        info = self.session.tracker.info if self.session else self.devices.info
        points = self.study.settings.calibration_points if self.study else 0
        recording = self.session is not None
        self._shell.show_tracker(info, self.devices.chosen, points, recording=recording)

    def _ask_reader(self) -> None:
        if self.study is not None:
            self._room.attendance.ask_reader(
                self.study, lambda name: self.choose_reader(name, consented=True)
            )
