"""What is typed to find rows of a table: words anywhere, or of one column.

`smooth R1` finds rows with both; `"two words"` as they stand; `reader:R1`, `lost>10` and
`time <= 30` ask one column; a minus before any of them leaves such rows out.
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
"""What a cell without a value says: it lies neither above nor below anything."""


@dataclass(frozen=True, slots=True)
class Searched(Generic[Row]):
    """A column as it is searched: its words, and its number where it has one."""

    text: Callable[[Row], str]
    number: Callable[[Row], float | None] | None = None


def column_name(title: str) -> str:
    """Return what a column is called in a search: its title in small letters, without spaces."""
    return re.sub(r"\W+", "", title.lower())


def term_of(title: str, word: str) -> str:
    """Return the search for rows whose column has exactly these words."""
    return f'{column_name(title)}="{word}"'


def search(
    query: str,
    columns: Mapping[str, Searched[Row]],
    anywhere: Callable[[Row], str] | None = None,
) -> Callable[[Row], bool]:
    """Return what tells whether a row is found.

    Parameters
    ----------
    columns
        By title. What names none of them is searched as a word of its own.
    anywhere
        All words of a row in small letters, where they are at hand already.
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
    """Compare numbers where the column has them, the beginnings of words (dates too) elsewhere."""
    if column.number is not None:
        number, limit = column.number, _number(word)
        return lambda row: limit is not None and _lies(number(row), sign, limit)

    def found(row: Row) -> bool:
        text = column.text(row).lower()
        return text not in _NOTHING and _lies(text[: len(word)], sign, word)

    return found


def _lies(value: Any, sign: str, limit: Any) -> bool:
    """Return whether a value is beyond a limit, or at it where the sign says so; None never is."""
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
