"""Before a calibration: the reader sits down in front of the tracker, then it begins."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.pages.calibration.page import CalibrationPage
from app.recording.calibration.earlier import EarlierCalibration
from app.recording.calibration.posture import posture
from app.recording.session import ReadingSession
from app.ui.text import tr
from devices.tracker import PositionGuide

_EVERY_MS = 50
WELL_US, WITH_CHOICE_US = 1_500_000, 3_000_000
"""How long the reader must sit well before it begins by itself; longer if there is a choice."""

Done = Callable[[bool], object]


class Positioning(QObject):
    """Shows the head until the reader sits well, or wants to begin anyway."""

    def __init__(self, page: CalibrationPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._session: ReadingSession | None = None
        self._earlier: EarlierCalibration | None = None
        self._done: Done = lambda _reapply: None
        self._well_since_us: int | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._check)
        page.guide.begin_wanted.connect(lambda: self._end(reapply=False))
        page.guide.reapply_wanted.connect(self._reapply)

    def start(
        self, session: ReadingSession, earlier: EarlierCalibration | None, done: Done
    ) -> None:
        """Show the guide; `done` is told whether to use the earlier calibration again.

        A tracker that gives no position is not waited for, unless there is a choice to make.
        """
        self._session, self._earlier, self._done = session, earlier, done
        self._well_since_us = None
        if earlier is None and not isinstance(session.tracker, PositionGuide):
            self._end(reapply=False)
            return
        self._page.show_guide()
        self._timer.start()
        self._check()

    def stop(self) -> None:
        """Cancel."""
        self._timer.stop()
        self._session = None

    def _check(self) -> None:
        if self._session is None:
            return
        tracker, now_us = self._session.tracker, self._session.clock.now_us()
        if not isinstance(tracker, PositionGuide):
            said = tr("Sit as you do when you read")
            self._page.guide.show_eyes(None, None, said, self._keys(), well=False)
            return
        position = tracker.user_position()
        advice = posture(position)
        left, right = (position.left, position.right) if position else (None, None)
        self._page.guide.show_eyes(left, right, advice.text, self._keys(), well=advice.well)
        if not advice.well:
            self._well_since_us = None
        elif self._well_since_us is None:
            self._well_since_us = now_us
        elif now_us - self._well_since_us >= (WITH_CHOICE_US if self._earlier else WELL_US):
            self._end(reapply=False)

    def _keys(self) -> str:
        keys = [tr("Starts when your position is good, or press Space"), tr("Esc to cancel")]
        if self._earlier is not None:
            made = self._earlier.made_utc[:16].replace("T", " ")
            keys.insert(0, tr("R to check and reuse your calibration of {made} UTC", made=made))
        return "   ·   ".join(keys)

    def _reapply(self) -> None:
        if self._earlier is not None:
            self._end(reapply=True)

    def _end(self, *, reapply: bool) -> None:
        if self._session is None:
            return
        self.stop()
        self._done(reapply)
