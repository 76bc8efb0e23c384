"""A note is written beside the images, which stay visible: gaze at the note is off the images."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from app.ui import theme
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr

_WIDTH = 40 * theme.GRID


class NoteSide(QFrame):
    """Takes one free note; Ctrl+Enter saves it, Esc does not.

    Signals
    -------
    written : str
        The note should be saved.
    closed
        It is closed, with the note saved or not.
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
        """Use a text size of this many `_view` pixels, with as much space as needed."""
        self.setFixedWidth(max(_WIDTH, round(24 * pixels)))
        for widget in self.findChildren(QWidget):
            widget.setStyleSheet(f"font-size: {round(pixels)}px;")

    def open(self) -> None:
        """Take a note; text begun before a pause is still there."""
        self.show()
        self._layout.activate()
        self.setFixedWidth(max(self.width(), self._layout.minimumSize().width()))
        self.editor.setFocus()

    def keep(self) -> None:
        """Save what is written, and close; an empty note is not saved."""
        text = self.editor.toPlainText().strip()
        self.drop()
        if text:
            self.written.emit(text)

    def drop(self) -> None:
        """Close without saving."""
        self.editor.clear()
        self.hide()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Save or discard by key; the editor has already had the other keys."""
        if event.key() == Qt.Key.Key_Escape:
            self.drop()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.keep()
