"""A study's database opened by a program that only looks."""

from pathlib import Path

from sqlalchemy import event

from migrations.study.database import Database
from migrations.study.errors import DatabaseError
from migrations.study.processes import as_typed


def require_database(path: Path) -> None:
    """Refuse a study whose database is gone: SQLite would make an empty one without a word.

    Raises
    ------
    DatabaseError
        If the file is missing, or empty as a disk that was full leaves it.
    """
    if not path.is_file() or path.stat().st_size == 0:
        state = "is empty" if path.is_file() else "is missing"
        raise DatabaseError(
            as_typed(
                f"{path} {state}. Put it back, or let python main.py db restore --study "
                f"{path.parent} put the newest backup in its place. Nothing was changed."
            )
        )


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
