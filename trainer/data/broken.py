"""The pictures of a cohort that can be used, where some cannot and the user leaves them out.

Which cannot is remembered beside the cache, so that a run is not continued by decoding all anew.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from trainer.data.cache import ImageCache, Source, open_cache
from trainer.data.file_hashes import file_hashes
from trainer.errors import BrokenPictures


def open_sound(
    folder: Path,
    sources: Sequence[Source],
    size: int,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[ImageCache, dict[int, str]]:
    """Return the cache of those images that can be used, and what is wrong with the others.

    Parameters are those of `open_cache`.

    Returns
    -------
    ImageCache, dict
        The cache, and by position in `sources` what is wrong with an image that it lacks.

    Raises
    ------
    ImageCacheError
        If fewer than two can be used, or the disk cannot take the cache.
    Cancelled
        If the user asked to stop.
    """
    places, broken = list(range(len(sources))), dict[int, str]()
    while True:
        chosen = [sources[i] for i in places]
        try:
            found = _remembered(folder, chosen, cancelled)
            if found is None:
                cache = open_cache(folder, chosen, size, progress=progress, cancelled=cancelled)
                return cache, dict(sorted(broken.items()))
        except BrokenPictures as error:
            found = error.broken
            _remember(folder, chosen, found)
        broken.update({places[i]: reason for i, reason in found.items()})
        places = [p for i, p in enumerate(places) if i not in found]
        if len(places) < 2:
            raise BrokenPictures(dict(sorted(broken.items())), len(sources))


def _remembered(
    folder: Path, sources: Sequence[Source], cancelled: Callable[[], bool] = lambda: False
) -> dict[int, str] | None:
    """Return what was found broken among these very files, by this decoder; None: not looked at."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(_note(folder, sources, cancelled).read_text(encoding="utf-8"))
        return {int(position): str(reason) for position, reason in content.items()}
    return None


def _remember(folder: Path, sources: Sequence[Source], broken: dict[int, str]) -> None:
    """Note it; a folder that cannot be written costs time, not the run."""
    with contextlib.suppress(OSError):
        _note(folder, sources).write_text(json.dumps(broken, indent=1), encoding="utf-8")


def _note(
    folder: Path, sources: Sequence[Source], cancelled: Callable[[], bool] = lambda: False
) -> Path:
    """Return the note's path, named by the files' content and all else that is judged."""
    paths = [s.presentation for s in sources]
    hashes = file_hashes(paths, folder / "content.json", cancelled, {})
    digest = hashlib.sha256(cv2.__version__.encode())
    for source, value in zip(sources, hashes, strict=True):
        judged = (source.image_id, str(source.presentation), source.width, source.height, value)
        digest.update(repr(judged).encode())
    return folder / f"broken-{digest.hexdigest()[:16]}.json"
