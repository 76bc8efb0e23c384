"""Explains the setting that has the focus or is under the pointer."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from app.pages.pretrain.run_settings import SettingsGroup
from app.ui import theme
from app.ui.fields import Field
from app.ui.fold import Fold
from app.ui.form import Form
from app.ui.small_widgets import label
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

    def fold(self, group: SettingsGroup, fields: Sequence[Field], form: Form) -> Fold:
        """Return a folded group of fields, made in a form and explained from now on."""
        fold = Fold(f"group_{fields[0].name}", tr(group.title) if group.title else tr("More"))
        if group.help:
            fold.inside.addWidget(label(tr(group.help), "small"))
        rows = QFormLayout()
        rows.setVerticalSpacing(theme.GRID)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.add_rows(rows, fields)
        fold.inside.addLayout(rows)
        for field in fields:
            self.explain(form.editors[field.name], field)
        return fold

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow keyboard and pointer."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.Enter) and watched in self._texts:
            self.setText(self._texts[watched])
        return super().eventFilter(watched, event)
