"""A run's settings as the trainer describes them, for a form that is made from them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a run.

    Attributes
    ----------
    kind
        "int", "float", "bool", "str" or "table".
    choices
        What may stand there; empty for free values.
    low, high
        Its range; None where there is none.
    """

    name: str
    kind: str
    default: Any
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """All settings of a run, and the parameters of each measure.

    Attributes
    ----------
    recipes
        What a recipe sets where the user does not, by recipe and method.
    """

    fields: tuple[Setting, ...]
    measures: Mapping[str, tuple[Setting, ...]]
    recipes: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `python main.py train --describe` prints.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is something else.
        """
        table = json.loads(text)
        measures = {name: _settings(rows) for name, rows in table["measures"].items()}
        return cls(_settings(table["fields"]), measures, table["recipes"])


def settings_of(config: Mapping[str, Any]) -> list[str]:
    """Return the options of `python main.py train` that give a stored config again."""
    words: list[str] = []
    for name, value in config.items():
        if isinstance(value, dict):
            words += [w for k, v in value.items() for w in ("--set", f"{name}.{k}={v}")]
        elif value is not None:
            words += ["--set", f"{name}={value}"]
    return words


def changed_options(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Return the options for values that are not the default."""
    words: list[str] = []
    for name, value in values.items():
        if value != defaults[name] and value is not None:
            words += ["--set", f"{name}={value}"]
    return words


def _settings(rows: Sequence[Mapping[str, Any]]) -> tuple[Setting, ...]:
    return tuple(Setting(**{**row, "choices": tuple(row.get("choices", ()))}) for row in rows)
