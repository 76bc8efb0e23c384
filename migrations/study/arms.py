"""The arms of a study: the conditions under which cases are read. Readers never see their names."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from migrations.study.errors import SettingsError
from migrations.study.toml_tables import checked_table

MOST_ARMS = 9
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIELDS: dict[str, type] = {"key": str, "boxes": str, "second_look": bool, "no_sheet": bool}


@dataclass(frozen=True, slots=True)
class Arm:
    """One condition of reading.

    Attributes
    ----------
    key
        Its name in tables; never shown to a reader.
    boxes
        A csv in the study's folder with boxes to draw on the images; empty: unaided.
    second_look
        Whether a case is read in this arm directly after the previous arm, without a washout.
    no_sheet
        Whether the case sheet (age group, clinical question, …) is hidden in this arm.
    """

    key: str
    boxes: str = ""
    second_look: bool = False
    no_sheet: bool = False

    def as_conditions(self) -> dict[str, Any]:
        """Return what the arm's row stores: all but the key, and `no_sheet` only where it is set.

        Rows from before case sheets existed therefore still belong to the same arm.
        """
        said = {name: value for name, value in asdict(self).items() if name != "key"}
        if not self.no_sheet:
            del said["no_sheet"]
        return said


def arms_from(tables: Sequence[Mapping[str, Any]]) -> tuple[Arm, ...]:
    """Return the arms of ``[[arm]]`` tables.

    Raises
    ------
    SettingsError
        Naming the arm, the field and the allowed values.
    """
    for number, table in enumerate(tables, 1):
        checked_table("arm", number, table, _FIELDS)
    return tuple(Arm(**table) for table in tables)


def check_arms(arms: Sequence[Arm]) -> None:
    """Refuse arms from which no plan can be made.

    Raises
    ------
    SettingsError
        Naming the arm and what is wrong with it.
    """
    keys = [arm.key for arm in arms]
    for arm in arms:
        if not _KEY.fullmatch(arm.key):
            raise SettingsError(f"arm {arm.key!r} needs a key of lowercase letters, digits and _.")
        if keys.count(arm.key) > 1:
            raise SettingsError(f"arm {arm.key!r} appears twice.")
        if not arm.boxes.isprintable() or len(arm.boxes) > 1000:
            raise SettingsError(f"arm {arm.key!r}: boxes must name a file.")
    if arms and arms[0].second_look:
        raise SettingsError(f"arm {arms[0].key!r} is the first and cannot be a second look.")
    if len(arms) > MOST_ARMS:
        raise SettingsError(f"a study has at most {MOST_ARMS} arms, not {len(arms)}.")


def toml_of_arms(arms: Sequence[Arm]) -> list[str]:
    """Return the lines of the ``[[arm]]`` tables for these arms."""
    lines = []
    for arm in arms:
        lines += ["", "[[arm]]", f"key = {json.dumps(arm.key)}"]
        lines += [
            f"{name} = {json.dumps(value, ensure_ascii=False)}"
            for name, value in arm.as_conditions().items()
            if value
        ]
    return lines
