"""The chain: each transaction that changes sealed rows adds a link with their hashes.

A link's hash covers the hash and the signature of the previous link. It names rows by a digest
(`canonical.row_key`), so that an erasure leaves no trace of them here and breaks nothing.
"""

import hashlib
import json
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from migrations.study.schema import new_id, utc_now
from migrations.study.seal.canonical import StoredText, row_digest, row_key
from migrations.study.seal.keys import StationKey, station_key
from migrations.study.seal.registry import OWN, VERSION, columns_of, sealed_tables
from migrations.study.this_computer import computer

SCHEMA = "sqlite_master"
"""The pseudo-table of tables, indexes and triggers, each under its name."""
REVISION = "alembic_version"
_LINK = b"foveate seal 1\0"

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_appended: dict[bytes, str] = {}
"""The chain of a link, by the link's hash, for the links last appended by this process."""
_APPENDED_MOST = 16

Digest = tuple[str, bytes, bytes | None]
"""Table, key of the row, digest of the row; None where the row is gone."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain; it is also kept outside the study."""

    chain: str
    number: int
    hash: bytes
    signature: bytes = b""


@contextmanager
def stored_bytes(driver: Any) -> Iterator[None]:
    """Make a connection return text as it is stored, undecoded."""
    before = driver.text_factory
    driver.text_factory = StoredText
    try:
        yield
    finally:
        driver.text_factory = before


def has_chain(driver: Any) -> bool:
    """Tell whether a database has the chain's table."""
    query = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?"
    return driver.execute(query, (OWN,)).fetchone() is not None


def head_of(driver: Any) -> Head | None:
    """Return the last link; None where there is none.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    query = "SELECT number, hash, signature, body FROM seal ORDER BY number DESC LIMIT 1"
    row = driver.execute(query).fetchone()
    if row is None:
        return None
    chain = json.loads(bytes(row[3]))["chain"]
    return Head(str(chain), int(row[0]), bytes(row[1]), bytes(row[2]))


def _head_to_append(driver: Any) -> Head | None:
    """Return the last link without parsing it where it was appended here; it may be long."""
    query = "SELECT number, hash, signature FROM seal ORDER BY number DESC LIMIT 1"
    row = driver.execute(query).fetchone()
    if row is None:
        return None
    chain = _appended.get(row[1])
    return head_of(driver) if chain is None else Head(chain, *row)


def link_hash(before: Head | None, body: bytes) -> bytes:
    """Return the hash of a link (32 bytes)."""
    last = b"" if before is None else before.hash + hashlib.sha256(before.signature).digest()
    return hashlib.sha256(_LINK + last + body).digest()


def link_id(hash_: bytes) -> str:
    """Return the id of a link's row, which is derived from its hash."""
    return str(uuid.UUID(bytes=hash_[:16]))


def add_link(driver: Any, changed: Iterable[tuple[str, str]], *, signed: bool = True) -> None:
    """Seal rows as they are now, in the transaction that changed them.

    Parameters
    ----------
    changed
        Table and id of each.
    signed
        Whether the station's key signs it; a signature also covers all earlier links.
    """
    with stored_bytes(driver):
        digests = [_digest(driver, table, id_) for table, id_ in changed]
    _append(driver, digests, signed=signed)


def seal_schema(driver: Any) -> None:
    """Seal tables, indexes, triggers and revision after an upgrade; all rows if none is sealed."""
    with stored_bytes(driver):
        digests = schema_digests(driver)
        if head_of(driver) is None:
            for table in sealed_tables():
                digests.extend(row_digests(driver, table, VERSION))
        else:
            known = {key for _, key, _ in digests}
            digests.extend((SCHEMA, key, None) for key in _sealed_schema(driver) - known)
    _append(driver, digests)


