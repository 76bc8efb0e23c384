"""Work on the GUI thread in slices: the window responds between them."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer

from app.ui.gui_thread import is_alive

_BETWEEN_MS = 15
"""Time in which the changes of one slice are painted before the next one changes more."""


def in_slices(owner: QObject, steps: Iterable[Callable[[], object]]) -> Callable[[], None]:
    """Make calls one after another, each in an event of its own.

    Parameters
    ----------
    owner
        The owner of the calls: none is made once it is gone.

    Returns
    -------
    callable
        Forgets the remaining calls.
    """
    left = iter(steps)
    timer = QTimer(owner)

    def one() -> None:
        step = next(left, None)
        if step is None:
            stop()
        else:
            step()

    def stop() -> None:
        if is_alive(timer):
            timer.stop()
            timer.deleteLater()

    timer.timeout.connect(one)
    timer.start(_BETWEEN_MS)
    return stop
