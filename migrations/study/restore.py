"""Replace a study's database with a backup; the old one is set aside."""

import contextlib
import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from migrations.study.audit import add_audit
from migrations.study.backups import filled, newest, require_sound
from migrations.study.database import Database
from migrations.study.errors import DatabaseError, NotAStudy
from migrations.study.folder import backup_folder
from migrations.study.processes import owned_name
from migrations.study.schema import utc_now
from migrations.study.settings import read_settings
from migrations.study.soundness import SET_ASIDE

_NAME = "foveate.sqlite"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: from which backup, where the old database is, how many chunks are lost."""

    backup: Path
    replaced: Path
    lacking: int


def restore(folder: Path, backup: Path | None = None) -> Restored:
    """Restore the study in a folder; no one may have it open.

    Parameters
    ----------
    backup
        A file in a backup folder, or a complete copy; None: the study's newest.

    Raises
    ------
    NotAStudy
        If the folder is not a study.
    DatabaseError
        If there is no backup, or it cannot be read; nothing is changed then.
    """
    if not (folder / "study.toml").is_file():
        raise NotAStudy(f"{folder} is not a Foveate study (it has no study.toml).")
    backups = backup_folder(folder, read_settings(folder / "study.toml"))
    found = backup or newest(backups, "foveate")
    if found is None or not found.is_file():
        raise DatabaseError(f"There is no backup {found or f'in {backups}'}. Name one with --from.")
    partial = folder / f"{owned_name('restore-')}.partial"
    try:
        lacking = filled(found, partial)
        require_sound(partial, found)
        restored = Restored(found, _exchanged(folder, partial), lacking)
        _note(folder / _NAME, found)
        return restored
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"{found} cannot be restored: {error}.") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _note(database: Path, backup: Path) -> None:
    """Record in the audit what was restored; from here on, this record counts."""
    with contextlib.closing(Database.at(database)) as restored:
        if restored.revision() == restored.newest():
            with restored.write() as rows:
                add_audit(rows, "restored", details={"backup": backup.name})
        restored.remember_seal(anew=True)


def _exchanged(folder: Path, partial: Path) -> Path:
    """Put the new database in the place of the old one; return where the old one is now.

    A complete database is in place at every instant: the old one or the new one.
    """
    database = folder / _NAME
    aside = folder / SET_ASIDE / utc_now().replace(":", "").replace(".", "-")
    aside.mkdir(parents=True, mode=0o700)
    if database.exists():
        with contextlib.suppress(sqlite3.Error):  # it may be damaged; its log is moved with it
            _empty_log(database)
        _link(database, aside / _NAME)
        for name in (f"{_NAME}-wal", f"{_NAME}-shm"):
            with contextlib.suppress(FileNotFoundError):
                (folder / name).rename(aside / name)
    partial.replace(database)
    return aside / _NAME


def _empty_log(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _link(file: Path, other: Path) -> None:
    """Give a file a second path; it is copied where the disk has no links."""
    try:
        os.link(file, other)
    except OSError:
        shutil.copy2(file, other)