def schema_digests(driver: Any) -> list[Digest]:
    """Return the digests of everything that makes up the schema; needs `stored_bytes`."""
    # SQLite's own key indexes are included: it reads neither their type nor their table, and its
    # own check does not notice a change to them. What it counts for its planner (ANALYZE) is not
    # the record.
    query = (
        "SELECT name, type, tbl_name, sql FROM main.sqlite_master "
        "WHERE name NOT GLOB 'sqlite_stat[0-9]'"
    )
    found: list[Digest] = [
        (SCHEMA, row_key(SCHEMA, bytes(row[0])), row_digest(SCHEMA, row))
        for row in driver.execute(query)
    ]
    revision = driver.execute("SELECT version_num FROM alembic_version").fetchall()
    values = [value for row in revision for value in row]
    found.append((REVISION, row_key(REVISION, b""), row_digest(REVISION, values)))
    return found


def row_digests(driver: Any, table: str, version: int) -> Iterator[Digest]:
    """Yield the digests of all rows of a table; needs `stored_bytes`."""
    for row in driver.execute(_selected(table, version)):
        yield table, row_key(table, as_bytes(row[0])), row_digest(table, row)


def as_bytes(value: Any) -> bytes:
    """Return the bytes of an id as it is stored."""
    return bytes(value) if isinstance(value, bytes) else str(value).encode()


@cache
def _selected(table: str, version: int, rest: str = "") -> str:
    columns = ", ".join(f'"{name}"' for name in columns_of(table, version))
    return f'SELECT {columns} FROM main."{table}"{rest}'


def _digest(driver: Any, table: str, id_: Any) -> Digest:
    text = as_bytes(id_).decode()
    row = driver.execute(_selected(table, VERSION, " WHERE id = ?"), (text,)).fetchone()
    return table, row_key(table, text.encode()), row_digest(table, row) if row else None


def _append(driver: Any, digests: Sequence[Digest], *, signed: bool = True) -> None:
    before = _head_to_append(driver)
    number = before.number + 1 if before else 1
    key = station_key() if signed else None
    digests = list(digests)
    if key is not None:
        digests += _introduced(driver, key)
    chain = before.chain if before else os.urandom(16).hex()
    body = _body(chain, number, digests, key)
    hash_ = link_hash(before, body)
    signature = key.sign(hash_) if key else b""
    driver.execute(
        "INSERT INTO seal (id, number, body, hash, signature) VALUES (?, ?, ?, ?, ?)",
        (link_id(hash_), number, body, hash_, signature),
    )
    if len(_appended) >= _APPENDED_MOST:
        _appended.clear()
    _appended[hash_] = chain


def _body(chain: str, number: int, digests: Sequence[Digest], key: StationKey | None) -> bytes:
    said = {
        "chain": chain,
        "key": key.name if key else None,
        "number": number,
        "rows": [[t, k.hex(), d.hex() if d else None] for t, k, d in digests],
        "time": utc_now(),
        "version": VERSION,
    }
    return _ENCODER.encode(said).encode()


def _introduced(driver: Any, key: StationKey) -> list[Digest]:
    """Add a key's public half to the study if it is missing."""
    known = driver.execute("SELECT 1 FROM seal_key WHERE public = ?", (key.public,)).fetchone()
    if known:
        return []
    id_ = new_id()
    driver.execute(
        "INSERT INTO seal_key (id, public, created_utc, station) VALUES (?, ?, ?, ?)",
        (id_, key.public, utc_now(), computer()),
    )
    with stored_bytes(driver):
        return [_digest(driver, "seal_key", id_)]


def _sealed_schema(driver: Any) -> set[bytes]:
    found: dict[bytes, bool] = {}
    for (body,) in driver.execute("SELECT body FROM seal ORDER BY number"):
        if SCHEMA.encode() in bytes(body):
            rows = json.loads(bytes(body))["rows"]
            found.update({bytes.fromhex(k): d is not None for t, k, d in rows if t == SCHEMA})
    return {key for key, is_there in found.items() if is_there}


Error = (sqlite3.Error, ValueError, KeyError, TypeError)
"""What reading a damaged chain may raise."""
