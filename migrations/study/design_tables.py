"""The parts of `study.toml` that are written as tables: ``[[question]]`` and ``[[arm]]``."""

from collections.abc import Mapping, Sequence
from typing import Any

from migrations.study.arms import arms_from
from migrations.study.errors import SettingsError
from migrations.study.forms import questions_from

DESIGNED = ("form", "arms")
"""Settings that are written to the file as tables, last."""


def take_design(table: dict[str, Any]) -> dict[str, Any]:
    """Take the tables out of what a file says, and return the settings they stand for.

    Raises
    ------
    SettingsError
        Naming the table, its field and the allowed values.
    """
    arms = arms_from(_taken(table, "arm"))
    found: dict[str, Any] = {"arms": arms} if arms else {}
    form = questions_from(_taken(table, "question"))
    if form:
        if "classes" in table:
            raise SettingsError(
                "Remove classes: the options of the first [[question]] are the classes."
            )
        found |= {"form": form, "question": form[0].text, "classes": form[0].options}
    return found


def _taken(table: dict[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    tables = table.get(name)
    if not isinstance(tables, list):
        return ()
    if any(not isinstance(each, dict) for each in tables):
        raise SettingsError(f"{name} must be written as tables [[{name}]].")
    del table[name]
    return tables
