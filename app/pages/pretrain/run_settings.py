"""A run's settings as the trainer describes them, as the fields of a form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from app.ui.fields import Field, Kind

_KINDS: dict[str, Kind] = {
    "int": "int", "float": "number", "bool": "bool", "str": "text", "table": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunSettings:
    """All settings of a run.

    Attributes
    ----------
    recipes
        What a recipe sets where the user does not, by recipe and method.
    """

    fields: tuple[Field, ...]
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
        return cls(tuple(map(_field, table["fields"])), table["recipes"])


def settings_of(config: Mapping[str, Any]) -> list[str]:
    """Return the options of `python main.py train` that give a stored config again."""
    words: list[str] = []
    for name, value in config.items():
        if isinstance(value, dict):
            words += [w for k, v in value.items() for w in ("--set", f"{name}.{k}={v}")]
        elif value is not None:
            words += ["--set", f"{name}={value}"]
    return words


def _field(row: Mapping[str, Any]) -> Field:
    titles = row.get("titles", {})
    choices = tuple((value, titles.get(value, value)) for value in row.get("choices", ()))
    kind = "choice" if choices else _KINDS[row["kind"]]
    return Field(
        row["name"],
        row["name"].replace("_", " "),
        "number" if kind == "int" and row["default"] is None else kind,
        help=row["help"],
        choices=choices,
        low=row["low"],
        high=row["high"],
        unit=f" {row['unit']}" if row["unit"] else "",
        default=row["default"],
        optional=True,
    )
