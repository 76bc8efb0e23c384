"""Remarks on what was imported: a code that stays as it is once released, and words."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """One remark.

    Attributes
    ----------
    code
        One of its room's; codes stay as they are once released.
    text
        The same in words.
    """

    code: str
    text: str


def note_of(texts: Mapping[str, str], code: str, values: Mapping[str, object]) -> Note:
    """Return the note of a code, its text filled in.

    Raises
    ------
    KeyError
        If there is no such code, or a value that its text needs is missing.
    """
    return Note(code, texts[code].format(**values))
