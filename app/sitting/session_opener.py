"""From a request to an open session: which reader, consent, screen and tracker."""

import platform
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from app.pages.setup.controller import tracked_screen
from app.recording.opening_rows import has_consented, keep_attributes, not_yet_asked
from app.recording.session import ReadingSession
from app.recording.worklist import readers_of
from app.shell.window import MainWindow
from app.sitting.attributes_dialog import AttributesDialog
from app.sitting.sessions import Callback, SessionKeeper
from app.ui.dialogs import ConsentDialog
from app.ui.job import ChosenReader
from app.ui.text import tr
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.tracker import Tracker
from migrations.study.folder import Study

TrackerSource = Callable[[str, ScreenGeometry], Tracker]


class SessionOpener(QObject):
    """Asks for what a session needs and has it opened.

    Attributes
    ----------
    geometry
        Geometry of the screen on which the open session is recorded.
    """

    def __init__(
        self,
        window: MainWindow,
        clock: HostClock,
        open_tracker: TrackerSource,
        sessions: SessionKeeper,
        reader: ChosenReader,
    ) -> None:
        super().__init__(sessions.parent())
        self._window, self._clock, self._sessions = window, clock, sessions
        self._open_tracker, self._reader = open_tracker, reader
        self.geometry: ScreenGeometry | None = None
        self._setup: dict[str, Any] = {}
        self._said: dict[str, str] = {}

    def choose(self, pseudonym: str, *, consented: bool = False) -> None:
        """Let someone else read."""
        if pseudonym != self._reader.name or consented:
            self._reader.name, self._reader.consented = pseudonym, consented
            self._said = {}

    def measured(self, geometry: ScreenGeometry) -> None:
        """Use the screen with the measured distance."""
        self.geometry = geometry

    def ask_reader(self, study: Study, chosen: Callable[[str], object]) -> None:
        """Ask a new reader for pseudonym and consent."""
        self._ask_consent(study, "", chosen)

    def with_session(
        self, study: Study, device_id: str, then: Callback, declined: Callback = lambda: None
    ) -> None:
        """Do something with the session; if necessary, one is opened first and consent asked for.

        `declined` is called where the reader does not consent.
        """
        reader = self._reader
        name = reader.name
        if name is None or self._sessions.opening:
            return
        agreed = reader.consented or self._sessions.session is not None
        if agreed or has_consented(study, name):
            self._ask_attributes(
                study, name, lambda: self._open(study, name, device_id, then), declined
            )
            return

        def consent(_name: str) -> None:
            reader.consented = True
            self.with_session(study, device_id, then, declined)

        self._ask_consent(study, name, consent, declined)

    def _ask_consent(
        self,
        study: Study,
        pseudonym: str,
        agreed: Callable[[str], object],
        declined: Callback = lambda: None,
    ) -> None:
        """Show the consent text, and ask for a pseudonym if none is given; does not wait."""
        taken = set(readers_of(study, None))
        text = study.settings.consent
        ConsentDialog(self._window, text, pseudonym, taken.__contains__, agreed, declined).open()

    def _ask_attributes(
        self, study: Study, pseudonym: str, then: Callback, declined: Callback
    ) -> None:
        """Ask a person, once, what the study wants to know about its readers."""
        is_person = self._reader.cleared_only
        if not is_person or self._said or self._sessions.session is not None:
            then()
            return
        asked = not_yet_asked(study, pseudonym)
        if not asked:
            then()
            return

        def said(values: dict[str, str]) -> None:
            self._said = values
            then()

        AttributesDialog(self._window, asked, said, declined).open()

    def _open(self, study: Study, reader: str, device_id: str, then: Callback) -> None:
        if self._sessions.session is None:
            self.geometry, self._setup = tracked_screen(self._window.screen())
            self._window.show_device(tr("Opening the tracker…"))
        geometry, consented = self.geometry, self._reader.consented
        cleared_only, setup, said = self._reader.cleared_only, self._setup, dict(self._said)
        assert geometry is not None

        def make() -> ReadingSession:
            tracker = self._open_tracker(device_id, geometry)
            session = ReadingSession.open(
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
            try:
                keep_attributes(study, reader, said)  # the reader has a row now, even a new one
            except BaseException:
                session.close()
                raise
            return session

        self._sessions.want(make, then)
