"""The files of what is erased: removed, counted when gone, listed when not."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import select

from migrations.study.erasure import Erased
from migrations.study.folder import Study
from migrations.study.processes import is_abandoned
from migrations.study.schema import Image
from migrations.study.soundness import SET_ASIDE
from migrations.study.tombstones import Tombstones

_STORED = "stored.npy"


@dataclass(slots=True)
class Removed:
    """What happened to the files.

    Attributes
    ----------
    images, leftovers
        Folders that are gone: of images, and of killed imports.
    kept
        What still exists although it should be gone, each with the reason.
    """

    images: int = 0
    leftovers: int = 0
    kept: list[tuple[Path, str]] = field(default_factory=list)


def remove_files(study: Study, erased: Erased) -> Removed:
    """Remove the folders of erased images, the remains of killed imports, and the caches."""
    removed = Removed()
    for image_id in erased.image_ids:
        removed.images += _gone(study.image_folder(image_id), removed)
    if erased.image_ids:
        for folder in _leftovers(study):
            _remove_leftover(study, folder, removed)
    for entry in _inside(study.cache):
        _gone(entry, removed)
    return removed


def _leftovers(study: Study) -> Iterator[Path]:
    """Yield the folders of images without a row: in `images/`, and those set aside from there."""
    with study.database.read() as session:
        ids = set(session.scalars(select(Image.id)))
    local = {study.image_folder(image_id) for image_id in ids}
    asides = (study.folder / SET_ASIDE).glob("*/images")
    for place in (study.folder / "images", *sorted(asides)):
        yield from (entry for entry in _inside(place) if entry not in local)


def _remove_leftover(study: Study, folder: Path, removed: Removed) -> None:
    """Remove a leftover of an erased person, or half an image; list it if that is unclear."""
    if folder.name.startswith(".incoming-"):
        if is_abandoned(folder):
            removed.leftovers += _gone(folder, removed)
        else:
            removed.kept.append((folder, "an import is using it; erase again after the import"))
        return
    pixels = _pixels(folder / _STORED)
    if pixels is None:
        removed.kept.append((folder, "no row says whose it is, and its pixels cannot be read"))
        return
    with study.database.read() as session:
        is_erased = Tombstones.of(session).bars(pixels, folder.name)
    if is_erased:
        removed.leftovers += _gone(folder, removed)
    else:
        why = (
            "it was left by a killed import, and no row says whose it is; delete it if it "
            "may be theirs"
        )
        removed.kept.append((folder, why))


def _pixels(file: Path) -> str | None:
    """Return the SHA-256 of an image's stored values, None if they cannot be read."""
    try:
        stored = np.load(file, mmap_mode="r", allow_pickle=False)
        return hashlib.sha256(np.ascontiguousarray(stored).data).hexdigest()
    except (OSError, ValueError, EOFError):
        return None


def _gone(path: Path, removed: Removed) -> bool:
    """Remove a file or folder; return whether it existed and is gone, and list it if not."""
    if path.is_symlink():
        removed.kept.append((path, f"a link; its target was not touched: {os.readlink(path)}"))
        return False
    if not path.exists():
        return False
    reasons: list[str] = []
    if path.is_dir():
        shutil.rmtree(path, onerror=lambda _, at, why: reasons.append(f"{at}: {_said(why[1])}"))
    else:
        try:
            path.unlink()
        except OSError as error:
            reasons.append(_said(error))
    if not path.exists():
        return True
    removed.kept.append((path, reasons[0] if reasons else "it still exists"))
    return False


def _said(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _inside(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return ()
