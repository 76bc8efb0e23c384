"""Follow the chain and compare every sealed row with it; the first broken link is named."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migrations.study.seal.canonical import row_digest, row_key
from migrations.study.seal.chain import (
    REVISION,
    SCHEMA,
    Error,
    Head,
    as_bytes,
    has_chain,
    head_of,
    link_hash,
    link_id,
    schema_digests,
    stored_bytes,
)
from migrations.study.seal.heads import holds, remembered
from migrations.study.seal.keys import fingerprint, is_signed
from migrations.study.seal.registry import VERSION, columns_of, sealed_tables

_NAMED = 20


@dataclass(frozen=True, slots=True)
class SealFault:
    """Something that differs from what was sealed; a note where nothing need have been changed."""

    text: str
    is_note: bool = False


@dataclass(slots=True)
class _Known:
    """What the chain says.

    Attributes
    ----------
    rows
        Digest, version and link number of each existing row, by table and key.
    """

    rows: dict[tuple[str, bytes], tuple[bytes, int, int]] = field(default_factory=dict)
    times: dict[int, str] = field(default_factory=dict)
    head: Head | None = None
    signed: int = 0


def seal_faults(driver: Any, database: Path | None) -> Iterator[SealFault]:
    """Yield what is wrong with the sealed record of a SQLite database.

    Parameters
    ----------
    database
        Its file, whose last seal may be known outside; None: do not compare.
    """
    with ExitStack() as stack:
        stack.enter_context(stored_bytes(driver))
        try:
            yield from _faults(driver, database)
        except Error as error:
            yield SealFault(f"the sealed record cannot be read completely: {error}")


def _faults(driver: Any, database: Path | None) -> Iterator[SealFault]:
    outside = remembered(database) if database else None
    if not has_chain(driver):
        if outside is not None or _has_revision(driver):
            yield SealFault("the table of seals is missing")
        return
    known = _Known()
    yield from _links(driver, known)
    if known.head is None:
        yield SealFault("the sealed record is empty: its seals were removed")
    elif outside is not None and not holds(driver, known.head, outside):
        yield _of_another_time(known.head, outside)
    yield from _short(_rows(driver, known))


def other_time_fault(driver: Any, database: Path) -> SealFault | None:
    """Return the fault of a record other than the one this computer knows in its place."""
    outside = remembered(database)
    try:
        head = head_of(driver) if has_chain(driver) else None
        if outside is None or head is None or holds(driver, head, outside):
            return None
    except Error:
        return None
    return _of_another_time(head, outside)


def _has_revision(driver: Any) -> bool:
    """Tell whether the schema has seals; revisions are numbers that sort as text."""
    query = "SELECT 1 FROM main.sqlite_master WHERE name = 'alembic_version'"
    if driver.execute(query).fetchone() is None:
        return False
    return any(bytes(r[0]) >= b"0007" for r in driver.execute("SELECT * FROM alembic_version"))


def _of_another_time(head: Head, outside: Head) -> SealFault:
    if outside.chain != head.chain:
        return SealFault(
            "this is not the sealed record that this computer knows in this place, but another "
            "study's"
        )
    return SealFault(
        f"this computer knows seal {outside.number} of this study, but the record ends at seal "
        f"{head.number} or has another one there: its end was cut off, or it was replaced with "
        "an older copy"
    )


def _links(driver: Any, known: _Known) -> Iterator[SealFault]:
    """Follow the chain into `known`; only the first broken link is yielded."""
    keys = {fingerprint(as_bytes(p)): as_bytes(p) for (p,) in
            driver.execute("SELECT public FROM seal_key")}  # fmt: skip
    told, last_signed = False, 0
    query = "SELECT number, id, body, hash, signature FROM seal ORDER BY number"
    for row in driver.execute(query):
        try:
            fault = _link_fault(row, known.head, keys)
            _learn(row, known)
        except Error:
            fault = "its contents cannot be read"
        if known.head is not None and known.head.signature:
            last_signed = known.head.number
        if fault and not told:
            told = True
            number = row[0]
            when = known.times.get(number, "")
            yield SealFault(f"seal {number!r}{f' of {when}' if when else ''} is broken: {fault}")
    if known.head is not None and last_signed < known.head.number and not told:
        open_links = known.head.number - last_signed
        yield SealFault(
            f"the last {open_links} seals are not signed: a session is open or was killed",
            is_note=True,
        )


def _link_fault(row: Any, before: Head | None, keys: dict[str, bytes]) -> str:
    number, id_, body, hash_, signature = row
    expected = before.number + 1 if before else 1
    said = json.loads(bytes(body))
    if number != expected or said["number"] != number:
        return f"seal {expected} should be in its place"
    if before is not None and said["chain"] != before.chain:
        return "it belongs to another chain"
    if link_hash(before, bytes(body)) != hash_:
        return "its hash does not match its contents and the previous seal"
    if type(body) is not bytes or type(hash_) is not bytes or type(signature) is not bytes:
        return "its columns were changed"
    if as_bytes(id_) != link_id(hash_).encode():
        return "its id does not match its hash"
    key = said["key"]
    if key is None:
        return "it has a signature without a signer" if signature else ""
    if key not in keys:
        return f"it was signed by a key ({key}) that the study does not know"
    return "" if is_signed(keys[key], signature, hash_) else "its signature is wrong"


def _learn(row: Any, known: _Known) -> None:
    number, _, body, hash_, signature = row
    said = json.loads(bytes(body))
    known.head = Head(str(said["chain"]), int(number), bytes(hash_), bytes(signature))
    known.times[int(number)] = str(said["time"])
    for table, key, digest in said["rows"]:
        place = str(table), bytes.fromhex(key)
        if digest is None:
            known.rows.pop(place, None)
        else:
            known.rows[place] = bytes.fromhex(digest), int(said["version"]), int(number)


def _rows(driver: Any, known: _Known) -> Iterator[SealFault]:
    for table, key, digest in schema_digests(driver):
        sealed = known.rows.pop((table, key), None)
        if sealed is None or sealed[0] != digest:
            yield SealFault(_schema_text(driver, table, key))
    for table in sealed_tables():
        yield from _of_table(driver, table, known)
    for (table, _), (_, _, number) in sorted(known.rows.items(), key=lambda item: item[1][2]):
        what = "a table, an index or a trigger" if table == SCHEMA else f"a row of {table}"
        if table == SCHEMA:
            yield SealFault(
                f"{what} that protected or contained the record is missing ({_missing(driver)})"
            )
        else:
            yield SealFault(f"{what} is missing that was {_sealed_when(known, number)}")


def _missing(driver: Any) -> str:
    names = {bytes(r[0]).decode() for r in
             driver.execute("SELECT name FROM main.sqlite_master")}  # fmt: skip
    gone = [n for n in ("audit_no_update", "audit_no_delete") if n not in names]
    return f"the audit's {', '.join(gone)}" if gone else "not one of the audit's"


def _schema_text(driver: Any, table: str, key: bytes) -> str:
    if table == REVISION:
        return "the revision of the schema was changed"
    for (name,) in driver.execute("SELECT name FROM main.sqlite_master"):
        if row_key(SCHEMA, bytes(name)) == key:
            return f"{bytes(name).decode(errors='replace')} in the schema was added or changed"
    return "the schema was changed"


def _of_table(driver: Any, table: str, known: _Known) -> Iterator[SealFault]:
    latest = columns_of(table, VERSION)
    names = ", ".join(f'"{name}"' for name in latest)
    for row in driver.execute(f'SELECT {names} FROM main."{table}" NOT INDEXED'):
        name = as_bytes(row[0])
        sealed = known.rows.pop((table, row_key(table, name)), None)
        named = f"the row {name.decode(errors='replace')} of {table}"
        if sealed is None:
            yield SealFault(f"{named} was not added by Foveate")
            continue
        digest, version, number = sealed
        columns = columns_of(table, version)
        values = row if columns == latest else [row[latest.index(c)] for c in columns]
        if row_digest(table, values) != digest:
            yield SealFault(f"{named} differs from what was {_sealed_when(known, number)}")


def _sealed_when(known: _Known, number: int) -> str:
    return f"sealed with seal {number} ({known.times.get(number, 'of unknown time')})"


def _short(faults: Iterator[SealFault]) -> Iterator[SealFault]:
    """Yield the first faults, and how many more there are."""
    more = 0
    for count, fault in enumerate(faults):
        if count < _NAMED:
            yield fault
        else:
            more += 1
    if more:
        yield SealFault(f"{more} more rows differ from what was sealed")
