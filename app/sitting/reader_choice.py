"""Who reads, with what consent, on which screen and tracker: from a wish to an open session."""

import platform
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from app.pages.setup.controller import tracked_screen
from app.recording.opening_rows import has_consented
from app.recording.session import ReadingSession
from app.shell.studies import ask_consent
from app.shell.window import MainWindow
from app.sitting.sessions import SessionKeeper
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.tracker import Tracker
from migrations.study.folder import Study

TrackerSource = Callable[[str, ScreenGeometry], Tracker]
Then = Callable[[], object]


class Attendance(QObject):
    """Asks for what a session needs and has it opened.

    Attributes
    ----------
    reader
        Pseudonym; None until one is chosen.
    geometry
        Of the screen the open session is recorded on.
    cleared_only
        Whether cases wait until their images are cleared of burned-in names.
    """

    def __init__(
        self,
        window: MainWindow,
        clock: HostClock,
        open_tracker: TrackerSource,
        sessions: SessionKeeper,
        *,
        reader: str | None,
        consented: bool,
    ) -> None:
        super().__init__(sessions.parent())
        self._window, self._clock, self._sessions = window, clock, sessions
        self._open_tracker = open_tracker
        self._consented = consented
        self.reader = reader
        self.geometry: ScreenGeometry | None = None
        self.cleared_only = True
        self._setup: dict[str, Any] = {}

    def choose(self, pseudonym: str, *, consented: bool = False) -> None:
        """Let someone else read."""
        if pseudonym != self.reader or consented:
            self.reader, self._consented = pseudonym, consented

    def measured(self, geometry: ScreenGeometry) -> None:
        """Take over the screen with the distance that was measured."""
        self.geometry = geometry

    def ask_reader(self, study: Study, chosen: Callable[[str], object]) -> None:
        """Ask a new reader for pseudonym and consent."""
        ask_consent(self._window, study, "", chosen)

    def with_session(self, study: Study, device_id: str, then: Then) -> None:
        """Do something with the session; one is opened first if need be, consent asked for."""
        if self.reader is None or self._sessions.opening:
            return
        agreed = self._consented or self._sessions.session is not None
        if agreed or has_consented(study, self.reader):
            self._open(study, self.reader, device_id, then)
            return

        def consent(_name: str) -> None:
            self._consented = True
            self.with_session(study, device_id, then)

        ask_consent(self._window, study, self.reader, consent)

    def _open(self, study: Study, reader: str, device_id: str, then: Then) -> None:
        if self._sessions.session is None:
            self.geometry, self._setup = tracked_screen(self._window.screen())
            self._window.show_device("Opening the tracker…")
        geometry, consented = self.geometry, self._consented
        cleared_only, setup = self.cleared_only, self._setup
        assert geometry is not None

        def make() -> ReadingSession:
            tracker = self._open_tracker(device_id, geometry)
            return ReadingSession.open(
                study,
                reader,
                tracker,
                self._clock,
                geometry,
                station=platform.node(),
                consented=consented,
                cleared_only=cleared_only,
                details=setup,
            )

        self._sessions.want(make, then)
