"""A study's database opened by a program that only reads."""

from pathlib import Path

from sqlalchemy import event

from migrations.study.database import Database
from migrations.study.errors import DatabaseError
from migrations.study.processes import as_typed


def require_database(path: Path) -> None:
    """Refuse a study whose database is gone: SQLite would silently make an empty one.

    Raises
    ------
    DatabaseError
        If the file is missing, or empty as after a full disk.
    """
    if not path.is_file() or path.stat().st_size == 0:
        state = "is empty" if path.is_file() else "is missing"
        raise DatabaseError(
            as_typed(
                f"{path} {state}. Put the file back, or restore the newest backup with python "
                f"main.py db restore --study {path.parent}. Nothing was changed."
            )
        )


def read_only_database(path: Path, *, is_writable: bool) -> Database:
    """Return a read-only database of a file.

    Parameters
    ----------
    path
        The SQLite file.
    is_writable
        Whether SQLite may write beside the file, as it does while a study is being recorded.

    Raises
    ------
    DatabaseError
        If it is missing, its schema is older than this program's, or it cannot be read.
    DatabaseTooNew
        If its schema is newer.
    """
    require_database(path)
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
