"""The last lines of a training's output: stages, warnings, and its log."""

from PySide6.QtWidgets import QPlainTextEdit

from app.ui.fold import Fold
from app.ui.text import tr

_LINES = 300
_HEIGHT = 128


class LogTail(Fold):
    """Folded until someone wants to read it; keeps the last few hundred lines."""

    def __init__(self) -> None:
        super().__init__("training_log", tr("Log"))
        self._text = QPlainTextEdit()
        self._text.setObjectName("training_log_text")
        self._text.setAccessibleName(tr("Log"))
        self._text.setReadOnly(True)
        self._text.setMaximumBlockCount(_LINES)
        self._text.setFixedHeight(_HEIGHT)
        self.inside.addWidget(self._text)

    @property
    def text(self) -> str:
        """Its text."""
        return self._text.toPlainText()

    def add(self, line: str) -> None:
        """Add a line at the end."""
        if line.strip():
            self._text.appendPlainText(line.rstrip())

    def clear(self) -> None:
        """Remove all lines."""
        self._text.clear()
