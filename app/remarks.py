"""Remarks on what was imported, and sentences that a window says in its own language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that can be translated, and what stands for the {names} in it."""

    text: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.text.format(**self.arguments)
