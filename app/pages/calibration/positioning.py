"""Before a calibration: the reader sits down before the tracker, and the calibration begins."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.pages.calibration.page import CalibrationPage
from app.recording.calibration.earlier import FormerCalibration
from app.recording.calibration.posture import posture
from app.recording.session import ReadingSession
from devices.tracker import PositionGuide

_EVERY_MS = 50
WELL_US, WITH_CHOICE_US = 1_500_000, 3_000_000
"""How long the reader must sit well until it begins by itself; longer where there is a choice."""

Done = Callable[[bool], object]


class Positioning(QObject):
    """Shows the head until the reader sits well, or wants to begin all the same."""

    def __init__(self, page: CalibrationPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._session: ReadingSession | None = None
        self._former: FormerCalibration | None = None
        self._done: Done = lambda _reapply: None
        self._well_since_us: int | None = None
        self._look_again = QTimer(self)
        self._look_again.setInterval(_EVERY_MS)
        self._look_again.timeout.connect(self._look)
        page.guide.begin_wanted.connect(lambda: self._end(reapply=False))
        page.guide.reapply_wanted.connect(self._reapply)

    def start(self, session: ReadingSession, former: FormerCalibration | None, done: Done) -> None:
        """Show the guide; `done` is told whether the earlier calibration is to be used again.

        A tracker that tells no place, where there is nothing to choose either, is not waited for.
        """
        self._session, self._former, self._done = session, former, done
        self._well_since_us = None
        if former is None and not isinstance(session.tracker, PositionGuide):
            self._end(reapply=False)
            return
        self._page.show_guide()
        self._look_again.start()
        self._look()

    def stop(self) -> None:
        """Give up."""
        self._look_again.stop()
        self._session = None

    def _look(self) -> None:
        if self._session is None:
            return
        tracker, now_us = self._session.tracker, self._session.clock.now_us()
        if not isinstance(tracker, PositionGuide):
            self._page.guide.show_eyes(None, None, "Sit as you will read", self._keys(), well=False)
            return
        position = tracker.user_position()
        told = posture(position)
        left, right = (position.left, position.right) if position else (None, None)
        self._page.guide.show_eyes(left, right, told.text, self._keys(), well=told.well)
        if not told.well:
            self._well_since_us = None
        elif self._well_since_us is None:
            self._well_since_us = now_us
        elif now_us - self._well_since_us >= (WITH_CHOICE_US if self._former else WELL_US):
            self._end(reapply=False)

    def _keys(self) -> str:
        again = ""
        if self._former is not None:
            made = self._former.made_utc[:16].replace("T", " ")
            again = f"R uses your calibration of {made} UTC again, checked first   ·   "
        return f"{again}Begins when you sit well, or with Space   ·   Esc gives up"

    def _reapply(self) -> None:
        if self._former is not None:
            self._end(reapply=True)

    def _end(self, *, reapply: bool) -> None:
        if self._session is None:
            return
        self.stop()
        self._done(reapply)
