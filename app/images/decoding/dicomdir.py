"""A DICOMDIR: the table of contents of a CD (PS3.10); it lists files and contains no picture."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.errors import ImportRefused

_VERSION = re.compile(r";\d+$")


def is_dicomdir(path: Path) -> bool:
    """Return whether a file is a DICOMDIR, by the only name it may have (PS3.10 8.6)."""
    return path.name.upper() == "DICOMDIR" and path.is_file()


class Disc:
    """The files of a disc as mounted or copied by a system, possibly under other names.

    A CD's names are uppercase and without suffix; Linux mounts them in lowercase or with a version
    (`IM0001.;1`), and viewers add `.dcm` when copying.

    Parameters
    ----------
    top
        The folder of the DICOMDIR.
    """

    def __init__(self, top: Path) -> None:
        self._top = top
        self._names: dict[Path, dict[str, list[str]]] = {}

    def found(self, parts: Sequence[str]) -> Path:
        """Return where a listed file is; unchanged if it is missing or ambiguous."""
        place = self._top
        for part in parts:
            if not (place / part).exists():
                called = self._called(place).get(part.lower(), [])
                place = place / (called[0] if len(called) == 1 else part)
            else:
                place = place / part
        return place if place.is_file() else self._top.joinpath(*parts)

    def _called(self, folder: Path) -> dict[str, list[str]]:
        """Return the candidates in a folder by listed name, in lowercase."""
        if folder not in self._names:
            found: dict[str, list[str]] = {}
            names = sorted(os.listdir(folder)) if folder.is_dir() else []
            for name in names:
                plain = _VERSION.sub("", name.lower())
                for key in {plain, plain.removesuffix("."), plain.rpartition(".")[0]} - {""}:
                    found.setdefault(key, []).append(name)
            self._names[folder] = found
        return self._names[folder]


def listed_files(path: Path) -> list[list[str]]:
    """Return the files a DICOMDIR lists as parts of paths below its folder; worker process only.

    Raises
    ------
    ImportRefused
        If it cannot be read, lists no file, or lists one outside its folder.
    """
    import pydicom

    try:
        records = pydicom.dcmread(path, force=True).get("DirectoryRecordSequence") or []
        found = [_parts(record.get("ReferencedFileID")) for record in records]
    except Exception as error:  # pydicom raises whatever error a broken file leads to
        raise ImportRefused("it is not a readable DICOMDIR") from error
    files = [parts for parts in found if parts]
    if not files:
        raise ImportRefused("it is a DICOMDIR that lists no files")
    if any(not _inside(parts) for parts in files):
        raise ImportRefused("it is a DICOMDIR that lists files outside its folder")
    return files


def _parts(value: Any) -> list[str]:
    if not value:
        return []
    return [value] if isinstance(value, str) else [str(part) for part in value]


def _inside(parts: list[str]) -> bool:
    return not any(part in ("", ".", "..") or set(part) & set("/\\:\0") for part in parts)
