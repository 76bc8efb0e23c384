"""The station: the only place that owns clock, study and window, and connects the jobs.

Start-up: a fine clock is required, the window shown, the study opened (what a crash left open is
closed), trackers looked for. A session opens with the first calibration or reading and closes when
the reader, the tracker or the study changes, or the window closes.
"""

import sys
from functools import partial

from PySide6.QtCore import QObject

from app import jobs
from app.errors import AppError
from app.recording.recovery import close_interrupted
from app.recording.replay_device import PREFIX, replay_tracker
from app.recording.stimulus import FindingSource
from app.shell.bugs import BugHook
from app.shell.only_window import OnlyWindow
from app.shell.recent import remember
from app.shell.shell import Shell
from app.shell.studies import StudyChooser
from app.shell.window import MainWindow
from app.sitting.coordinator import SessionCoordinator
from app.sitting.session_opener import TrackerSource
from app.ui.garbage import GuiGarbageCollector
from app.ui.job import ChosenReader, JobContext, Kind, Notices, StationJob, job_of
from app.ui.text import tr
from devices.catalogue import open_tracker
from devices.clock import HostClock, require_fine_clock
from devices.gaze.errors import GazeError
from devices.gaze.geometry import ScreenGeometry
from devices.tracker import Tracker
from migrations.study.errors import StudyError
from migrations.study.folder import Study

KNOWN_ERRORS = (AppError, GazeError, StudyError)
"""Errors of the user's environment, not bugs: told in their own words, without a traceback."""
_TURN_S = 0.001
"""After which a working thread lets the window have its turn: with Python's own 5 ms, a few threads
that read a large study stopped it for 0.1 s."""


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
        Whether that reader has already agreed by other means (the demo's simulated reader).
    speed
        Speed of the clock; 1.0 is real time.
    finding_source
        What a simulated reader finds in an image; if None, salient places.
    full_screen
        Whether calibration and reading take the whole screen.
    tracker_source
        Opens a tracker by id; the catalogue unless given.
    window
        Already shown while everything else was loading; a new one if None.

    Attributes
    ----------
    window, shell
        The window, and what surrounds its pages.
    jobs
        All jobs, each with its pages; `job` finds one by its class.
    sitting
        The open session and everything that needs one.
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
        sys.setswitchinterval(_TURN_S)
        self.clock = HostClock(speed)
        self.study: Study | None = None
        self._closed = False
        self._collector = GuiGarbageCollector(self)
        self._notices = Notices(self)
        entered = self._notices.workspace_entered.emit
        self.shell = Shell(window or MainWindow(), self.go, entered, full_screen=full_screen)
        self.window = self.shell.window
        context = self._context(ChosenReader(reader, consented), device_id)
        self.jobs = [make(context) for make in jobs.JOBS]
        for job in self.jobs:
            self.window.add_pages(job.pages)
        source = tracker_source or partial(self._open_tracker, rate_hz=rate_hz, seed=seed)
        self.sitting = SessionCoordinator(
            self.shell, context, self.jobs, self.clock, source, finding_source
        )
        self.window.closing.connect(self.close)
        self._only = OnlyWindow(self)
        self._only.wanted.connect(self.shell.come_up)
        self._studies = StudyChooser(self.shell, self.use_study, self.sitting.worklist)
        self._bugs = BugHook(self.shell.show_error)
        if study is not None:
            self.use_study(study)
        else:
            self._studies.show_recent()

    def job(self, kind: type[Kind]) -> Kind:
        """Return a job by its class."""
        return job_of(self.jobs, kind)

    def show(self) -> None:
        """Show the window and look for trackers."""
        self.window.show()
        self.sitting.worklist.devices.search()

    def go(self, name: str) -> None:
        """Go to a page, if the station is in a state that allows it."""
        if name == "reading":
            self.sitting.start_reading()
        elif not self.sitting.reading.reading:
            self.shell.leave_bare()
            self.window.show_page(name)
            self._job_with(name).refresh()

    def use_study(self, study: Study) -> None:
        """Show an open study; an open session of another one is closed.

        If another window has it open, that one comes to the front, and this one says so.
        """
        if not self._only.claim(study.folder):
            self.shell.refuse_study(
                tr("{name} is open in another window, which was brought to the front.",
                   name=study.settings.name)
            )  # fmt: skip
            if study is not self.study:
                study.close()
            return
        self._finish_sessions()
        if self.study is not None and self.study is not study:
            self.study.close()
        found = close_interrupted(study.database)
        self.study = study
        self.window.open_workspace(False)
        self.window.show_study(study.settings.name)
        for job in self.jobs:
            job.open(study)
        self.sitting.open(study)
        remember(study.folder)
        self.go("worklist")
        if found:
            self.sitting.worklist.say_cut_off(len(found))

    def close(self) -> None:
        """End everything that runs; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for job in self.jobs:
            job.close()
        self._finish_sessions()
        if self.study is not None:
            self.study.close()
        self._only.release()
        self._collector.stop()
        self._bugs.remove()

    def _context(self, reader: ChosenReader, device_id: str) -> JobContext:
        return JobContext(
            parent=self,
            window=self.window,
            notices=self._notices,
            reader=reader,
            device_id=device_id,
            go=self.go,
            show_error=self.shell.show_error,
            close_session=lambda: self.sitting.close_session(),
            session_busy=lambda: self.sitting.sessions.busy,
            reopen_study=self._reopen,
        )

    def _job_with(self, page: str) -> StationJob:
        return next(job for job in self.jobs if any(each.name == page for each in job.pages))

    def _reopen(self, study: Study) -> None:
        """Open a study again after its settings were rewritten; the page stays."""
        page = self.window.current
        self.use_study(Study.open(study.folder, durable=True))
        self.shell.enter_workspace(page)

    def _open_tracker(
        self, name: str, geometry: ScreenGeometry, *, rate_hz: float | None, seed: int
    ) -> Tracker:
        if name.startswith(PREFIX) and self.study is not None:
            return replay_tracker(self.study, name)
        network = self.study is not None and self.study.settings.lsl_network
        return open_tracker(name, geometry, rate_hz=rate_hz, seed=seed, network=network)

    def _finish_sessions(self) -> None:
        try:
            self.sitting.finish()
        except KNOWN_ERRORS as error:
            self.shell.show_error("The session could not be closed", error)
