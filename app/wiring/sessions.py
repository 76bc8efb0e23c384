"""Opens and closes reading sessions in workers: both wait for a device or the disk."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.background import Task, run
from app.reading.session import ReadingSession

Make = Callable[[], ReadingSession]
Then = Callable[[], object]


class SessionKeeper(QObject):
    """Holds the one session of the station.

    Attributes
    ----------
    session
        The open one; None before, after and in between.

    Signals
    -------
    opened
        A session is open; what was wanted of it follows.
    closed
        Its rows are committed and the database is copied.
    failed : str, object
        What could not be done, and the exception.
    """

    opened = Signal()
    closed = Signal()
    failed = Signal(str, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.session: ReadingSession | None = None
        self._made: list[ReadingSession] = []
        self._opening: Task | None = None
        self._closing: Task | None = None
        self._after_close: Then | None = None

    @property
    def opening(self) -> bool:
        """Whether a session is about to be open."""
        return self._opening is not None

    def want(self, make: Make, then: Then) -> None:
        """Do something with the session, opening it first where there is none."""
        if self.session is not None:
            then()
        elif self._closing is not None:
            self._after_close = lambda: self.want(make, then)
        elif self._opening is None:

            def work() -> None:
                self._made.append(make())

            self._opening = run(self, work, lambda _none: self._opened(then), self._not_opened)

    def close(self) -> None:
        """End the session; `closed` follows when all is on the disk."""
        session, self.session = self.session, None
        if session is not None:
            self._closing = run(self, session.close, self._closed, self._not_closed)

    def finish(self) -> None:
        """Wait until nothing is open any more; for the end of the program or of a study."""
        self._after_close = None
        if self._opening is not None:
            self._opening.wait()
            self._opening = None
        if self._closing is not None:
            self._closing.wait()
            self._closing = None
        made, self._made = self._made, []
        self.session = None
        for session in made:
            session.close()  # a second time does nothing

    def _opened(self, then: Then) -> None:
        if self._opening is None:  # finished meanwhile
            return
        self._opening = None
        self.session = self._made[-1]
        self.opened.emit()
        then()

    def _not_opened(self, error: Exception) -> None:
        self._opening = None
        self.failed.emit("The session could not be opened", error)

    def _closed(self, _copy: object) -> None:
        self._made.clear()
        self._go_on()

    def _not_closed(self, error: Exception) -> None:
        self._go_on()
        self.failed.emit("The session could not be closed", error)

    def _go_on(self) -> None:
        self._closing = None
        self.closed.emit()
        after, self._after_close = self._after_close, None
        if after is not None:
            after()
