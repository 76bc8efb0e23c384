"""What can be typed to find rows of a table: words anywhere, or in one column.

`smooth R1` finds rows with both; `"two words"` as they are written; `reader:R1`, `lost>10` and
`time <= 30` search one column; a minus before any of them excludes such rows.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")
_TERM = re.compile(
    r'(?P<minus>-?)(?:(?P<name>[^\s:<>"=]+)\s*(?P<sign>[<>]=|[:=<>])\s*)?(?P<word>"[^"]*"?|[^\s"]+)'
)
_NOTHING = ("", "–")
"""Text of a cell without a value: it is neither above nor below anything."""


@dataclass(frozen=True, slots=True)
class Searched(Generic[Row]):
    """A column for searching: its words, and its number if it has one."""

    text: Callable[[Row], str]
    number: Callable[[Row], float | None] | None = None


def column_name(title: str) -> str:
    """Return a column's name in a search: its title in lowercase, without spaces."""
    return re.sub(r"\W+", "", title.lower())


def term_of(title: str, word: str) -> str:
    """Return the search for rows whose column has exactly these words."""
    return f'{column_name(title)}="{word}"'


def search(
    query: str,
    columns: Mapping[str, Searched[Row]],
    anywhere: Callable[[Row], str] | None = None,
) -> Callable[[Row], bool]:
    """Return a function that tells whether a row is found.

    Parameters
    ----------
    columns
        By title. A name that is no title is searched as a word.
    anywhere
        All words of a row in lowercase, if they are already available.
    """
    named = {column_name(title): column for title, column in columns.items()}
    words = anywhere or (lambda row: "\n".join(c.text(row) for c in named.values()).lower())
    tests = [_test(match, named, words) for match in _TERM.finditer(query)]

    def passes(row: Row) -> bool:
        return all(test(row) for test in tests)

    return passes


def _test(
    match: re.Match[str], named: Mapping[str, Searched[Row]], words: Callable[[Row], str]
) -> Callable[[Row], bool]:
    name, sign, word = match["name"], match["sign"], match["word"].strip('"').lower()
    asked = None if name is None else named.get(column_name(name))
    if asked is None:
        whole = match[0].removeprefix(match["minus"]).replace('"', "").lower()
        found: Callable[[Row], bool] = lambda row: whole in words(row)  # noqa: E731
    else:
        found = _in_column(asked, sign, word)
    return (lambda row: not found(row)) if match["minus"] else found


def _in_column(column: Searched[Row], sign: str, word: str) -> Callable[[Row], bool]:
    if sign[0] in "<>":
        return _beyond(column, sign, word)
    if sign == "=":
        return lambda row: column.text(row).lower() == word
    return lambda row: word in column.text(row).lower()


def _beyond(column: Searched[Row], sign: str, word: str) -> Callable[[Row], bool]:
    """Compare numbers if the column has them, else the beginnings of words (including dates)."""
    if column.number is not None:
        number, limit = column.number, _number(word)
        return lambda row: limit is not None and _lies(number(row), sign, limit)

    def found(row: Row) -> bool:
        text = column.text(row).lower()
        return text not in _NOTHING and _lies(text[: len(word)], sign, word)

    return found


def _lies(value: Any, sign: str, limit: Any) -> bool:
    """Return whether a value is beyond a limit, or at it if the sign says so; None never is."""
    if value is None:
        return False
    if value == limit:
        return sign.endswith("=")
    return bool(value > limit if sign[0] == ">" else value < limit)


def _number(word: str) -> float | None:
    try:
        return float(word.rstrip("%°s ").replace(",", "."))
    except ValueError:
        return None
