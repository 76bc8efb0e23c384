"""What a measure is: its name, unit, definition and source, kept beside the code of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

Of = Literal["reading", "area", "transition", "pair", "miss", "sensitivity"]


@dataclass(frozen=True, slots=True)
class Definition:
    """A column of the tables.

    Attributes
    ----------
    name
        Name of the column, unit as its suffix.
    of
        What one row is: a reading, an area of one, a move from area to area, two readings of one
        image, an error, or the errors with some thresholds.
    unit
        "ms", "deg", "1" for counts and shares …
    text
        One sentence.
    source
        Where it is from; empty of what needs none.
    """

    name: str
    of: Of
    unit: str
    text: str
    source: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return what `definitions.json` holds of it."""
        return {"unit": self.unit, "definition": self.text, "source": self.source}


@dataclass(frozen=True, slots=True)
class Group:
    """Measures that one function computes: a file of `trainer.analysis.measures` has one.

    Attributes
    ----------
    definitions
        One for each value of `compute`.
    compute
        To its values by name: of a reading from its gaze; of an area from a reading's gaze and
        which fixations lie in it.
    settings
        Names of settings that `compute` takes by keyword.
    """

    definitions: tuple[Definition, ...]
    compute: Callable[..., dict[str, Any]]
    settings: tuple[str, ...] = ()


def defined(of: Of, rows: Iterable[tuple[str, str, str, str]]) -> tuple[Definition, ...]:
    """Return definitions of one kind of row from name, unit, sentence and source."""
    return tuple(Definition(name, of, unit, text, source) for name, unit, text, source in rows)
