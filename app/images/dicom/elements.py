"""Elements of a data set, read so that a bad one is left out and noted, never the whole file.

Files in the field contain decimal commas, words for numbers, empty items. None of these is worth a
refusal if the image can be shown without the element.
"""

import math
from typing import Any

from app.images.notes import Note, note

_HUGE = 1e30
"""No element of an image is larger; beyond it, sums would overflow."""


class Elements:
    """A data set's elements by keyword.

    Attributes
    ----------
    notes
        What was left out so far, each once.
    """

    def __init__(self, dataset: Any, notes: dict[Note, None] | None = None) -> None:
        self._dataset = dataset
        self.notes: dict[Note, None] = {} if notes is None else notes

    def say(self, code: str, **values: object) -> None:
        """Add a note."""
        self.notes[note(code, **values)] = None

    def has(self, keyword: str) -> bool:
        """Return whether an element has a value, even an invalid one."""
        if keyword not in self._dataset:
            return False
        held = self._dataset.get_item(keyword).value
        text = held.decode("ascii", "replace") if isinstance(held, bytes) else str(held or "")
        return bool(text.strip(" \0")) or held == 0

    def raw(self, keyword: str) -> Any:
        """Return an element as it is in the file, valid or not; None where there is none."""
        return self._dataset.get_item(keyword) if keyword in self._dataset else None

    def value(self, keyword: str) -> Any:
        """Return pydicom's value of an element; None if it is missing, empty or invalid."""
        try:
            found = self._dataset.get(keyword)
        except Exception:  # pydicom raises whatever error an invalid value leads to
            self.say("element-left-out", keyword=keyword)
            return None
        return None if found is None or found == "" else found

    def text(self, keyword: str) -> str:
        """Return an element as text, without the spaces around it."""
        found = self.value(keyword)
        return "" if found is None else str(found).strip()

    def choice(self, keyword: str, allowed: tuple[str, ...]) -> str | None:
        """Return a code string if it is one of those allowed."""
        found = self.text(keyword).upper()
        if found and found not in allowed:
            self.say("element-left-out", keyword=keyword)
        return found if found in allowed else None

    def numbers(self, keyword: str, *, with_gaps: bool = False) -> list[float]:
        """Return an element's numbers; empty if one of them is not a finite number.

        Parameters
        ----------
        with_gaps
            Whether NaN is put where a value is empty, so that the others keep their places.
        """
        found = self.value(keyword)
        if found is None:
            return []
        several = isinstance(found, (list, tuple)) or hasattr(found, "insert")
        given = list(found) if several else [found]
        told: list[bool] = []
        try:
            told = [item is not None and item != "" for item in given]
            listed = [float(item) for item, is_told in zip(given, told, strict=True) if is_told]
        except (TypeError, ValueError):
            listed = [math.nan]
        if all(abs(number) < _HUGE for number in listed):
            rest = iter(listed)
            return [next(rest) if is_told else math.nan for is_told in told if is_told or with_gaps]
        self.say("element-left-out", keyword=keyword)
        return []

    def number(self, keyword: str) -> float | None:
        """Return an element's first number."""
        return next(iter(self.numbers(keyword)), None)

    def items(self, keyword: str) -> "list[Elements]":
        """Return the items of a sequence; they share the notes."""
        found = self.value(keyword)
        if found is None or isinstance(found, (str, bytes)) or not hasattr(found, "__iter__"):
            return []
        return [Elements(item, self.notes) for item in found if hasattr(item, "get")]
