"""The measures there are: a module of `trainer.analysis.measures` with a `GROUP` is one of them."""

import importlib
import pkgutil

from trainer.analysis import measures as package
from trainer.analysis.definitions import Definition, Group, Of
from trainer.analysis.measures import attention, maps, strings, transitions
from trainer.analysis.multimatch_pairs import DEFINITIONS as MULTIMATCH

GROUPS: tuple[Group, ...] = tuple(
    module.GROUP
    for name in sorted(
        m.name for m in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    )
    if isinstance(getattr(module := importlib.import_module(name), "GROUP", None), Group)
)

DEFINITIONS: tuple[Definition, ...] = (
    *(d for group in GROUPS for d in group.definitions),
    # These need more than one reading, or all areas of an image, at a time.
    *attention.DEFINITIONS,
    *transitions.DEFINITIONS,
    *maps.READING_DEFINITIONS,
    *maps.PAIR_DEFINITIONS,
    *strings.DEFINITIONS,
    *MULTIMATCH,
)


def groups_of(of: Of) -> list[Group]:
    """Return the groups whose rows are of one kind."""
    return [group for group in GROUPS if group.definitions[0].of == of]
