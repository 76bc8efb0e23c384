"""A search line with a button that clears it."""

from PySide6.QtWidgets import QLineEdit, QToolButton

from app.ui.text import tr


def search_field(name: str, placeholder: str) -> QLineEdit:
    """Return a line to search in, named for those who hear the screen."""
    field = QLineEdit()
    field.setObjectName(name)
    field.setPlaceholderText(placeholder)
    field.setToolTip(placeholder)  # if the line is too short for it
    field.setAccessibleName(placeholder)
    field.setClearButtonEnabled(True)
    for button in field.findChildren(QToolButton):
        button.setAccessibleName(tr("Clear the search"))
    return field
