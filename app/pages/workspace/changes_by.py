"""Who changes the cohort: asked before the first change of a session, and shown from then on."""

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app.pages.workspace.line_dialog import LineDialog
from app.ui import theme
from app.ui.text import tr
from migrations.study.clean_text import clean

_LONGEST = 40


class ChangesBy(QLineEdit):
    """The code of the person who changes the cohort, recorded in the audit trail each time."""

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
        """Continue once it is known who makes the change: ask, unless it is already known."""
        if self.person:
            act()
            return

        def given(code: str) -> None:
            self.setText(code)
            act()

        PersonDialog(self.window(), given).open()


class PersonDialog(LineDialog):
    """Asks for the code or initials of a researcher."""

    def __init__(self, parent: QWidget, given: Callable[[str], object]) -> None:
        said = tr("Enter your code or initials, not your name. They are stored in the audit trail "
                  "with each change you make until you open another study.")  # fmt: skip
        title = tr("Who is making this change?")
        super().__init__(parent, "person", title, said, tr("Continue"), given)
        self.line.setAccessibleName(tr("Your code"))
        self.line.setPlaceholderText(tr("Your code"))
        self.line.setMaxLength(_LONGEST)
