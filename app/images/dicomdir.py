"""A DICOMDIR: the table of contents of a CD (PS3.10); it names files, it holds no picture."""

from pathlib import Path
from typing import Any

from app.errors import ImportRefused


def is_dicomdir(path: Path) -> bool:
    """Return whether a file is a DICOMDIR, by the one name it may have (PS3.10 8.6)."""
    return path.name.upper() == "DICOMDIR" and path.is_file()


def listed_files(path: Path) -> list[list[str]]:
    """Return the files a DICOMDIR lists as parts of paths below its folder; worker process only.

    Raises
    ------
    ImportRefused
        If it cannot be read, lists none, or one that lies outside its folder.
    """
    import pydicom

    try:
        records = pydicom.dcmread(path, force=True).get("DirectoryRecordSequence") or []
        found = [_parts(record.get("ReferencedFileID")) for record in records]
    except Exception as error:  # pydicom raises whatever a broken file makes it stumble over
        raise ImportRefused("it is no readable DICOMDIR") from error
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
