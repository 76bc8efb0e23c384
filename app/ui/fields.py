"""What a form is made of: one typed description per field; independent of Qt."""

from dataclasses import dataclass
from math import isnan
from typing import Any, Literal

from app.ui.text import tr

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
        """Return the help, the range and the default, one line each."""
        lines = [tr(self.help) if self.help else ""]
        if self.low is not None and self.high is not None:
            lines.append(
                tr("From {low:,.10g} to {high:,.10g}{unit}",
                   low=self.low, high=self.high, unit=self.unit)
            )  # fmt: skip
        if self.kind not in ("long", "list", "many"):
            lines.append(tr("Default: {value}", value=self._words(self.default)))
        return "\n".join(line for line in lines if line)

    def problem(self, value: Any) -> str:
        """Return what is wrong with a value, in words; "" for nothing."""
        if self.kind not in ("int", "float", "number") or value is None:
            return ""
        if isinstance(value, str) or isnan(value):
            return tr("{name}: “{value}” is not a number.", name=tr(self.label), value=value)
        if self.low is not None and value < self.low:
            least = f"{self.low:g}{self.unit}"
            return tr("{name} must be {least} or more.", name=tr(self.label), least=least)
        if self.high is not None and value > self.high:
            most = f"{self.high:g}{self.unit}"
            return tr("{name} must be {most} or less.", name=tr(self.label), most=most)
        return ""

    def _words(self, value: Any) -> str:
        if isinstance(value, bool):
            return tr("yes") if value else tr("no")
        if value is None or value == "":
            return tr("none")
        words = dict(self.choices).get(value)
        return f"{value}{self.unit}" if words is None else tr(str(words))
