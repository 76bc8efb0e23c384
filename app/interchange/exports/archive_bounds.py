"""What an archive may contain: checked before anything is unpacked, refused by name."""

import json
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from app.errors import ExportError
from migrations.study.clean_text import is_clean, shown

MOST_FILES = 500_000
MOST_BYTES = 4 << 40
LONGEST_LIST = 256 << 20
"""Maximum size of an archive's list of files, in bytes."""
LONGEST_NAME = 400
DEEPEST = 12
HIGHEST_RATIO = 200
"""Maximum ratio of unpacked to packed size: images and gaze reach 10, black pictures 1,000."""
FREE_OF_RATIO = 256 << 20
KEPT_FREE = 256 << 20
"""Bytes that must stay free on the disk."""
FILES = ("study.toml", "foveate.sqlite")
FOLDERS = ("images", "runs", "cache/similarity")
JOBS = ("runs", "queue")


def listed(archive: zipfile.ZipFile, name: str, path: Path) -> dict[str, Any]:
    """Return an archive's list of its files.

    Raises
    ------
    ExportError
        If it is too long, nested too deeply, or not a list.
    KeyError, ValueError
        If there is none.
    """
    if len(archive.infolist()) > MOST_FILES:
        raise ExportError(f"{path} contains more than {MOST_FILES:,} files, more than any study.")
    if archive.getinfo(name).file_size > LONGEST_LIST:
        raise ExportError(f"{path}: its list of files is longer than {LONGEST_LIST >> 20} MB.")
    try:
        found = json.loads(archive.read(name))
    except RecursionError as error:
        raise ExportError(f"{path}: its list of files is nested too deeply.") from error
    if not isinstance(found, dict) or not isinstance(found.get("sha256"), dict):
        raise ExportError(f"{path}: its list of files is not a list.")
    return found


def is_job(name: str) -> bool:
    """Tell whether a file belongs to the queue of trainings, which archives never include."""
    return tuple(part.lower() for part in PurePosixPath(name).parts[:2]) == JOBS


def check_names(names: Iterable[str], path: Path) -> None:
    """Refuse names that lead out of the study, or that no study contains.

    Raises
    ------
    ExportError
        Naming the file.
    """
    for name in names:
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts or "\\" in name or ":" in name:
            raise ExportError(
                f"{path}: the name {shown(name)!r} points outside the study. The archive was not "
                "unpacked."
            )
        known = name in FILES or any(name.startswith(f"{folder}/") for folder in FOLDERS)
        is_fit = len(name) <= LONGEST_NAME and len(inside.parts) <= DEEPEST
        if not known or not is_fit or not is_clean(name) or "\n" in name:
            raise ExportError(
                f"{path}: {shown(name)!r} is not a file of a study. The archive was not unpacked."
            )


def check_sizes(archive: zipfile.ZipFile, names: Iterable[str], path: Path, place: Path) -> None:
    """Refuse an archive that unpacks to more than the disk can hold, or to far more than its size.

    Raises
    ------
    ExportError
        Saying how large it would be.
    KeyError
        If a file of the list is not in the archive.
    """
    infos = [archive.getinfo(name) for name in names]
    total = sum(info.file_size for info in infos)
    packed = min(sum(info.compress_size for info in infos), path.stat().st_size)
    if total > FREE_OF_RATIO and total > HIGHEST_RATIO * max(packed, 1):
        raise ExportError(
            f"{path} would unpack to {total / 1e9:.1f} GB, {total // max(packed, 1)} times its "
            "size, which no study does. It was not unpacked."
        )
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free - KEPT_FREE
    if total > min(free, MOST_BYTES):
        raise ExportError(
            f"{path} would unpack to {total / 1e9:.1f} GB, but only {max(free, 0) / 1e9:.1f} GB "
            f"are free at {place}. Choose a folder on another disk with --study."
        )
