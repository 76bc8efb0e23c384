"""The image cache on several machines: one that all see, or one of each machine's own.

Only the first process decodes pictures. A machine whose cache folder lacks the file (a disk of its
own) is sent it by the first process.
"""

from pathlib import Path
from typing import Protocol, Self, TypeVar

from trainer.data.cache import index_of
from trainer.errors import ImageCacheError
from trainer.process import distributed
from trainer.process.hand_out import hand_out, is_first_of_machine, of_each

Cache = TypeVar("Cache", bound="CacheFile")


class CacheFile(Protocol):
    """Of pictures or of stored values: a file with its index beside it."""

    @property
    def path(self) -> Path | None:
        """The file."""

    def opened(self, path: Path | None = None) -> Self:
        """Return the cache mapped from its file, or from a copy at `path`."""


def opened_here(images: Cache, folder: Path) -> Cache:
    """Return the first process's cache as this process sees it; all processes must call it.

    Parameters
    ----------
    images
        The cache of the first process, with pixels or as it is described to the others.
    folder
        Where this process keeps caches.

    Raises
    ------
    ImageCacheError
        If a machine cannot keep it, in all processes; names each file.
    """
    assert images.path is not None
    first = distributed.rank() == 0
    own = images.path if first else folder / images.path.name
    lacking = not (own.exists() and index_of(own).exists())
    asked = of_each(lacking and is_first_of_machine() and not first)
    takers = [number for number, wants in enumerate(asked) if wants]
    problem = ""
    if takers:
        for source, target in ((index_of(images.path), index_of(own)), (images.path, own)):
            problem = hand_out(source, target, takers) or problem
    problems = [text for text in of_each(problem) if text]
    if problems:
        raise ImageCacheError(
            "A machine cannot keep the image cache: " + "; ".join(problems) + ". Free some disk "
            "space there, or choose another folder with --cache."
        )
    return images if first else images.opened(own)
