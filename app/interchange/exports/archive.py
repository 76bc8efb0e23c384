"""A whole study as one zip file: every file with its SHA-256, the database copied while in use.

Caches, exports and backups are left out: caches can be computed again, the others are copies. So
are queued trainings: data from elsewhere must not start anything.
"""

import hashlib
import json
import shutil
import tempfile
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

from app.errors import ExportError
from app.interchange.exports.archive_bounds import (
    FOLDERS,
    check_names,
    check_sizes,
    is_job,
    listed,
)
from app.interchange.exports.readings import Progress
from migrations.study.database import Database, foveate_version
from migrations.study.folder import Study, require_local
from migrations.study.processes import is_abandoned, owned_name

CONTENTS = "foveate-archive.json"
ENDING = ".foveate.zip"
_STORED = (".npz", ".png", ".pt", ".safetensors", ".gz", ".zip", ".parquet")
_BLOCK = 1 << 20
_VERSION = 1


def export_archive(study: Study, out: Path, progress: Progress) -> Path:
    """Write the study into one file.

    Parameters
    ----------
    out
        A folder, in which a file named by study and time is made; or the file itself (``….zip``).

    Returns
    -------
    Path
        The archive; it appears completely or not at all.

    Raises
    ------
    ExportError
        If it exists already.
    """
    path = out if out.suffix == ".zip" else out / f"{study.folder.name}-{_stamp()}{ENDING}"
    if path.exists():
        raise ExportError(f"{path} already exists. Choose another file with --out.")
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent, ".archive-*")
    staging = owned_name(".archive-")
    partial = path.with_name(f"{staging}.zip.partial")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f"{staging}-") as folder:
            _write(study, partial, study.database.backup(Path(folder)), progress)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def import_archive(path: Path, folder: Path, progress: Progress) -> int:
    """Unpack an archive into a new study's folder and check each file; return the number of files.

    Raises
    ------
    ExportError
        If it is not an archive of ours, damaged (naming the file), beyond what a study can be
        (`app.interchange.exports.archive_bounds`), or the folder is not empty. Nothing is left
        behind then.
    """
    require_local(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(f"{folder} is not empty. Choose a new folder with --study.")
    _sweep(folder.parent, ".incoming-*")
    staging = folder.parent / owned_name(".incoming-")
    try:
        staging.mkdir(parents=True, mode=0o700)
        count = _unpacked(path, staging, progress)
        problems = _check(staging / "foveate.sqlite")
        if problems:
            raise ExportError(f"{path}: its database is damaged ({problems[0]}).")
        if folder.exists():
            folder.rmdir()
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return count


def _sweep(folder: Path, pattern: str) -> None:
    """Remove what a killed export or import of an archive left here."""
    for left in folder.glob(pattern) if folder.is_dir() else ():
        if is_abandoned(left):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()


def _write(study: Study, partial: Path, database: Path, progress: Progress) -> None:
    files = {"study.toml": study.folder / "study.toml", "foveate.sqlite": database}
    for name in FOLDERS:
        for file in sorted((study.folder / name).rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(study.folder).parts)
            inside = file.relative_to(study.folder).as_posix()
            if file.is_file() and not file.is_symlink() and not hidden and not is_job(inside):
                files[inside] = file
    sums: dict[str, str] = {}
    partial.touch(mode=0o600)
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for done, (name, file) in enumerate(files.items(), 1):
            sums[name] = _add(archive, name, file)
            progress(done, len(files))
        contents = {"version": _VERSION, "foveate_version": foveate_version(), "sha256": sums}
        archive.writestr(CONTENTS, json.dumps(contents, indent=1))


def _add(archive: zipfile.ZipFile, name: str, file: Path) -> str:
    info = zipfile.ZipInfo(name)
    stored = file.suffix in _STORED
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    digest = hashlib.sha256()
    with file.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
        while block := source.read(_BLOCK):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def _unpacked(path: Path, staging: Path, progress: Progress) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            contents = listed(archive, CONTENTS, path)
            sums = {name: wanted for name, wanted in contents["sha256"].items() if not is_job(name)}
            if contents["version"] > _VERSION:
                raise ExportError(f"{path} was written by a newer Foveate; install it.")
            missing = {"study.toml", "foveate.sqlite"} - set(sums)
            if missing:
                raise ExportError(f"{path} is damaged: {', '.join(sorted(missing))} is missing.")
            check_names(sums, path)
            check_sizes(archive, sums, path, staging)
            for done, (name, wanted) in enumerate(sums.items(), 1):
                _extract(archive, name, wanted, staging, path)
                progress(done, len(sums))
            return len(sums)
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
    ) as error:
        raise ExportError(f"{path} is not a study archive, or is damaged ({error}).") from error


def _extract(archive: zipfile.ZipFile, name: str, wanted: str, staging: Path, path: Path) -> None:
    target = staging / name
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(name) as source, target.open("xb") as file:
        while block := source.read(_BLOCK):
            digest.update(block)
            file.write(block)
    if digest.hexdigest() != wanted:
        raise ExportError(f"{path} is damaged: the checksum of {name} does not match.")


def _check(database: Path) -> list[str]:
    opened = Database.at(database)
    try:
        return opened.check()
    finally:
        opened.close()


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
