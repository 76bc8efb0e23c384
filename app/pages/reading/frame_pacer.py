"""Changes of the view reach the screen, and the rows, at most once per frame."""

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

from app.hanging.lightbox import Changes

FRAME_MS = 16
"""On a 60-Hz screen."""


class FramePacer(QObject):
    """Holds changes back until their frame; the last one to a tile in a frame counts.

    Parameters
    ----------
    show
        Called with the changes of a frame.
    """

    def __init__(self, parent: QObject, show: Callable[[Changes], object]) -> None:
        super().__init__(parent)
        self._show = show
        self._pending: Changes = {}
        self._since_frame = QElapsedTimer()
        self._since_frame.start()
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.timeout.connect(self.flush)

    def add(self, changed: Changes) -> None:
        """Accept changes; they are shown at once if a frame has passed since the last."""
        self._pending |= {tile: kind for tile, kind in changed.items() if kind}
        waited_ms = self._since_frame.elapsed()
        if waited_ms >= FRAME_MS:
            self.flush()
        elif not self._next.isActive():
            self._next.start(FRAME_MS - waited_ms)

    def flush(self) -> None:
        """Show what is waiting, now."""
        self._next.stop()
        pending, self._pending = self._pending, {}
        if pending:
            self._since_frame.restart()
            self._show(pending)

    def forget(self) -> None:
        """Discard what is waiting: it is no longer on the screen."""
        self._next.stop()
        self._pending = {}
