"""An entry of the navigation: an icon and a word, as wide as the navigation."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QSizePolicy, QToolButton

from app.ui.icons import icon


def navigation_button(name: str, picture: str, title: str = "") -> QToolButton:
    """Return an entry; `name` is its object name, by which tests find it."""
    made = QToolButton()
    made.setText(f"  {title}")
    made.setAccessibleName(title)
    made.setObjectName(name)
    made.setProperty("role", "navigation")
    made.setIcon(icon(picture))
    made.setIconSize(QSize(20, 20))
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return made
