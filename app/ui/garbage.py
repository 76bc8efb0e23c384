"""Python's cycle collector, only on the GUI thread.

If it ran in a worker thread, it would destroy Qt objects there, which crashes. Objects made while
libraries were imported are not examined again: they live as long as the program, and examining all
of them stops the window for a tenth of a second.
"""

import gc
from typing import ClassVar

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 500


class GuiGarbageCollector(QObject):
    """Switches the automatic collector off and collects by a timer; `stop` undoes it.

    If several are running, the last one to stop restores Python's collector.
    """

    _running: ClassVar[set[int]] = set()
    _was_enabled: ClassVar[bool] = True

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        kind = GuiGarbageCollector
        if not kind._running:
            kind._was_enabled = gc.isenabled()
        kind._running.add(id(self))
        gc.disable()
        keep_what_there_is()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.check)
        self._timer.start()

    def check(self) -> None:
        """Collect the oldest generation that is due, as the automatic collector would."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if counts[generation] > max(thresholds[generation], 1):
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Restore Python's collector; safe to call twice."""
        self._timer.stop()
        running = GuiGarbageCollector._running
        was_running = id(self) in running
        running.discard(id(self))
        if was_running and not running:
            gc.unfreeze()
            if self._was_enabled:
                gc.enable()


def keep_what_there_is() -> None:
    """Never examine existing objects again, e.g. after an import; `stop` undoes it.

    Unreferenced objects are still freed at once; only cycles are kept.
    """
    if GuiGarbageCollector._running:
        gc.freeze()
