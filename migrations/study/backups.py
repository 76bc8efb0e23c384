"""Backups of a study's database: small and frequent, with the gaze stored only once.

A backup is a copy of all rows, ``foveate-<time>.sqlite``, in which the chunks of gaze are empty.
The chunks make up nearly all of a study and are never rewritten, so all backups share one copy of
them in ``gaze/chunks.sqlite``; each backup adds the new ones. `restore` joins the two.
"""

import contextlib
import sqlite3
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from migrations.study.engine import read_only_uri
from migrations.study.errors import DatabaseDamaged
from migrations.study.processes import as_typed, is_abandoned, owned_name
from migrations.study.thinning import thin

WAIT_S = 30
STAMP = "%Y%m%dT%H%M%S%fZ"
_STORE = ("gaze", "chunks.sqlite")
_COLUMNS = ("id", "recording_id", "sequence", "first_us", "last_us", "count", "codec_version",
            "crc32", "blob")  # fmt: skip
_CREATE = """
CREATE TABLE IF NOT EXISTS store.gaze_chunk (
    id TEXT PRIMARY KEY, recording_id TEXT NOT NULL, sequence INTEGER NOT NULL,
    first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, count INTEGER NOT NULL,
    codec_version INTEGER NOT NULL, crc32 INTEGER NOT NULL, blob BLOB NOT NULL)
"""


