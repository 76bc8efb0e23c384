"""Explains the setting that has the keyboard or lies under the pointer."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QLabel, QWidget

from app.ui.fields import Field
from app.ui.text import tr

_LINES = 5


class SettingHelp(QLabel):
    """Some lines of help, as high with a short text as with a long one."""

    def __init__(self) -> None:
        super().__init__(tr("Point at a setting to read what it does."))
        self.setProperty("role", "small")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setFixedHeight(_LINES * self.fontMetrics().lineSpacing())
        self._texts: dict[QObject, str] = {}

    def explain(self, editor: QWidget, field: Field) -> None:
        """Explain a field from now on."""
        self._texts[editor] = f"{tr(field.label)}: {field.tip()}"
        editor.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow keyboard and pointer."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.Enter) and watched in self._texts:
            self.setText(self._texts[watched])
        return super().eventFilter(watched, event)
