"""How a thread passes something to the GUI thread, whatever has been deleted there meanwhile.

A signal must not be emitted by an object that another thread may be deleting at that moment: Qt
then reads freed memory, which no `except` catches. So threads use one object that is never deleted,
and the receiver of a call is looked up on the GUI thread.
"""

from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal

Call = Callable[[], object]


class _Mailbox(QObject):
    """Makes calls on the thread on which it was created."""

    sent = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.sent.connect(self._make, Qt.ConnectionType.QueuedConnection)

    def _make(self, call: Call) -> None:
        call()


_kept: list[_Mailbox] = []


def gui_mailbox() -> Callable[[Call], object]:
    """Return a function that passes calls to the GUI thread; get it there, use it anywhere."""
    if not _kept:
        _kept.append(_Mailbox())
    return _kept[0].sent.emit


def is_alive(thing: QObject) -> bool:
    """Tell, on the GUI thread, whether an object has not been deleted by Qt."""
    return bool(shiboken6.isValid(thing))
