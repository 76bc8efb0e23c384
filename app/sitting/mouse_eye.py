"""Feeds the mouse pointer's place on the tracked screen as gaze."""

import math

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QCursor

from devices.gaze.geometry import ScreenGeometry
from devices.mouse import MouseTracker
from devices.tracker import Tracker

PERIOD_MS = 8


class MouseEye(QObject):
    """Idle unless the session's tracker is a `MouseTracker`."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._tracker: MouseTracker | None = None
        self._geometry: ScreenGeometry | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(PERIOD_MS)
        self._timer.timeout.connect(self._feed)

    def use(self, tracker: Tracker | None, geometry: ScreenGeometry | None) -> None:
        """Feed this tracker from now on; None for none."""
        self._geometry = geometry
        self._tracker = tracker if isinstance(tracker, MouseTracker) else None
        if self._tracker is not None and geometry is not None:
            self._timer.start()
        else:
            self._timer.stop()

    def _feed(self) -> None:
        tracker, geometry = self._tracker, self._geometry
        if tracker is None or geometry is None:
            return
        place = QCursor.pos()
        x_norm = (place.x() + 0.5 - geometry.x_desktop) / geometry.width_screen
        y_norm = (place.y() + 0.5 - geometry.y_desktop) / geometry.height_screen
        if not (0 <= x_norm <= 1 and 0 <= y_norm <= 1):
            x_norm = y_norm = math.nan
        tracker.move(x_norm, y_norm)
