"""Asks the trainer about an encoder: only it can make one and open its weights."""

import subprocess
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.pages.pretrain.encoder_told import EncoderTold
from app.ui.background import run

_PAUSE_MS = 600
"""The trainer is asked once nobody has typed for so long."""


class EncoderQuestion(QObject):
    """One question at a time; the answer to an older one is dropped.

    Parameters
    ----------
    program
        Returns the words that start ``main.py``.

    Signals
    -------
    asked
        The trainer is being asked.
    answered : object
        What it said, an `EncoderTold`; None where there is nothing to ask, or it does not answer.
    """

    asked = Signal()
    answered = Signal(object)

    def __init__(self, program: Callable[[], Sequence[str]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._program = program
        self._options: tuple[str, ...] = ()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._ask)

    def put(self, options: Sequence[str]) -> None:
        """Ask about what options of `train` say, unless it was asked already; empty: nothing."""
        if tuple(options) == self._options:
            return
        self._options = tuple(options)
        self._timer.stop()
        if options:
            self.asked.emit()
            self._timer.start()
        else:
            self.answered.emit(None)

    def _ask(self) -> None:
        options = self._options
        words = [*self._program(), "train", "--describe-encoder", *options]

        def ask() -> EncoderTold:
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            return EncoderTold.from_json(done.stdout)

        def tell(told: EncoderTold | None) -> None:
            if options == self._options:
                self.answered.emit(told)

        run(self, ask, tell, lambda _e: tell(None))
