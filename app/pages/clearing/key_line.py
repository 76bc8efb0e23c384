"""The keys of a view, written under it."""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.ui import theme
from app.ui.small_widgets import label


def key_line(keys: Sequence[tuple[str, str]]) -> QLabel:
    """Return a line of keys, each as on the keyboard, with what it does."""
    cap = f'<span style="background:{theme.RAISED}; color:{theme.TEXT};">&nbsp;{{}}&nbsp;</span>'
    made = label("", "hint")
    made.setTextFormat(Qt.TextFormat.RichText)
    parts = [f"{cap.format(_kept(key))}&nbsp;&nbsp;{_kept(does)}" for key, does in keys]
    made.setText(" &nbsp;&nbsp; ".join(parts))
    made.setAccessibleName("; ".join(f"{key}: {does}" for key, does in keys))
    return made


def _kept(words: str) -> str:
    """Return words that stay on one line."""
    return escape(words).replace(" ", "&nbsp;")
