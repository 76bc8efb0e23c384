"""What a study asks each reader once: speciality, years, eyewear, in coarse classes."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QComboBox, QFormLayout, QWidget

from app.sitting.sessions import Callback
from app.ui import theme
from app.ui.dialogs import Dialog
from app.ui.small_widgets import button, label
from app.ui.text import tr
from migrations.study.reader_attributes import ATTRIBUTES, NOT_SAID


class AttributesDialog(Dialog):
    """Asks a reader; each question may stay unanswered, which is recorded as such.

    Parameters
    ----------
    asked
        Of `ATTRIBUTES`.
    said
        Called with the class of each.
    later
        Called when the reader cancels.
    """

    def __init__(
        self,
        parent: QWidget,
        asked: Sequence[str],
        said: Callable[[dict[str, str]], object],
        later: Callback = lambda: None,
    ) -> None:
        super().__init__(parent, "attributes_dialog", tr("About you"), width=520)
        self._said = said
        self.rejected.connect(later)
        self.body.addWidget(
            label(
                tr("Asked once and stored with your pseudonym, in these broad categories. "
                   "You may prefer not to say."),
                "hint",
            )
        )  # fmt: skip
        titles = {
            "speciality": tr("Speciality"),
            "years": tr("Years of experience"),
            "eyewear": tr("Eyewear while reading"),
        }
        rows = QFormLayout()
        rows.setVerticalSpacing(theme.GRID)
        rows.setHorizontalSpacing(3 * theme.GRID)
        self._choosers = {name: _chooser(name, titles[name]) for name in asked}
        for name, chooser in self._choosers.items():
            rows.addRow(label(titles[name], wrap=False), chooser)
        self.body.addLayout(rows)
        self.end_with(
            button("attributes_later", tr("Not now"), self.reject),
            button("attributes_said", tr("Continue"), self._take, role="primary"),
        )

    def _take(self) -> None:
        self.accept()
        self._said({name: chooser.currentData() for name, chooser in self._choosers.items()})


def _chooser(name: str, title: str) -> QComboBox:
    made = QComboBox()
    made.setObjectName(f"attribute_{name}")
    made.setAccessibleName(title)
    made.addItem(tr("Prefer not to say"), NOT_SAID)
    for value in ATTRIBUTES[name]:
        made.addItem(tr(value.capitalize()), value)
    return made
