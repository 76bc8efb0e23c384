"""Which sealed rows a transaction of Foveate changes, noted by its connection's triggers.

The triggers are temporary and exist for no other connection. Whoever changes the file by other
means adds no link, so a check finds rows that differ from what was sealed.
"""

from typing import Any

from migrations.study.seal.chain import add_link, has_chain
from migrations.study.seal.registry import VERSION, columns_of, sealed_tables

_CHANGED = "foveate_changed"


def watch(driver: Any, memory: dict[Any, Any]) -> None:
    """Note changes to sealed rows from now on; a database without a chain is left alone.

    Parameters
    ----------
    memory
        Notes that live as long as the connection. They say that it is watched once this was found
        at the beginning of a transaction, since a rollback also undoes triggers created in it.
    """
    if memory.get(_CHANGED):
        return
    if _is_watched(driver):
        memory[_CHANGED] = True
        return
    if not has_chain(driver):
        return
    driver.execute(
        f"CREATE TEMP TABLE {_CHANGED} (tab TEXT NOT NULL, id TEXT NOT NULL, "
        "PRIMARY KEY (tab, id)) WITHOUT ROWID"
    )
    for table in sealed_tables():
        for statement in _triggers(table):
            driver.execute(statement)


def seal_changes(driver: Any, memory: dict[Any, Any], *, signed: bool) -> bool:
    """Add a link for what this transaction changed; return whether anything sealed changed."""
    if not (memory.get(_CHANGED) or _is_watched(driver)):
        return False
    changed = driver.execute(f"SELECT tab, id FROM temp.{_CHANGED}").fetchall()
    if not changed:
        return False
    add_link(driver, changed, signed=signed)
    driver.execute(f"DELETE FROM temp.{_CHANGED}")
    return True


def _is_watched(driver: Any) -> bool:
    query = "SELECT 1 FROM sqlite_temp_master WHERE name = ?"
    return driver.execute(query, (_CHANGED,)).fetchone() is not None


def _triggers(table: str) -> list[str]:
    columns = ", ".join(f'"{name}"' for name in columns_of(table, VERSION))
    kinds = {
        "added": ("INSERT", ("NEW",)),
        "removed": ("DELETE", ("OLD",)),
        "changed": (f"UPDATE OF {columns}", ("OLD", "NEW")),
    }
    return [
        f'CREATE TEMP TRIGGER "foveate_{table}_{name}" AFTER {event} ON main."{table}" BEGIN '
        + " ".join(
            f"INSERT OR IGNORE INTO {_CHANGED} VALUES ('{table}', {row}.id);" for row in rows
        )
        + " END"
        for name, (event, rows) in kinds.items()
    ]
