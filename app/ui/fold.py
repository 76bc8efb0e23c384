"""A part of a page that is collapsed until its title is pressed."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.small_widgets import column


class Fold(QWidget):
    """A title that shows and hides its content; mouse, Space and Enter press it.

    Attributes
    ----------
    inside
        Where its content lies.
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self.title = QToolButton()
        self.title.setObjectName(name)
        self.title.setText(title)
        self.title.setAccessibleName(title)
        self.title.setCheckable(True)
        self.title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.title.setStyleSheet(f"QToolButton {{ border: none; color: {theme.TEXT}; }}"
                                 f"QToolButton:focus {{ color: {theme.ACCENT}; }}"
                                 f"QToolButton:hover {{ color: {theme.ACCENT}; }}")  # fmt: skip
        self._content = QWidget()
        self.inside: QVBoxLayout = column(self._content, gap=theme.GRID)
        self.inside.setContentsMargins(theme.GRID, 0, 0, theme.GRID)
        layout = column(self, gap=theme.GRID // 2)
        layout.addWidget(self.title)
        layout.addWidget(self._content)
        self.title.toggled.connect(self._show)
        self._show(False)

    @property
    def is_open(self) -> bool:
        """Whether its content is shown."""
        return self.title.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Show or hide its content."""
        self.title.setChecked(is_open)

    def _show(self, is_open: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self.title.setArrowType(arrow)
        self._content.setVisible(is_open)
