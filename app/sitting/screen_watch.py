"""Watches the tracked screen: a change of resolution or scaling in a session makes gaze wrong."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QScreen

from app.pages.setup.controller import tracked_screen
from app.ui.text import tr
from devices.gaze.geometry import ScreenGeometry

CHANGED = "Its resolution, scaling or position has changed. Check the image, then resume."


class ScreenWatch(QObject):
    """Reports when the screen of a session has changed.

    Parameters
    ----------
    changed
        Called with the screen as it is now and what to say.
    """

    def __init__(self, changed: Callable[[ScreenGeometry, str], object], parent: QObject) -> None:
        super().__init__(parent)
        self._changed = changed
        self._screen: QScreen | None = None
        self._known: ScreenGeometry | None = None

    def follow(self, screen: QScreen | None, geometry: ScreenGeometry | None) -> None:
        """Watch a screen, or none."""
        if self._screen is not None and screen is not self._screen:
            self._screen.geometryChanged.disconnect(self._compare)
            self._screen.physicalDotsPerInchChanged.disconnect(self._compare)
        if screen is not None and screen is not self._screen:
            screen.geometryChanged.connect(self._compare)
            screen.physicalDotsPerInchChanged.connect(self._compare)
        self._screen, self._known = screen, geometry

    def measured(self, geometry: ScreenGeometry) -> None:
        """Use the measured distance."""
        self._known = geometry

    def _compare(self) -> None:
        if self._screen is None or self._known is None:
            return
        now = tracked_screen(self._screen)[0].at_distance_of(self._known)
        if now != self._known:
            self._known = now
            self._changed(now, tr(CHANGED))
