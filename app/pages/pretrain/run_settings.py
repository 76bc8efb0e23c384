"""A run's settings as described by the trainer, as the fields of a form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from app.ui.fields import Field, Kind

_KINDS: dict[str, Kind] = {
    "int": "int", "float": "number", "bool": "bool", "str": "text", "table": "text",
}  # fmt: skip
_LABELS = {
    "lr": "Learning rate", "clip_grad": "Gradient limit", "in_channels": "Input channels",
    "init": "Start from file", "norm": "Normalisation layers", "knn_every": "Look every",
    "checkpoint_every": "Checkpoint every", "onnx": "Write ONNX", "ddp": "DDP", "tf32": "TF32",
    "cuda_graph": "CUDA graph", "normalisation": "Loss normalisation", "drop": "Drop pairs",
    "workers": "Loading threads", "test_share": "Test share", "early_stop": "Stop early after",
    "softness": "Soft pairs", "agreement": "Weigh by readers' agreement",
    "unread_encoder": "Encoder for unread images",
    "path_weight": "Weight of the next fixation", "path_order": "Order of fixations",
    "depth": "Views are cut from", "window_jitter": "Move windows by",
    "train_blocks": "Trained blocks", "layer_decay": "Rate per block",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SettingsGroup:
    """Settings that belong together, as named and explained by the trainer."""

    title: str
    help: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """All settings of a run.

    Attributes
    ----------
    groups
        All fields by group, in the trainer's order; without titles if it names none.
    recipes
        What a recipe sets unless the user does, by recipe and method.
    """

    groups: tuple[SettingsGroup, ...]
    recipes: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields, group by group."""
        return tuple(field for group in self.groups for field in group.fields)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the output of `python main.py train --describe`.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is something else.
        """
        table = json.loads(text)
        rows = table["fields"]
        named = table.get("groups", ())
        groups = [(g["title"], g["help"], [r for r in rows if r.get("group") == g["key"]])
                  for g in named]  # fmt: skip
        keys = {g["key"] for g in named}
        groups.append(("", "", [row for row in rows if row.get("group") not in keys]))
        return cls(
            tuple(
                SettingsGroup(title, text, tuple(map(_field, found)))
                for title, text, found in groups
                if found
            ),
            table["recipes"],
        )


def settings_of(config: Mapping[str, Any]) -> list[str]:
    """Return the options of `python main.py train` that reproduce a stored config."""
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
        _LABELS.get(row["name"]) or row["name"].replace("_", " ").capitalize(),
        "number" if kind == "int" and row["default"] is None else kind,
        help=row["help"],
        choices=choices,
        low=row["low"],
        high=row["high"],
        unit=f" {row['unit']}" if row["unit"] else "",
        default=row["default"],
        optional=True,
    )
