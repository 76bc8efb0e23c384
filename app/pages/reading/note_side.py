"""A note is written beside the images, which stay: gaze at the note lies beside them too."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from app.ui import theme
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr

_WIDTH = 40 * theme.GRID


class NoteSide(QFrame):
    """Takes one free note; Ctrl+Enter keeps it, Esc does not.

    Signals
    -------
    written : str
        The note is to be kept.
    closed
        It is put away, kept or not.
    """

    written = Signal(str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setFixedWidth(_WIDTH)
        self.editor = QPlainTextEdit()
        self.editor.setObjectName("note_text")
        self.editor.setAccessibleName(tr("Note"))
        self.editor.setTabChangesFocus(True)
        hint = tr("Free text; no patient names. Ctrl+Enter to save, Esc to discard.")
        self.editor.setAccessibleDescription(hint)
        layout = self._layout = column(self, 2 * theme.GRID)
        layout.addWidget(label(tr("Note"), "heading"))
        layout.addWidget(label(hint, "hint"))
        layout.addWidget(self.editor, 1)
        keep = button("keep_note", tr("Save note"), self.keep, role="primary")
        layout.addLayout(row(keep, button("drop_note", tr("Discard"), self.drop), stretch=True))
        self.hide()

    def set_text_size(self, pixels: float) -> None:
        """Write in letters of so many `_view` pixels, on as much room as they need."""
        self.setFixedWidth(max(_WIDTH, round(24 * pixels)))
        for widget in self.findChildren(QWidget):
            widget.setStyleSheet(f"font-size: {round(pixels)}px;")

    def open(self) -> None:
        """Take a note; what was begun before a pause is still there."""
        self.show()
        self._layout.activate()
        self.setFixedWidth(max(self.width(), self._layout.minimumSize().width()))
        self.editor.setFocus()

    def keep(self) -> None:
        """Keep what is written, and close; nothing written is no note."""
        text = self.editor.toPlainText().strip()
        self.drop()
        if text:
            self.written.emit(text)

    def drop(self) -> None:
        """Close, keeping nothing."""
        self.editor.clear()
        self.hide()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep or discard by key; the editor has had the other keys."""
        if event.key() == Qt.Key.Key_Escape:
            self.drop()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.keep()
