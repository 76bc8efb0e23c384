"""Opens and closes reading sessions in workers: both wait for a device or the disk."""

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.errors import NotCommitted
from app.recording.session import ReadingSession
from app.ui.background import Task, run
from app.ui.text import tr

log = logging.getLogger(__name__)

Make = Callable[[], ReadingSession]
Callback = Callable[[], object]
_TRY_S = 5.0


class SessionKeeper(QObject):
    """Holds the station's only session.

    A session whose rows wait for the database is closed repeatedly until they are written.

    Attributes
    ----------
    session
        The open one; None before, after and in between.

    Signals
    -------
    opened
        A session is open; the request for it follows.
    closed
        Its rows are committed and the database is backed up.
    failed : str, object
        What failed, and the exception.
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
        self._after_close: Callback | None = None

    @property
    def opening(self) -> bool:
        """Whether a session is about to be open."""
        return self._opening is not None

    @property
    def held(self) -> ReadingSession | None:
        """The session that is open, or not closed yet."""
        return self._made[-1] if self._made else None

    @property
    def busy(self) -> bool:
        """Whether a session is open, or about to be open or closed."""
        return self.held is not None or self.opening

    def want(self, make: Make, then: Callback) -> None:
        """Do something with the session, opening it first if there is none."""
        if self.session is not None:
            then()
        elif self._closing is not None:
            self._after_close = lambda: self.want(make, then)
        elif self._opening is None:

            def work() -> None:
                self._made.append(make())

            self._opening = run(self, work, lambda _none: self._opened(then), self._not_opened)

    def close(self) -> None:
        """End the session; `closed` follows when everything is on the disk."""
        session, self.session = self.session, None
        if session is not None:
            self._close(session)

    def finish(self) -> None:
        """Wait until nothing is open any more; at the end of the program or of a study.

        Raises
        ------
        NotCommitted
            If rows are still waiting for the database.
        """
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

    def give_up(self) -> None:
        """Discard what cannot be written, as the user wants."""
        for session in self._made:
            log.critical("The station was closed; %d writes are lost.", session.writer.depth)
        self._made, self.session = [], None
        self._opening = self._closing = self._after_close = None

    def _close(self, session: ReadingSession) -> None:
        def answered(error: Exception) -> None:
            if isinstance(error, NotCommitted) and session in self._made:
                self._close(session)
            else:
                self._not_closed(error)

        self._closing = run(self, lambda: session.close(_TRY_S), self._closed, answered)

    def _opened(self, then: Callback) -> None:
        if self._opening is None:  # finished meanwhile
            return
        self._opening = None
        self.session = self._made[-1]
        self.opened.emit()
        then()

    def _not_opened(self, error: Exception) -> None:
        self._opening = None
        self.failed.emit(tr("The session could not be opened"), error)

    def _closed(self, _copy: object) -> None:
        if self._closing is not None:
            self._go_on()

    def _not_closed(self, error: Exception) -> None:
        if self._closing is not None:
            self.failed.emit(tr("The session could not be closed"), error)
            self._go_on()

    def _go_on(self) -> None:
        self._closing = None
        self._made.clear()
        self.closed.emit()
        after, self._after_close = self._after_close, None
        if after is not None:
            after()
