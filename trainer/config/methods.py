"""The self-supervised methods by name, as their files declare them.

A method is a file of `trainer/methods` with a `METHOD`; a new one needs no other change. Such a
file defines nets and imports torch, which takes seconds; settings, help and the station's form need
its declaration alone. So that is read from the file's text, and its values are literals.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.errors import ConfigError

KINDS = ("siamese", "contrastive")
_FOLDER = Path(__file__).parents[1] / "methods"


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """What a method's file declares.

    Attributes
    ----------
    title
        As people write it.
    net
        The file's subclass of `Method`. Its constructor takes encoder, width of the features and
        widths of the heads, then any settings of `RunConfig` by name.
    kind
        One of `KINDS`: which released settings of a recipe suit it.
    queue
        Whether a batch is compared with keys of earlier steps, `RunConfig.queue` of them.
    paths
        Whether it learns of fixations, one after the other: `StepPairs.glimpses`.
    aliases
        Other names that settings may give it.
    settings
        What it needs beside those, by recipe.
    """

    title: str
    net: str
    kind: str
    queue: bool = False
    paths: bool = False
    aliases: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}; known are {', '.join(KINDS)}")


def read_methods(folder: Path) -> dict[str, MethodSpec]:
    """Return what the files of a folder declare, by name, without running them.

    Raises
    ------
    ValueError
        Naming the file whose `METHOD` is not a `MethodSpec` of literals.
    """
    found = {}
    for path in sorted(folder.glob("*.py")):
        if (call := _declaration(path)) is not None:
            try:
                values = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
                found[path.stem] = MethodSpec(**values)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}: METHOD cannot be read: {error}") from error
    return found


def _declaration(path: Path) -> ast.Call | None:
    """Return the right side of a file's `METHOD = MethodSpec(...)`; None where there is none."""
    for line in ast.parse(path.read_text(encoding="utf-8")).body:
        match line:
            case ast.Assign(targets=[ast.Name(id="METHOD")], value=ast.Call() as call):
                return call
    return None


METHODS: dict[str, MethodSpec] = read_methods(_FOLDER)


def find_method(name: str) -> MethodSpec:
    """Return what a method declares.

    Raises
    ------
    ConfigError
        Naming those that exist.
    """
    if name not in METHODS:
        raise ConfigError(f"method is {name!r}; known are {', '.join(METHODS)}.")
    return METHODS[name]


def plain_method_name(name: str) -> str:
    """Return the name that an alias stands for; any other text as it is."""
    return next((own for own, spec in METHODS.items() if name in spec.aliases), name)
