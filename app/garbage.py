"""Python's cycle collector, on the GUI thread only.

Collected in a worker thread it would destroy Qt objects there, which crashes.
"""

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 500


class GuiGarbageCollector(QObject):
    """Switches the automatic collector off and collects by a timer; `stop` undoes it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        self._thresholds = gc.get_threshold()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.check)
        self._timer.start()

    def check(self) -> None:
        """Collect the oldest generation that is due, as the automatic collector would."""
        counts = gc.get_count()
        for generation in (2, 1, 0):
            if counts[generation] > max(self._thresholds[generation], 1):
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Give collecting back to Python."""
        self._timer.stop()
        if self._was_enabled:
            gc.enable()
