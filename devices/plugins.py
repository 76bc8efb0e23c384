"""What other distributions add to Foveate, found by their entry points (docs/plugins.md).

A plug-in that cannot be loaded, or is called as something that is there already, is named on
standard error and left out; the command goes on.
"""

import logging
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

Group = Literal["foveate.measures", "foveate.importers", "foveate.trackers", "foveate.methods"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlugIn:
    """One thing that another distribution adds.

    Attributes
    ----------
    name
        As its entry point is called.
    package
        Name and version of the distribution.
    content
        What the entry point names, imported; of a method the path of its file, not imported.
    module
        The module it lies in.
    """

    name: str
    package: str
    content: Any
    module: str

    def refuse(self, group: Group, reason: str) -> None:
        """Report that the plug-in is left out."""
        _refuse(group, self.name, self.package, reason)


def installed() -> list[str]:
    """Return a line for each plug-in that is installed, by group and name; none is imported."""
    return [
        f"Plug-in: {point.name} ({group}), from {_package(point)}"
        for group in get_args(Group)
        for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value))
    ]


@cache
def plug_ins(group: Group) -> tuple[PlugIn, ...]:
    """Return the plug-ins of a group that can be imported, by name; the others are said."""
    return tuple(_found(group, lambda point: point.load()))


@cache
def plug_in_files(group: Group) -> tuple[PlugIn, ...]:
    """Return the same with the path of each module's file in place of what is in it."""
    return tuple(_found(group, _file_of))


def free(group: Group, plug_in: PlugIn, taken: Container[str]) -> bool:
    """Tell whether nothing else is called as a plug-in; where something is, it is said."""
    if plug_in.name in taken:
        plug_in.refuse(group, "the name is already taken")
        return False
    return True


def _found(group: Group, content_of: Callable[[EntryPoint], Any]) -> list[PlugIn]:
    found = dict[str, PlugIn]()
    for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value)):
        package = _package(point)
        try:
            made = PlugIn(point.name, package, content_of(point), point.module)
        except (Exception, SystemExit) as error:  # third-party modules may raise anything at import
            _refuse(group, point.name, package, f"{type(error).__name__}: {error}")
            continue
        if free(group, made, found):
            found[made.name] = made
    return list(found.values())


def _file_of(point: EntryPoint) -> Path:
    spec = find_spec(point.module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the module {point.module} has no file")
    return Path(spec.origin)


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "unknown"


def _refuse(group: Group, name: str, package: str, reason: str) -> None:
    log.warning('The plug-in "%s" of %s (%s) is left out: %s.', name, package, group, reason)
