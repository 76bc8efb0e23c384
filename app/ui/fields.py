"""What a form is made from: one typed description a field; knows nothing of Qt."""

from dataclasses import dataclass
from math import isnan
from typing import Any, Literal

Kind = Literal["text", "long", "list", "choice", "many", "bool", "int", "float", "number"]


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as a form shows it.

    Attributes
    ----------
    kind
        How it is edited: "text" (a line), "long" (lines), "list" (an entry a line), "choice" (one
        of `choices`), "many" (some of them), "bool", "int", "float" (steps), or "number" (a line
        that holds a number of any size).
    hint
        Shown under the editor.
    help
        Shown in the tool tip, above range and default.
    choices
        Values and their words, for choice and many.
    low, high, step, unit
        Of numbers; None where there is no limit. The unit brings its own space.
    optional
        Whether the line may stay empty, which gives the default.
    """

    name: str
    label: str
    kind: Kind
    hint: str = ""
    help: str = ""
    choices: tuple[tuple[Any, str], ...] = ()
    low: float | None = None
    high: float | None = None
    step: float = 1.0
    unit: str = ""
    default: Any = None
    optional: bool = False

    def tip(self) -> str:
        """Return the help, the range and the default, a line each."""
        lines = [self.help]
        if self.low is not None and self.high is not None:
            lines.append(f"From {self.low:,.10g} to {self.high:,.10g}{self.unit}")
        if self.kind not in ("long", "list", "many"):
            lines.append(f"Default: {self._words(self.default)}")
        return "\n".join(line for line in lines if line)

    def problem(self, value: Any) -> str:
        """Return what is wrong with a value, in words; empty for nothing."""
        if self.kind not in ("int", "float", "number") or value is None:
            return ""
        if isinstance(value, str) or isnan(value):
            return f"{self.label}: {value!r} is not a number."
        if self.low is not None and value < self.low:
            return f"{self.label} must be {self.low:g}{self.unit} or more."
        if self.high is not None and value > self.high:
            return f"{self.label} must be {self.high:g}{self.unit} or less."
        return ""

    def _words(self, value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if value is None or value == "":
            return "none"
        return str(dict(self.choices).get(value, f"{value}{self.unit}"))
