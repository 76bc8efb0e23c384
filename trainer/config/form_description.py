"""What can be set in a run, as JSON: the station makes its form from it, without importing us."""

import inspect
import json
import re
from dataclasses import MISSING, fields
from typing import Any

from trainer.config.config import RunConfig
from trainer.config.groups import GROUPS, group_of
from trainer.config.layers import RANGES, choices, titles
from trainer.config.methods import METHODS
from trainer.config.recipes import settings_of

_UNITS = {"size": "px", "batch": "images", "epochs": "epochs", "warmup_epochs": "epochs"}
_KINDS = {int: "int", float: "float", bool: "bool", str: "str", dict: "table"}


def describe() -> str:
    """Return fields of `RunConfig` and parameters of the measures: types, ranges, units, help.

    And the groups of fields, in order, and what each recipe changes of the defaults, by method.
    """
    from trainer.similarity.registry import MEASURES

    texts = _help(inspect.getdoc(RunConfig) or "")
    known, written = choices(), titles()
    table = {
        "fields": [
            {
                **_field(f.name, getattr(RunConfig(), f.name), str(f.type)),
                "choices": known.get(f.name, ()),
                "titles": written.get(f.name, {}),
                "help": texts.get(f.name, ""),
                "group": group_of(f.name),
            }
            for f in fields(RunConfig)
            if f.name != "measure_parameters"
        ],
        "groups": [{"key": g.key, "title": g.title, "help": g.help} for g in GROUPS],
        "measures": {
            name: [
                {
                    **_field(f.name, None if f.default is MISSING else f.default, str(f.type)),
                    "help": _help(inspect.getdoc(measure.parameters) or "").get(f.name, ""),
                }
                for f in fields(measure.parameters)
            ]
            for name, measure in MEASURES.items()
        },
        "recipes": {
            recipe: {method: settings_of(recipe, method) for method in METHODS}
            for recipe in known["recipe"]
        },
    }
    return json.dumps(table, indent=1)


def _field(name: str, default: Any, annotation: str) -> dict[str, Any]:
    kind = _KINDS.get(type(default), "float" if "float" in annotation else "str")
    low, high = RANGES.get(name, (None, None))
    return {
        "name": name,
        "kind": kind,
        "default": default,
        "low": low,
        "high": high,
        "unit": _UNITS.get(name, ""),
    }


def _help(docstring: str) -> dict[str, str]:
    """Return the text under each name of a docstring's Attributes; names may share one."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in docstring.partition("Attributes\n")[2].splitlines()[1:]:
        if re.match(r"^[a-z]", line):
            names = [name.strip() for name in line.split(",")]
        elif line.strip():
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found
