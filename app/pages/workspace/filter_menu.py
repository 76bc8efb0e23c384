"""A button with every column of a table and its values: a choice is added to a search."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from app.ui.column_values import counted, counted_words
from app.ui.table_model import Column
from app.ui.table_search import column_name, term_of
from app.ui.text import tr

_MOST = 25
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_WORD = 60


class FilterMenu(QMenu):
    """Lists a column's values only when its part of the menu is opened.

    Parameters
    ----------
    rows
        Returns the rows whose values are offered.
    chosen
        Called with the words to search for.
    """

    def __init__(
        self,
        parent: QWidget,
        columns: Sequence[Column[Any]],
        rows: Callable[[], Sequence[Any]],
        chosen: Callable[[str], object],
    ) -> None:
        super().__init__(parent)
        self._rows, self._chosen = rows, chosen
        for column in columns:
            part = self.addMenu(column.title)
            part.setObjectName(f"filter_{column_name(column.title)}")
            part.aboutToShow.connect(lambda p=part, c=column: self._fill(p, c))

    def _fill(self, part: QMenu, column: Column[Any]) -> None:
        part.clear()
        for text, term in offers(column, self._rows()):
            part.addAction(text).triggered.connect(lambda _checked=False, t=term: self._chosen(t))
        if part.isEmpty():
            part.addAction(tr("No value")).setEnabled(False)


def offers(column: Column[Any], rows: Sequence[Any]) -> list[tuple[str, str]]:
    """Return how a column can be narrowed: words, and the search for each."""
    if column.number is not None:
        return _limits(column, [v for row in rows if (v := column.number(row)) is not None])
    return [
        (counted_words(_short(word), count), term_of(column.title, word))
        for word, count in counted(column, rows).most_common(_MOST)
        if '"' not in word
    ]


def _limits(column: Column[Any], values: Sequence[float]) -> list[tuple[str, str]]:
    if not values:
        return []
    found = []
    for share, limit in zip(_QUANTILES, np.quantile(values, _QUANTILES), strict=True):
        value = f"{limit:.3g}"
        for sign in "<>":
            part = share if sign == "<" else 1 - share
            said = tr("{sign} {value}   about {part:.0%}", sign=sign, value=value, part=part)
            found.append((said, f"{column_name(column.title)}{sign}{value}"))
    return found


def _short(word: str) -> str:
    return word if len(word) <= _WORD else f"{word[: _WORD - 1]}…"


def filter_button(menu: QMenu) -> QPushButton:
    """Return the button that opens the menu."""
    made = QPushButton(tr("Filter by"))
    made.setObjectName("filter_by")
    made.setAccessibleName(tr("Filter by a column"))
    made.setMenu(menu)
    return made