def back_up(database: Path, folder: Path) -> Path:
    """Copy the rows of a SQLite database, and the chunks of gaze that no backup holds yet.

    The copy is consistent even while the database is written to, and is verified before it is kept.
    Older backups are thinned out (`migrations.study.thinning`), and files left by a killed backup
    are removed.

    Returns
    -------
    Path
        The copy of the rows.

    Raises
    ------
    DatabaseDamaged
        If the copy is not sound; it is then not kept. Or if chunks of the study are damaged; the
        copy is then kept without them.
    sqlite3.Error, OSError
        If the database cannot be read or the folder cannot be written; no partial copy remains.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep(folder)
    copy, partial = _names(database, folder)
    store = folder.joinpath(*_STORE)
    store.parent.mkdir(exist_ok=True, mode=0o700)
    try:
        damaged = _written(database, partial, store)
        require_sound(partial, database)
        partial.replace(copy)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    thin(folder, database.stem)
    if damaged:
        raise DatabaseDamaged(
            as_typed(
                f"The backup {copy} was made without {len(damaged)} chunks of gaze that are "
                f"damaged in {database} and missing from every backup: "
                f"{', '.join(damaged[:5])}. python main.py db check lists their readings and "
                "says what to do."
            )
        )
    return copy


def whole_copy(database: Path, folder: Path, suffix: str = "", *, read_only: bool = False) -> Path:
    """Copy a SQLite database with all its gaze into one file; raises as `back_up` does.

    With `read_only`, nothing is written beside the database; use it on write-protected media.
    """
    source = read_only_uri(database) if read_only else _uri(database, "rw")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep(folder)
    copy, partial = _names(database, folder, suffix)
    try:
        with (
            contextlib.closing(sqlite3.connect(source, uri=True, timeout=WAIT_S)) as origin,
            _created(partial) as made,
        ):
            origin.backup(made)
        require_sound(partial, database)
        partial.replace(copy)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return copy


def _names(database: Path, folder: Path, suffix: str = "") -> tuple[Path, Path]:
    """Return the name of a new copy, and its name while it is being made."""
    stamp = datetime.now(UTC).strftime(STAMP)
    partial = owned_name(f"{database.stem}-")
    copy = folder / f"{database.stem}-{stamp}{suffix}.sqlite"
    return copy, folder / f"{partial}.partial"


def sweep(folder: Path) -> None:
    """Remove the files left by a backup that was killed."""
    for left in folder.glob("*.partial*"):
        if is_abandoned(left):
            with contextlib.suppress(OSError):
                left.unlink()


def require_sound(copy: Path, origin: Path) -> None:
    """Refuse a copy of a database that is not sound.

    Raises
    ------
    DatabaseDamaged
        Naming the database that was copied.
    """
    with contextlib.closing(sqlite3.connect(copy)) as opened:
        problems = [row[0] for row in opened.execute("PRAGMA integrity_check")]
        broken = opened.execute("PRAGMA foreign_key_check").fetchone()
    if problems != ["ok"] or broken:
        said = (
            problems[0]
            if problems != ["ok"]
            else f"a row of {broken[0]} refers to a row that does not exist"
        )
        raise DatabaseDamaged(
            as_typed(
                f"The backup of {origin} was discarded because the copy is damaged ({said}). "
                "Keep earlier backups. Run python main.py db check to see what is damaged."
            )
        )


def newest(folder: Path, stem: str) -> Path | None:
    """Return the latest backup in a folder, or None."""
    return max(folder.glob(f"{stem}-*.sqlite"), default=None, key=lambda path: path.name)


def filled(backup: Path, target: Path) -> int:
    """Rebuild the database from a backup and its chunks; return how many chunks are missing.

    Raises
    ------
    sqlite3.Error, OSError
        If they cannot be read or the target cannot be written.
    """
    store = backup.parent.joinpath(*_STORE)
    with contextlib.closing(sqlite3.connect(backup)) as origin, _created(target) as made:
        origin.backup(made)
        if store.is_file():
            made.execute("ATTACH ? AS store", [_uri(store, "ro")])
            made.execute(
                "UPDATE gaze_chunk SET blob = (SELECT s.blob FROM store.gaze_chunk s WHERE "
                "s.id = gaze_chunk.id) WHERE length(blob) = 0 AND id IN "
                "(SELECT id FROM store.gaze_chunk)"
            )
            made.commit()
        lacking = made.execute("SELECT count(*) FROM gaze_chunk WHERE length(blob) = 0")
        return int(lacking.fetchone()[0])


def _written(database: Path, partial: Path, store: Path) -> list[str]:
    """Copy the rows, add new chunks to the store; return the ids of damaged ones."""
    with contextlib.closing(
        sqlite3.connect(_uri(database, "rw"), uri=True, timeout=WAIT_S, isolation_level=None)
    ) as rows:
        rows.create_function("checksum", 1, zlib.crc32, deterministic=True)
        for path, name in ((partial, "copy"), (store, "store")):
            path.touch(mode=0o600)
            rows.execute(f"ATTACH ? AS {name}", [_uri(path, "rw")])
        rows.execute("BEGIN")
        _copy_rows(rows)
        damaged = _add_chunks(rows)
        rows.execute("COMMIT")
    return damaged


def _copy_rows(rows: sqlite3.Connection) -> None:
    # What SQLite counts for its planner (ANALYZE) is its own: no statement can make such a table.
    query = (
        "SELECT type, name, sql FROM main.sqlite_master "
        "WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'"
    )
    parts = rows.execute(query).fetchall()
    tables = [(name, sql) for kind, name, sql in parts if kind == "table"]
    for name, sql in tables:
        rows.execute(_in_copy(sql, "TABLE"))
        columns = [row[1] for row in rows.execute(f'PRAGMA main.table_info("{name}")')]
        empties = (name, "blob") if name == "gaze_chunk" else None
        values = ", ".join("x''" if (name, c) == empties else f'"{c}"' for c in columns)
        rows.execute(f'INSERT INTO copy."{name}" SELECT {values} FROM main."{name}"')
    for kind, _, sql in parts:
        if kind in ("index", "trigger"):
            rows.execute(_in_copy(sql, kind.upper()))


def _in_copy(sql: str, kind: str) -> str:
    """Return a table's, index's or trigger's CREATE statement, rewritten for the copy."""
    head, found, rest = sql.partition(f"{kind} ")
    if not found:
        raise sqlite3.DatabaseError(f"malformed database schema ({sql[:60]})")
    return f"{head}{kind} copy.{rest.removeprefix('IF NOT EXISTS ')}"


def _add_chunks(rows: sqlite3.Connection) -> list[str]:
    if not rows.execute("SELECT 1 FROM main.sqlite_master WHERE name = 'gaze_chunk'").fetchone():
        return []
    rows.execute(_CREATE)
    names = ", ".join(f'"{c}"' for c in _COLUMNS)
    new = "FROM main.gaze_chunk WHERE id NOT IN (SELECT id FROM store.gaze_chunk)"
    rows.execute(
        f"INSERT INTO store.gaze_chunk ({names}) SELECT {names} {new} AND checksum(blob) = crc32"
    )
    return [row[0] for row in rows.execute(f"SELECT id {new}")]


@contextlib.contextmanager
def _created(target: Path) -> Iterator[sqlite3.Connection]:
    target.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(_uri(target, "rw"), uri=True)) as made:
        yield made


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"
