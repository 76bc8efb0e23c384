"""What the sealed record finds: `python -m bench.seals [--changes 1000] [--studies 200]`.

Single changes are drawn over every column of every table and over the bytes of the file, from the
database's own list of columns and not from the seal's; then whole studies are made and looked at
without a change. What a seal costs: `python -m bench.seal_times`.
"""

import argparse
import random
import shutil
import sqlite3
import struct
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Column, insert

from migrations.study.clean_text import CleanText
from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.schema import Base, new_id
from migrations.study.seal.check import seal_faults
from migrations.study.seal.registry import COMPUTED
from migrations.study.settings import StudySettings

_ROWS = 3
_SKIPPED = {"seal", "seal_key"}
"""Tables that the chain fills itself."""
KINDS = ("column", "column", "column", "byte", "row added", "row removed", "rows swapped",
         "chunks swapped", "schema", "tail cut", "older copy")  # fmt: skip


def filled_study(folder: Path, rows: int = _ROWS) -> Path:
    """Make a study with some rows in every table, written by Foveate; return its database."""
    study = Study.create(folder, StudySettings(name="sealed"))
    for number in range(1, rows + 1):
        with study.database.write() as session:
            for table in Base.metadata.sorted_tables:
                if table.name not in _SKIPPED:
                    values = {c.name: _value(c, number) for c in table.columns}
                    session.execute(insert(table), values)
    study.close()
    return folder / "foveate.sqlite"


def _value(column: Column[Any], number: int) -> Any:
    for key in column.foreign_keys:
        return f"{key.column.table.name}-{number}"
    if column.name == "id":
        return f"{column.table.name}-{number}"
    kind = str if isinstance(column.type, CleanText) else column.type.python_type
    made = {str: f"{column.name} {number}", int: number, float: number / 3, bool: number % 2 == 0,
            bytes: bytes(range(number, 50 + number))}  # fmt: skip
    return made.get(kind, {"of": number})


def faults(database: Path) -> list[str]:
    """Return what a check says of a database: its own integrity, and the sealed record."""
    try:
        with closing(Database.at(database)) as opened:
            found = opened.check()
            with opened.read() as rows:
                driver = rows.connection().connection.driver_connection
                said = [f.text for f in seal_faults(driver, database) if not f.is_note]
        return found + said
    except Exception as error:  # a damaged header: no check gets through, none says it is sound
        return [str(error)]


def contents(database: Path) -> list[Any]:
    """Return all that is not computed again: what a change must not alter unseen."""
    with closing(sqlite3.connect(database)) as rows:
        rows.text_factory = bytes
        found: list[Any] = rows.execute("SELECT * FROM sqlite_master").fetchall()
        for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            table = name.decode()
            kept = [c for c in _columns(rows, table) if not is_computed(table, c)]
            if kept:
                names = ", ".join(f'"{c}"' for c in kept)
                found.append(sorted(map(repr, rows.execute(f'SELECT {names} FROM "{table}"'))))
    return found


def is_computed(table: str, column: str) -> bool:
    """Tell whether a column is on the list of what can be computed again."""
    listed = COMPUTED.get(table, "").split()
    return listed == ["*"] or column in listed


def changed(database: Path, older: Path, kind: str, dice: random.Random) -> str:
    """Make one change behind Foveate's back; return what was changed, empty if nothing could be."""
    if kind == "older copy":
        shutil.copy2(older, database)
        return kind
    if kind == "byte":
        return _flipped_byte(database, dice)
    with closing(sqlite3.connect(database)) as rows:
        kept = rows.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in kept:
            rows.execute(f'DROP TRIGGER "{name}"')
        said = _CHANGES[kind](rows, dice)
        if kind != "schema" or not said.startswith("trigger"):
            for _, sql in kept:
                rows.execute(sql)
        rows.commit()
    return said


def _flipped_byte(database: Path, dice: random.Random) -> str:
    data = bytearray(database.read_bytes())
    used = [i for i, byte in enumerate(data) if byte]  # most of a small file is empty space
    place = dice.choice(used) if dice.random() < 0.75 else dice.randrange(len(data))
    data[place] ^= 1 << dice.randrange(8)
    database.write_bytes(data)
    return "byte"


