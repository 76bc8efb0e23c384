"""The values in a column of a table, how often each occurs, and how a search asks for them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from app.ui.table_model import Column
from app.ui.table_search import Searched
from app.ui.text import tr

Row = TypeVar("Row")


def counted(column: Column[Row], rows: Iterable[Row]) -> Counter[str]:
    """Return how many rows have each value, in the words of the column."""
    return Counter(column.text(row) for row in rows)


def counted_words(value: str, count: int) -> str:
    """Return how a list offers a value together with its number of rows."""
    return f"{value or tr('(empty)')}   {count:,}"


def searched(columns: Sequence[Column[Row]]) -> dict[str, Searched[Row]]:
    """Return how each column is searched, by the title that the window shows."""
    return {tr(column.title): Searched(column.text, column.number) for column in columns}
