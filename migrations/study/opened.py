"""A study's database opened by a program that only looks."""

from pathlib import Path

from sqlalchemy import event

from migrations.study.database import Database


def read_only_database(path: Path, *, is_writable: bool) -> Database:
    """Return the database of a file, of which no row can be changed.

    Parameters
    ----------
    path
        The SQLite file.
    is_writable
        Whether SQLite may write beside the file, as it does for a study that is being recorded.

    Raises
    ------
    DatabaseError
        If its schema is older than this program's, or it cannot be read.
    DatabaseTooNew
        If its schema is newer.
    """
    database = Database.at(path, read_only=not is_writable)
    if is_writable:
        event.listen(database.engine, "connect", _only_look)
    try:
        database.require_current()
    except BaseException:
        database.close()
        raise
    return database


def _only_look(connection: object, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")  # type: ignore[attr-defined]