def _tables(rows: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [name for (name,) in rows.execute(query)]


def _columns(rows: sqlite3.Connection, table: str) -> list[str]:
    found = [row[1] for row in rows.execute(f'PRAGMA table_info("{table}")')]
    return [c.decode() if isinstance(c, bytes) else c for c in found]


def _some_row(rows: sqlite3.Connection, table: str, dice: random.Random) -> int:
    return int(dice.choice(rows.execute(f'SELECT rowid FROM "{table}"').fetchall())[0])


def _column(rows: sqlite3.Connection, dice: random.Random) -> str:
    places = [(t, c) for t in _tables(rows) for c in _columns(rows, t)]
    table, column = dice.choice(places)
    rowid = _some_row(rows, table, dice)
    query = f'SELECT "{column}" FROM "{table}" WHERE rowid = ?'
    value = other(rows.execute(query, (rowid,)).fetchone()[0], dice)
    rows.execute(f'UPDATE OR REPLACE "{table}" SET "{column}" = ? WHERE rowid = ?', (value, rowid))
    return f"{table}.{column}"


def other(value: Any, dice: random.Random) -> Any:
    """Return a value that differs as little as can be."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value + dice.choice((-1, 1))
    if isinstance(value, float):
        return struct.unpack(">d", _flipped(struct.pack(">d", value), dice, low=7))[0]
    if isinstance(value, str):
        letters = list(value) or [" "]
        place = dice.randrange(len(letters))
        letters[place] = "x" if letters[place] != "x" else "y"
        return "".join(letters)
    return _flipped(value, dice) if value else b"\0"


def _flipped(data: bytes, dice: random.Random, low: int = 0) -> bytes:
    made = bytearray(data)
    made[dice.randrange(low, len(made))] ^= 1 << dice.randrange(8)
    return bytes(made)


def _added(rows: sqlite3.Connection, dice: random.Random) -> str:
    table = dice.choice([t for t in _tables(rows) if t != "alembic_version"])
    columns = _columns(rows, table)
    row = list(rows.execute(f'SELECT * FROM "{table}"').fetchone())
    row = [other(v, dice) if c in ("id", "number", "key", "pseudonym", "name", "sequence", "tile",
           "sha256", "subject") else v for c, v in zip(columns, row, strict=True)]  # fmt: skip
    try:
        rows.execute(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(row))})', row)
    except sqlite3.IntegrityError:  # it met a row that is there: draw another
        return _added(rows, dice)
    return f"{table}.*" if is_computed(table, "id") else "row added"


def _removed(rows: sqlite3.Connection, dice: random.Random) -> str:
    table = dice.choice(_tables(rows))
    rows.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (_some_row(rows, table, dice),))
    return f"{table}.*" if is_computed(table, "id") else "row removed"


def _swapped(rows: sqlite3.Connection, dice: random.Random) -> str:
    tables = [t for t in _tables(rows) if t not in ("alembic_version", "seal_key")]
    return _exchange(rows, dice.choice(tables), dice)


def _chunks(rows: sqlite3.Connection, dice: random.Random) -> str:
    return _exchange(rows, "gaze_chunk", dice) and "chunks swapped"


def _exchange(rows: sqlite3.Connection, table: str, dice: random.Random) -> str:
    """Let two rows change their ids."""
    ids = [i for (i,) in rows.execute(f'SELECT id FROM "{table}"')]
    one, two = dice.sample(ids, 2)
    for old, new in ((one, "?"), (two, one), ("?", two)):
        rows.execute(f'UPDATE "{table}" SET id = ? WHERE id = ?', (new, old))
    return f"{table}.*" if is_computed(table, "id") else "rows swapped"


def _schema(rows: sqlite3.Connection, dice: random.Random) -> str:
    indexes = [n for (n,) in rows.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")]  # fmt: skip
    if dice.random() < 0.5:
        return "trigger dropped"  # none is put back
    rows.execute(f'DROP INDEX "{dice.choice(indexes)}"')
    return "index dropped"


def _cut(rows: sqlite3.Connection, dice: random.Random) -> str:
    last = rows.execute("SELECT max(number) FROM seal").fetchone()[0]
    rows.execute("DELETE FROM seal WHERE number > ?", (dice.randrange(last),))
    return "tail cut"


_CHANGES: dict[str, Callable[[sqlite3.Connection, random.Random], str]] = {
    "column": _column, "row added": _added, "row removed": _removed, "rows swapped": _swapped,
    "chunks swapped": _chunks, "schema": _schema, "tail cut": _cut,
}  # fmt: skip


def tried(folder: Path, count: int, seed: int = 0) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Make single changes to a filled study, each to it as it was.

    Returns
    -------
    tuple
        How many of each kind were found, lay in what is computed again, or changed nothing that is
        stored; and those that nobody found.
    """
    dice, counts, missed = random.Random(seed), Counter[tuple[str, str]](), []
    database = filled_study(folder / "study")
    older, whole = folder / "older.sqlite", folder / "whole.sqlite"
    shutil.copy2(database, older)
    with closing(Database.at(database)) as opened, opened.write() as session:
        session.execute(insert(Base.metadata.tables["audit"]),
                        {"id": new_id(), "station": "s", "action": "a", "subject": "x",
                         "time_utc": "t", "details": {}})  # fmt: skip
    shutil.copy2(database, whole)
    before = contents(whole)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        for name in ("-wal", "-shm"):
            database.with_name(f"{database.name}{name}").unlink(missing_ok=True)
        shutil.copy2(whole, database)
        said = changed(database, older, kind, dice)
        outcome = _outcome(database, said, before)
        counts[kind, outcome] += 1
        if outcome == "missed":
            missed.append(said)
    return counts, missed


def _outcome(database: Path, said: str, before: list[Any]) -> str:
    if faults(database):
        return "found"
    table, dot, column = said.partition(".")
    if dot and is_computed(table, column):
        return "computed again"
    try:
        return "nothing stored changed" if contents(database) == before else "missed"
    except (sqlite3.Error, UnicodeError):
        return "missed"


def alarms(folder: Path, count: int, seed: int = 0) -> list[str]:
    """Make whole studies, change them through Foveate, and return what a check says of them."""
    dice, found = random.Random(seed), []
    for number in range(count):
        database = filled_study(folder / f"study-{number}", dice.randrange(1, 6))
        with closing(Database.at(database)) as opened, opened.write() as session:
            session.execute(Base.metadata.tables["image"].update().values(label="another"))
            session.execute(Base.metadata.tables["annotation"].delete().where(
                Base.metadata.tables["annotation"].c.id == "none"))  # fmt: skip
        found += faults(database)
        shutil.rmtree(database.parent)
    return found


def main() -> int:
    """Print the tables of docs/reliability.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        counts, missed = tried(Path(name), given.changes, given.seed)
        print("| change | outcome | count |\n|---|---|---|")
        for (kind, outcome), count in sorted(counts.items()):
            print(f"| {kind} | {outcome} | {count} |")
        print(f"\nMissed: {missed}\nComputed again: {COMPUTED}")
        told = alarms(Path(name), given.studies, given.seed)
        print(f"{given.studies} studies: {told or 'no alarm'}")
    return int(bool(missed))


if __name__ == "__main__":
    raise SystemExit(main())
