"""The self-supervised methods by name, as their files declare them.

A method is a file of `trainer/methods` with a `METHOD`; a new one needs no other change. Such a
file defines nets and imports torch, which takes seconds; settings, help and the station's form need
its declaration alone. So that is read from the file's text, and its values are literals. Other
distributions name such a file of theirs by an entry point in `foveate.methods`.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devices.plugins import free, plug_in_files
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
            raise ValueError(f"kind is {self.kind!r}; it must be one of {', '.join(KINDS)}")


def read_methods(folder: Path) -> dict[str, MethodSpec]:
    """Return what the files of a folder declare, by name, without running them.

    Raises
    ------
    ValueError
        Naming the file whose `METHOD` is not a `MethodSpec` of literals.
    """
    found = {path.stem: read_method(path) for path in sorted(folder.glob("*.py"))}
    return {name: spec for name, spec in found.items() if spec is not None}


def read_method(path: Path) -> MethodSpec | None:
    """Return what a file declares, without running it; None where it declares no method.

    Raises
    ------
    ValueError
        If its `METHOD` is not a `MethodSpec` of literals.
    """
    call = _declaration(path)
    if call is None:
        return None
    try:
        return MethodSpec(**{str(k.arg): ast.literal_eval(k.value) for k in call.keywords})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: METHOD cannot be read: {error}") from error


def _declaration(path: Path) -> ast.Call | None:
    """Return the right side of a file's `METHOD = MethodSpec(...)`; None where there is none."""
    for line in ast.parse(path.read_text(encoding="utf-8")).body:
        match line:
            case ast.Assign(targets=[ast.Name(id="METHOD")], value=ast.Call() as call):
                return call
    return None


def _with_plug_ins(own: Mapping[str, MethodSpec]) -> dict[str, MethodSpec]:
    found = dict(own)
    for each in plug_in_files("foveate.methods"):
        taken = {*found, *(alias for spec in found.values() for alias in spec.aliases)}
        if not free("foveate.methods", each, taken):
            continue
        try:
            spec = read_method(each.content)
        except (OSError, SyntaxError, ValueError) as error:
            each.refuse("foveate.methods", str(error))
            continue
        if spec is None:
            each.refuse("foveate.methods", f"{each.content} has no METHOD")
        else:
            found[each.name] = spec
            _MODULES[each.name] = each.module
    return found


_MODULES: dict[str, str] = {}
METHODS: dict[str, MethodSpec] = _with_plug_ins(read_methods(_FOLDER))


def module_of(name: str) -> str:
    """Return the module that a method's net lies in."""
    return _MODULES.get(name, f"trainer.methods.{name}")


def find_method(name: str) -> MethodSpec:
    """Return what a method declares.

    Raises
    ------
    ConfigError
        Naming those that exist.
    """
    if name not in METHODS:
        raise ConfigError(f"method is {name!r}; it must be one of {', '.join(METHODS)}.")
    return METHODS[name]


def plain_method_name(name: str) -> str:
    """Return the name that an alias stands for; any other text as it is."""
    return next((own for own, spec in METHODS.items() if name in spec.aliases), name)
