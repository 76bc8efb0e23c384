"""Closing the window: not before everything recorded or typed is saved, unless the user insists."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.shell.window import MainWindow
from app.sitting.sessions import SessionKeeper
from app.ui.dialogs import ConfirmDialog, SavingDialog
from app.ui.text import told, tr

_PATIENCE_MS = 700
_EVERY_MS = 300


class ClosingGuard(QObject):
    """Keeps the window open while rows are being written; it then closes by itself.

    Parameters
    ----------
    end_session
        Ends what is open, in a worker.

    Attributes
    ----------
    in_mid_case
        Whether a case is being read; the user is then asked before closing.
    pause
        Hides the images while it asks.
    unsaved
        What was typed and would be lost, in a sentence; "" for nothing.
    """

    def __init__(
        self, window: MainWindow, sessions: SessionKeeper, end_session: Callable[[], object]
    ) -> None:
        super().__init__(sessions.parent())
        self._window, self._sessions, self._end_session = window, sessions, end_session
        self.in_mid_case: Callable[[], bool] = lambda: False
        self.pause: Callable[[], object] = lambda: None
        self.unsaved: Callable[[], str] = lambda: ""
        self._asking = False
        self._may_lose = False
        self._is_closing = False
        self._dialog: SavingDialog | None = None
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._ask)
        self._poll = QTimer(self)
        self._poll.setInterval(_EVERY_MS)
        self._poll.timeout.connect(self._show_waiting)
        sessions.opened.connect(self._opened)
        sessions.closed.connect(self._done)
        sessions.failed.connect(lambda _title, _error: self.stay())
        window.may_close = self.may_close
        window.destroyed.connect(self._patience.stop)
        window.destroyed.connect(self._poll.stop)

    def may_close(self) -> bool:
        """Return whether nothing waits to be written; otherwise have it written, then close."""
        unsaved = "" if self._may_lose else self.unsaved()
        if unsaved and not self._is_closing:
            self._confirm_loss(unsaved)
            return False
        if not self._sessions.busy:
            return True
        if self.in_mid_case() and not self._is_closing:
            self._confirm()
        elif not self._is_closing:
            self._end()
        return False

    def stay(self) -> None:
        """Keep the window open after all."""
        self._may_lose = False
        self._end_waiting()

    def _end_waiting(self) -> None:
        self._is_closing = False
        self._patience.stop()
        self._hide()

    def _confirm_loss(self, unsaved: str) -> None:
        """Ask whether what was typed may be lost."""
        if self._asking:
            return
        self._asking = True
        if self.in_mid_case():
            self.pause()
        ConfirmDialog(
            self._window,
            tr("Close Foveate without saving?"),
            unsaved,
            ("close_unsaved", tr("Close without saving"), self._lose),
            tr("Stay"),
            self._answered,
        ).open()

    def _lose(self) -> None:
        self._answered()
        self._may_lose = True
        self._window.close()

    def _confirm(self) -> None:
        """Ask whether to leave in the middle of a case."""
        if self._asking:
            return
        self._asking = True
        self.pause()
        ConfirmDialog(
            self._window,
            tr("Close Foveate in the middle of a case?"),
            tr("The reading is saved as interrupted, and the case will be shown again."),
            ("close_anyway", tr("Close Foveate"), self._close_anyway),
            tr("Stay"),
            self._kept,
        ).open()

    def _kept(self) -> None:
        self._answered()
        self._may_lose = False

    def _answered(self) -> None:
        self._asking = False

    def _close_anyway(self) -> None:
        self._answered()
        self._end()

    def _end(self) -> None:
        self._is_closing = True
        self._end_session()
        self._patience.start(_PATIENCE_MS)

    def _opened(self) -> None:
        if self._is_closing:  # it was being opened when the window was about to close
            QTimer.singleShot(0, self._end_session)

    def _done(self) -> None:
        if self._is_closing:
            self._end_waiting()
            self._window.close()

    def _ask(self) -> None:
        self._dialog = SavingDialog(self._window, self.stay, self._insist)
        self._show_waiting()
        self._poll.start()
        self._dialog.open()

    def _show_waiting(self) -> None:
        held = self._sessions.held
        if self._dialog is not None and held is not None:
            said = held.writer.said
            self._dialog.show_waiting(held.writer.depth, told(said) if said is not None else "")

    def _insist(self) -> None:
        self._sessions.give_up()
        self._end_waiting()
        self._window.close()

    def _hide(self) -> None:
        self._poll.stop()
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.done(0)
