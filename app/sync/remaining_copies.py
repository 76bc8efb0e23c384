"""Where else a person's data may be: listed, never removed.

Runs, the queue, exports, backups, what was set aside, everything else in the study's folder, the
user's configuration and logs, and remains of killed programs in the temporary folder.
"""

import gzip
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_config_path, user_log_path
from sqlalchemy import select

from migrations.study.erasure import Erased
from migrations.study.export_manifest import MANIFEST
from migrations.study.folder import Study, backup_folder
from migrations.study.schema import Image
from migrations.study.this_computer import config_folder, log_folder

_BLOCK = 1 << 20
_DATABASE = "foveate.sqlite"
_PIXELS = ("stored.npy", "presentation.png")
_OWN = ("images", "runs", "exports", "backups", "cache")


@dataclass(frozen=True, slots=True)
class Trace:
    """A file or folder that contains, or may contain, data of the erased person."""

    kind: str
    path: Path
    reason: str


def find_traces(study: Study, erased: Erased) -> list[Trace]:
    """Return the runs, exports and backups with traces of what was erased."""
    needles = sorted({t.encode() for t in erased.tokens | _names(erased)})
    found = [Trace("run", f, reason) for f, reason in _runs(study, needles)]
    found += [Trace("export", f, reason) for f, reason in _exports(study, erased, needles)]
    found += [Trace("backup", f, reason) for f, reason in _backups(study, needles)]
    return found + [
        Trace(kind, file, "it names it")
        for kind, file in _elsewhere(study)
        if _holds(file, needles)
    ]


def _names(erased: Erased) -> set[str]:
    return {name for name in erased.names if len(name) > 1}


def _runs(study: Study, needles: list[bytes]) -> Iterator[tuple[Path, str]]:
    queued = _inside(study.runs / "queue")
    for folder in [f for f in _inside(study.runs) if f.name != "queue"] + queued:
        hit = next((f for f in _files(folder) if _holds(f, needles)), None)
        if hit is not None:
            yield folder, f"{hit.name} names it"
        elif any(folder.glob("encoder.*")) or any(folder.glob("checkpoint*")):
            yield folder, "its weights were trained while the data were in the study"


def _exports(study: Study, erased: Erased, needles: list[bytes]) -> Iterator[tuple[Path, str]]:
    for entry in _inside(study.exports):
        manifest = entry / MANIFEST
        if manifest.is_file() and _in_manifest(manifest, erased):
            yield entry, "its list names it"
        elif entry.is_dir() and not manifest.is_file() and any(entry.rglob("*.parquet")):
            yield entry, "it was interrupted, and its tables are packed"
        elif (hit := next((f for f in _files(entry) if _holds(f, needles)), None)) is not None:
            yield entry, f"{hit.name} names it"


def _in_manifest(path: Path, erased: Erased) -> bool:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True  # cannot be read: better listed than missed
    named = {*table.get("readers", ()), *table.get("images", ())}
    return bool(named & (erased.tokens | erased.names))


def _backups(study: Study, needles: list[bytes]) -> Iterator[tuple[Path, str]]:
    folders = {study.folder / "backups", backup_folder(study.folder, study.settings)}
    for folder in sorted(folders):
        for file in _files(folder) if folder.is_dir() else ():
            if _holds(file, needles):
                yield file, "a copy of the database from before"


def _elsewhere(study: Study) -> Iterator[tuple[str, Path]]:
    """Yield the other files of the study, the user's configuration and logs, and temporary ones."""
    with study.database.read() as session:
        known = {study.image_folder(i).name for i in session.scalars(select(Image.id))}
    for entry in _inside(study.folder):
        if entry.name not in _OWN and not entry.name.startswith(_DATABASE):
            yield from (("aside", file) for file in _files(entry))
    for folder in _inside(study.folder / "images"):
        # Pixels of other images with a row belong to them; everything else is searched.
        is_known = folder.name in known
        yield from (("image", f) for f in _files(folder) if not (is_known and f.name in _PIXELS))
    usual = user_config_path("foveate", False), user_log_path("foveate", appauthor=False)
    for place in dict.fromkeys((config_folder(), log_folder(), *usual)):
        yield from (("user", file) for file in _files(place) if place.is_dir())
    for left in sorted(Path(tempfile.gettempdir()).glob("foveate-*")):
        yield from (("temporary", file) for file in _files(left))


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _files(entry: Path) -> Iterable[Path]:
    return [entry] if entry.is_file() else (f for f in sorted(entry.rglob("*")) if f.is_file())


def _holds(file: Path, needles: list[bytes]) -> bool:
    """Tell whether one of the needles occurs in a file; archives are searched too."""
    try:
        if any(needle in file.name.encode() for needle in needles):
            return True
        if {".zip", ".npz"} & set(file.suffixes):  # an interrupted one cannot be read: listed
            with zipfile.ZipFile(file) as archive:
                return any(_zipped(archive, name, needles) for name in archive.namelist())
        opened = gzip.open if file.suffix == ".gz" else open
        with opened(file, "rb") as source:
            return _found(iter(lambda: source.read(_BLOCK), b""), needles)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        return True


def _zipped(archive: zipfile.ZipFile, name: str, needles: list[bytes]) -> bool:
    if any(needle in name.encode() for needle in needles):
        return True
    if Path(name).name in _PIXELS:
        return False
    with archive.open(name) as source:
        return _found(iter(lambda: source.read(_BLOCK), b""), needles)


def _found(blocks: Iterable[bytes], needles: list[bytes]) -> bool:
    overlap, before = max((len(n) for n in needles), default=1), b""
    for block in blocks:
        joined = before + block
        if any(needle in joined for needle in needles):
            return True
        before = joined[-overlap:]
    return False
