"""The parts of `study.toml`: values, and tables for things with a key."""

from collections.abc import Mapping
from typing import Any

from migrations.study.errors import SettingsError


def checked_table(
    what: str, number: int, table: Mapping[str, Any], fields: Mapping[str, type]
) -> object:
    """Refuse a table with an unknown field, a value of another type, or no key.

    Parameters
    ----------
    what
        "arm" or "question".
    number
        Its number, from 1: its name until it has a key.

    Returns
    -------
    object
        Its name in messages.

    Raises
    ------
    SettingsError
        Naming the table, the field and the allowed values.
    """
    name = table.get("key", f"number {number}")
    for field, value in table.items():
        if field not in fields:
            raise SettingsError(
                f"{what} {name!r}: unknown field {field!r}; known are {', '.join(fields)}."
            )
        if type(value) is not fields[field]:
            raise SettingsError(
                f"{what} {name!r}: {field} must be {fields[field].__name__}, not {value!r}."
            )
    if "key" not in table:
        raise SettingsError(f"{what} {name} has no key.")
    return name


def toml_of_value(value: Any) -> str:
    """Return a setting as TOML: a switch, a number, a text or a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(toml_of_value(v) for v in value) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)
