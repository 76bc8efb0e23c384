"""The sheet of a case beside its images: age group, clinical question and other parts shown."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget

from app.ui import theme
from app.ui.question_form import WIDTH
from app.ui.small_widgets import column, label


class CaseSheet(QFrame):
    """Keeps its space in every case of a study that shows sheets, so that the images do not move.

    In an arm without sheets, or for a case about which nothing is known, it is empty.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("case_sheet")
        self.setProperty("role", "strip")
        self.setFixedWidth(WIDTH)
        self._words = label("")
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        column(self, 2 * theme.GRID).addWidget(self._words)
        self.hide()

    @property
    def text(self) -> str:
        """What can be read on it now."""
        return self._words.text() if self._words.isVisibleTo(self) else ""

    def show_words(self, words: Sequence[str]) -> None:
        """Show the parts of a sheet, one line each; nothing for none."""
        self._words.setText("\n".join(words))

    def cover(self, covered: bool) -> None:
        """Hide the words while the images are hidden or belong to another case."""
        self._words.setVisible(not covered)

    def set_text_size(self, pixels: float) -> None:
        """Use a text size of this many `_view` pixels, with as much space as needed."""
        self.setFixedWidth(max(WIDTH, round(18 * pixels)))
        for widget in self.findChildren(QWidget):
            widget.setStyleSheet(f"font-size: {round(pixels)}px;")
