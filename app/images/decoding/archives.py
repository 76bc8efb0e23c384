"""Zip archives of a CD: listed in the decoding process, unpacked one file at a time.

A file in an archive is named as if the archive were a folder (`cd.zip/DICOM/IM0`). Its contents are
checked against limits before anything is unpacked, and nothing is ever unpacked under its name in
the archive.
"""

import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import ImportRefused
from app.images.limits import MAX_FILE_BYTES

SUFFIX = ".zip"
ZIP_HEADS = (b"PK\x03\x04", b"PK\x05\x06")
MAX_FILES = 100_000
MAX_BYTES = 64 << 30
MAX_RATIO = 200
"""How many times larger than the archive its files may be; only a few blank images exceed this."""
_SMALL_BYTES = 1 << 30
"""Up to this total size, any ratio is accepted."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCKED = 0x1
_LEFT_OUT = ("__MACOSX", "DICOMDIR")


def is_archive(path: Path) -> bool:
    """Return whether a path is a zip archive, by its suffix."""
    return path.suffix.lower() == SUFFIX and path.is_file()


def archive_of(path: Path) -> Path | None:
    """Return the archive that a path leads into; None for any other path."""
    return next((parent for parent in path.parents if is_archive(parent)), None)


def listed_members(archive: Path) -> list[list[str]]:
    """Return the files of an archive as parts of paths; only in the decoding process.

    Hidden files, those added by macOS, and the DICOMDIR, which adds nothing, are left out.

    Raises
    ------
    ImportRefused
        If it is damaged, locked, compressed by another method, contains another archive, two files
        of one name or files outside itself, or more than an import accepts.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ImportRefused("it is not a readable zip archive, or is cut off") from error
    _require_bounds(members, archive.stat().st_size)
    named = [_parts(member.filename) for member in members]
    files = [parts for parts in named if not any(_is_left_out(part) for part in parts)]
    if not files:
        raise ImportRefused("it is a zip archive without files")
    if len(set(map(tuple, files))) < len(files):
        raise ImportRefused("it is a zip archive with several files of the same name; unpack it")
    return files


def _require_bounds(members: list[zipfile.ZipInfo], packed_bytes: int) -> None:
    whole = sum(member.file_size for member in members)
    if len(members) > MAX_FILES:
        raise ImportRefused(f"it is a zip archive of more than {MAX_FILES:,} files")
    if whole > MAX_BYTES or (whole > _SMALL_BYTES and whole > MAX_RATIO * packed_bytes):
        raise ImportRefused(
            f"it is a zip archive that unpacks to {whole / 1e9:,.0f} GB: over {MAX_RATIO} times "
            f"its size, or over {MAX_BYTES / 1e9:,.0f} GB"
        )
    if any(member.flag_bits & _LOCKED for member in members):
        raise ImportRefused("it is a zip archive locked with a password; unpack it")
    if any(member.compress_type not in _METHODS for member in members):
        raise ImportRefused(
            "it is a zip archive compressed by a method other than Deflate; unpack it"
        )
    inner = next((m for m in members if m.filename.lower().endswith(SUFFIX)), None)
    if inner is not None:
        raise ImportRefused("it is a zip archive that contains another archive; unpack it")


def _parts(name: str) -> list[str]:
    parts = name.replace("\\", "/").split("/")
    if any(part in ("", ".", "..") or set(part) & set(":\0") for part in parts):
        raise ImportRefused("it is a zip archive that names files outside itself")
    return parts


def _is_left_out(part: str) -> bool:
    return part.startswith(".") or part.upper() in _LEFT_OUT


class OpenArchives:
    """The archive that files are unpacked from; it stays open between files."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._archive: zipfile.ZipFile | None = None
        self._members: dict[tuple[str, ...], zipfile.ZipInfo] = {}

    def close(self) -> None:
        """Close it."""
        if self._archive is not None:
            self._archive.close()
        self._path = self._archive = None

    @contextmanager
    def unpacked(self, path: Path, archive: Path, folder: Path) -> Iterator[Path]:
        """Yield a file of an archive as a file in a folder, which is removed afterwards.

        Raises
        ------
        ImportRefused
            If it is damaged, too large, or missing.
        """
        folder.mkdir()
        try:
            target = folder / "file"
            try:
                self._unpack(path.relative_to(archive).parts, archive, target)
            except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
                raise ImportRefused("it is damaged in its zip archive") from error
            yield target
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _unpack(self, parts: Iterable[str], archive: Path, target: Path) -> None:
        opened = self._opened(archive)
        member = self._members.get(tuple(parts))
        if member is None:
            raise ImportRefused("there is no such file in the archive")
        if member.file_size > MAX_FILE_BYTES:
            raise ImportRefused(f"the file is {member.file_size / 1e6:,.0f} MB when unpacked")
        with opened.open(member) as source, target.open("xb") as file:
            shutil.copyfileobj(source, file)  # zipfile gives no more than the archive says

    def _opened(self, archive: Path) -> zipfile.ZipFile:
        if self._archive is None or self._path != archive:
            self.close()
            self._path, self._archive = archive, zipfile.ZipFile(archive)
            infos = [m for m in self._archive.infolist() if not m.is_dir()]
            self._members = {tuple(_parts(member.filename)): member for member in infos}
        return self._archive
