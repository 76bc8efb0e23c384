"""Work of the GUI thread in slices: between two of them the window answers."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer

from app.ui.gui_thread import is_alive

_BETWEEN_MS = 15
"""In which what a slice changed is painted, before the next changes more."""


def in_slices(owner: QObject, steps: Iterable[Callable[[], object]]) -> Callable[[], None]:
    """Make calls one after another, each in an event of its own.

    Parameters
    ----------
    owner
        What the calls belong to: none is made once it is gone.

    Returns
    -------
    callable
        Forgets the calls that are still to come.
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
