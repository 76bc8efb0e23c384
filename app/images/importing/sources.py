"""Which files are meant by folders, a DICOMDIR, zip archives or a csv of labels."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from app.errors import ImportRefused, LabelsError
from app.images.decoding.archives import is_archive
from app.images.decoding.decode import Decoder
from app.images.decoding.dicomdir import Disc, is_dicomdir

log = logging.getLogger(__name__)

OWN_LABELS = "labels.csv"
"""A csv of this name in an imported folder contains its labels."""


def files_of(paths: Iterable[Path], *, leave_out: Path | None = None) -> list[Path]:
    """Return the files meant, in order.

    Folders are searched, linked ones once and after the others; a DICOMDIR stands for the files it
    lists, a zip archive for its contents.

    Parameters
    ----------
    leave_out
        The csv of labels, which is not an image.
    """
    found: dict[Path, None] = {}
    with Decoder(b"") as decoder:
        for path in paths:
            if path.is_dir():
                found.update(dict.fromkeys(_expanded(_walked(path), decoder)))
            elif is_dicomdir(path):
                found.update(dict.fromkeys(_listed(path, decoder)))
            else:
                found.update(dict.fromkeys(_expanded([path], decoder)))
    left_out = None if leave_out is None else leave_out.absolute()
    return [path for path in found if path.absolute() != left_out]


def labels_among(paths: Sequence[Path]) -> Path | None:
    """Return the csv of labels: the one named, else the `labels.csv` of a named folder.

    Raises
    ------
    LabelsError
        If there are two of them.
    """
    named = [path for path in paths if path.suffix.lower() == ".csv" and path.is_file()]
    tables = named or [table for path in paths if path.is_dir() for table in _own_labels(path)]
    if len(tables) > 1:
        names = ", ".join(str(path) for path in tables)
        raise LabelsError(f"{names}: choose only one csv of labels together with the images.")
    return tables[0] if tables else None


def _own_labels(folder: Path) -> list[Path]:
    try:
        return [p for p in sorted(folder.iterdir()) if p.name.lower() == OWN_LABELS and p.is_file()]
    except OSError:  # the search will report it
        return []


def _expanded(files: Iterable[Path], decoder: Decoder) -> Iterator[Path]:
    """Yield files; for an archive its contents, or the archive itself if it is refused."""
    for path in files:
        if not is_archive(path):
            yield path
            continue
        try:
            yield from decoder.listed(path)
        except ImportRefused:
            yield path


def _listed(dicomdir: Path, decoder: Decoder) -> list[Path]:
    """Return what a DICOMDIR lists; its whole folder if those files are not found."""
    try:
        listed = decoder.listed(dicomdir)
    except ImportRefused:
        log.warning("A DICOMDIR cannot be read; its folder is searched instead.")
        return _walked(dicomdir.parent)
    disc = Disc(dicomdir.parent)
    files = [disc.found(path.relative_to(dicomdir.parent).parts) for path in listed]
    if any(path.is_file() for path in files):
        return files
    log.warning("None of the files that a DICOMDIR lists exist; its folder is searched instead.")
    return _walked(dicomdir.parent)


def _walked(folder: Path) -> list[Path]:
    """Return the files below a folder, links included, each folder once.

    Linked folders come after the others, so that a file is found under its own path if it has one.
    """
    files: list[Path] = []
    visited: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        found, linked = _walked_plainly(waiting.pop(0), visited)
        files += found
        waiting += linked
    return files


def _walked_plainly(top: Path, visited: set[tuple[int, int]]) -> tuple[list[Path], list[Path]]:
    """Return the files below a folder that was not visited yet, and its linked folders.

    A folder that cannot be read is listed among the files, so that it is reported.
    """
    files: list[Path] = []
    linked: list[Path] = []

    def tell(error: OSError) -> None:
        files.append(Path(error.filename))

    for root, folders, names in os.walk(top, onerror=tell):
        if not _is_new(Path(root), visited):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked += [path for path in (Path(root) / n for n in folders) if path.is_symlink()]
        here = (Path(root) / n for n in sorted(names) if not n.startswith("."))
        files.extend(path for path in here if path.name.upper() != "DICOMDIR")
    return files, linked


def _is_new(folder: Path, visited: set[tuple[int, int]]) -> bool:
    try:
        status = folder.stat()
    except OSError:  # a broken link
        return False
    place = status.st_dev, status.st_ino
    is_new = place not in visited
    visited.add(place)
    return is_new
