"""Questions and arms on the settings page: the tables of `study.toml`, with a preview."""

import tomllib
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFrame, QPlainTextEdit

from app.recording.form_state import Said
from app.ui import theme
from app.ui.question_form import QuestionForm
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr
from migrations.study.arms import Arm, toml_of_arms
from migrations.study.design_tables import take_design
from migrations.study.errors import SettingsError
from migrations.study.forms import Question, check_form, toml_of

_HEIGHT = 320
_HINT = (
    "Leave this empty to ask the single question above. For a form, add a [[question]] table for "
    "each question; the first one gives the class. Add an [[arm]] table for each reading "
    "condition. The form appears on the right as a reader sees it."
)
_EXAMPLE = """
[[question]]
key = "finding"
text = "What do you see?"
options = ["nothing", "mass"]

[[question]]
key = "margin"
text = "Margin of the mass"
kind = "multiple"
options = ["sharp", "spiculated"]
condition = "finding = mass"

[[question]]
key = "confidence"
text = "How sure are you?"
kind = "confidence"
"""


class DesignCard(QFrame):
    """Edits the form and the arms as text, and previews the form as it is typed.

    Attributes
    ----------
    problem
        Why the text cannot be used, in words; "" if it can.

    Signals
    -------
    changed
        The text has changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.problem = ""
        self._values: dict[str, Any] = {"form": (), "arms": ()}
        self.editor = QPlainTextEdit()
        self.editor.setObjectName("setting_design")
        self.editor.setAccessibleName(tr("Questions and arms"))
        self.editor.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.editor.setTabChangesFocus(True)
        self.editor.setMinimumHeight(_HEIGHT)
        self.preview = QuestionForm()
        self.preview.setMinimumHeight(_HEIGHT)
        self._problem = label("", "warning")
        self._example = button("example_form", tr("Insert an example"), self._begin)
        self.preview.said.connect(self._answered)
        layout = column(self, 2 * theme.GRID)
        layout.addWidget(label(tr("Questions and arms"), "heading"))
        layout.addWidget(label(tr(_HINT), "hint"))
        layout.addLayout(row(self._example, stretch=True))
        beside = row(self.editor, self.preview, gap=2 * theme.GRID)
        beside.setStretch(0, 1)
        layout.addLayout(beside)
        layout.addWidget(self._problem)
        self.editor.textChanged.connect(self._read)

    @property
    def values(self) -> dict[str, Any]:
        """The contents of the text: form and arms; with a form, also question and classes."""
        return dict(self._values)

    def show_design(self, form: tuple[Question, ...], arms: tuple[Arm, ...]) -> None:
        """Show a form and arms; earlier input is discarded."""
        self.editor.setPlainText("\n".join([*toml_of(form), *toml_of_arms(arms)]).strip())
        self._read()

    def _begin(self) -> None:
        self.editor.setPlainText(f"{self.editor.toPlainText()}\n{_EXAMPLE}".strip())

    def _read(self) -> None:
        self.problem = ""
        try:
            table = tomllib.loads(self.editor.toPlainText())
            values = {"form": (), "arms": (), **take_design(table)}
            if table:
                raise SettingsError(
                    tr("Only [[question]] and [[arm]] are allowed here, not {name}.",
                       name=min(table))
                )  # fmt: skip
            if values["form"]:
                check_form(values["form"])
            self._values = values
        except (tomllib.TOMLDecodeError, SettingsError) as error:
            self.problem = tr("Questions and arms: {problem}", problem=error)
        self._problem.setText(self.problem)
        self._problem.setVisible(bool(self.problem))
        self._example.setVisible(not self._values["form"])
        self.preview.setVisible(bool(self._values["form"]))
        self.preview.begin(self._values["form"])
        self.changed.emit()

    def _answered(self, _said: Said) -> None:
        if not self.preview.state.waits:  # after the last question, start again
            self.preview.begin(self._values["form"])
