"""The measures there are: a module of `trainer.analysis.measures` with a `GROUP` is one of them.

Other distributions bring theirs by an entry point in `foveate.measures`.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import replace

from devices.plugins import plug_ins
from trainer.analysis import measures as package
from trainer.analysis.definitions import Definition, Group, Of
from trainer.analysis.measures import attention, maps, strings, transitions
from trainer.analysis.multimatch_pairs import DEFINITIONS as MULTIMATCH
from trainer.similarity.base import Measure

_NAMES = ("reading", "reader", "image", "arm", "area", "frame", "kind", "lesion")
"""Columns that say which row it is."""

_OWN: tuple[Group, ...] = tuple(
    module.GROUP
    for name in sorted(
        m.name for m in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    )
    if isinstance(getattr(module := importlib.import_module(name), "GROUP", None), Group)
)

_OTHERS: tuple[Definition, ...] = (
    # These need more than one reading, or all areas of an image, at a time.
    *attention.DEFINITIONS,
    *transitions.DEFINITIONS,
    *maps.READING_DEFINITIONS,
    *maps.PAIR_DEFINITIONS,
    *strings.DEFINITIONS,
    *MULTIMATCH,
)


def with_plug_ins(own: Sequence[Group], others: Iterable[Definition]) -> tuple[Group, ...]:
    """Return groups, and those of other distributions whose columns nothing else has."""
    found, taken = list(own), {d.name for d in (*_definitions(own), *others)} | set(_NAMES)
    for each in plug_ins("foveate.measures"):
        group = each.content
        if not isinstance(group, Group):
            if not isinstance(group, Measure):
                each.refuse("foveate.measures", "it is neither a Measure nor a Group")
            continue
        twice = sorted({d.name for d in group.definitions} & taken)
        if twice or not group.definitions:
            reason = f"there is a column {twice[0]!r} already" if twice else "it has no definitions"
            each.refuse("foveate.measures", reason)
            continue
        taken |= {d.name for d in group.definitions}
        sources = tuple(replace(d, source=d.source or each.package) for d in group.definitions)
        found.append(replace(group, definitions=sources))
    return tuple(found)


def _definitions(groups: Iterable[Group]) -> Iterable[Definition]:
    return (d for group in groups for d in group.definitions)


GROUPS: tuple[Group, ...] = with_plug_ins(_OWN, _OTHERS)
DEFINITIONS: tuple[Definition, ...] = (*_definitions(GROUPS), *_OTHERS)


def groups_of(of: Of) -> list[Group]:
    """Return the groups whose rows are of one kind."""
    return [group for group in GROUPS if group.definitions[0].of == of]
