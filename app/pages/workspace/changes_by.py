"""Who changes the cohort: asked before the first change of a session, and shown from then on."""

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui import theme
from app.ui.dialogs import Dialog
from app.ui.small_widgets import button, label
from app.ui.text import tr
from migrations.study.clean_text import clean

_LONGEST = 40


class ChangesBy(QLineEdit):
    """The code of whoever changes the cohort; it stands in the audit trail with each change."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("changes_by")
        self.setAccessibleName(tr("Changes by"))
        self.setPlaceholderText(tr("Your code"))
        self.setToolTip(
            tr("Your code or initials. They are stored in the audit trail with each change.")
        )
        self.setMaxLength(_LONGEST)
        self.setFixedWidth(16 * theme.GRID)

    @property
    def person(self) -> str:
        """The code; "" until one was typed."""
        return clean(self.text()).strip()

    def known(self, act: Callable[[], object]) -> None:
        """Go on once it is known who changes: ask, unless it is known already."""
        if self.person:
            act()
            return

        def given(code: str) -> None:
            self.setText(code)
            act()

        PersonDialog(self.window(), given).open()


class PersonDialog(Dialog):
    """Asks for the code or initials of a researcher.

    Parameters
    ----------
    given
        Called with them; not if the dialog is cancelled.
    """

    def __init__(self, parent: QWidget, given: Callable[[str], object]) -> None:
        super().__init__(parent, "person_dialog", tr("Who is making this change?"), width=440)
        self._given = given
        self.person = QLineEdit()
        self.person.setObjectName("person")
        self.person.setAccessibleName(tr("Your code"))
        self.person.setPlaceholderText(tr("Your code"))
        self.person.setMaxLength(_LONGEST)
        self._ok = button("person_ok", tr("Continue"), self._accept, role="primary")
        self._ok.setEnabled(False)
        self.person.textChanged.connect(lambda text: self._ok.setEnabled(bool(clean(text).strip())))
        said = tr("Enter your code or initials, not your name. They are stored in the audit trail "
                  "with each change you make until you open another study.")  # fmt: skip
        self.body.addWidget(label(said, "hint"))
        self.body.addWidget(self.person)
        self.end_with(button("person_cancel", tr("Cancel"), self.reject), self._ok)

    def _accept(self) -> None:
        code = clean(self.person.text()).strip()
        self.accept()
        self._given(code)
