"""Connections to the database: how SQLite is opened and locked, and how a server is waited for."""

import logging
import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event, exc, make_url

from migrations.study.clean_text import as_json
from migrations.study.errors import DatabaseError
from migrations.study.server_line import line_to

log = logging.getLogger(__name__)

_PATIENCE = {
    "connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}  # fmt: skip


def make_engine(url: str, *, durable: bool, read_only: bool, wait_s: int) -> Engine:
    """Return the engine of a SQLite file or a server; `migrations.study.database` says more.

    SQLite waits `wait_s` seconds for a lock.

    Raises
    ------
    DatabaseError
        If the URL cannot be used, or a write-protected file is not complete without another.
    """
    if not url.startswith("sqlite"):
        return _server_engine(url)
    if read_only:
        return _read_only_engine(url)
    kept = partial(as_json, keeps_nan=True)
    engine = create_engine(
        url, connect_args={"timeout": wait_s}, hide_parameters=True, json_serializer=kept
    )
    path = Path(engine.url.database) if engine.url.database else None
    event.listen(engine, "connect", lambda made, _: _prepare(made, path, durable, wait_s))
    event.listen(engine, "begin", _on_begin)
    return engine


def _prepare(connection: Any, path: Path | None, durable: bool, wait_s: int) -> None:
    # The driver must not open transactions by itself: `_on_begin` does, so that a migration
    # is one transaction and a writer takes its lock at once.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={wait_s * 1000}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA temp_store=MEMORY")  # where changes are noted that are to be sealed
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    cursor.close()
    if path is not None and os.name == "posix":
        path.chmod(0o600)


def read_only_uri(path: Path) -> str:
    """Return the URI by which SQLite reads a file without writing anything beside it.

    Raises
    ------
    DatabaseError
        If committed rows wait in the file's write-ahead log, which could not be read so.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.is_file() and log.stat().st_size:
        raise DatabaseError(
            f"{path} is write-protected, and its last rows are still in {log.name}. Copy the "
            "study to a writable disk and open it there."
        )
    return f"file:{quote(path.absolute().as_posix())}?mode=ro&immutable=1"


def _read_only_engine(url: str) -> Engine:
    uri = read_only_uri(Path(make_url(url).database or ""))

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    engine = create_engine(url, creator=connect, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _on_begin(connection: Any) -> None:
    writer = connection.get_execution_options().get("foveate_writer")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")


def _server_engine(url: str) -> Engine:
    try:
        settings: dict[str, Any] = {}
        if url.startswith("postgresql"):
            line = line_to(make_url(url))
            if line.warning:
                log.warning("%s", line.warning)
            # A server that vanishes is noticed within half a minute, however the line was cut.
            settings = {**_PATIENCE, **line.settings}
        # Parameters are people's values, so an error must not show them.
        return create_engine(
            url, pool_pre_ping=True, connect_args=settings, hide_parameters=True,
            json_serializer=as_json,
        )  # fmt: skip
    except (exc.ArgumentError, ImportError) as error:
        # The URL itself is not quoted: it may carry a password.
        raise DatabaseError(
            f"The database URL cannot be used ({error}). Write it like "
            "postgresql+psycopg://user@host/database. A server needs Foveate's extra "
            "`postgresql`."
        ) from error
