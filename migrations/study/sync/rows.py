"""Rows as they are stored in a study's file, and sent to a server in bulk.

They are not converted to Python types on the way: the text of a JSON column is sent as it is. On
PostgreSQL they are first copied into a temporary table, because COPY itself neither skips existing
rows nor obeys the rules for stations.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Session as OrmSession

from migrations.study.schema import Base

Raw = tuple[Any, ...]
_LOCAL = "SET LOCAL client_min_messages = warning; SET LOCAL synchronous_commit = off; "


def columns_of(table: Any) -> list[str]:
    """Return the names of a table's columns, in the order in which rows are sent."""
    return [column.name for column in _table(table).columns]


def raw_rows(
    session: OrmSession, table: Any, column: str, values: Sequence[str], order: str = "id"
) -> list[Raw]:
    """Return the rows of a SQLite file where a column has one of some values, unconverted."""
    name, names = _table(table).name, ", ".join(f'"{c}"' for c in columns_of(table))
    rows = session.connection().exec_driver_sql(
        f'SELECT {names} FROM "{name}" WHERE "{column}" IN (SELECT value FROM json_each(?)) '
        f"ORDER BY {order}",
        (json.dumps(list(values)),),
    )
    return [tuple(row) for row in rows]


def renamed(table: Any, rows: Iterable[Raw], ids: Mapping[str, Mapping[str, str]]) -> list[Raw]:
    """Return rows with the server's ids.

    Parameters
    ----------
    ids
        By column: local id → id on the server; an id that is missing there becomes NULL.
    """
    places = [(k, ids[name]) for k, name in enumerate(columns_of(table)) if name in ids]
    found = []
    for row in rows:
        changed = list(row)
        for k, known in places:
            changed[k] = known.get(row[k])
        found.append(tuple(changed))
    return found


def add_rows(session: OrmSession, batches: Sequence[tuple[Any, Sequence[Raw]]]) -> None:
    """Add rows to tables, one after another; rows whose id exists are left unchanged."""
    filled = [(_table(table), rows) for table, rows in batches if rows]
    if not filled:
        return
    if session.get_bind().dialect.name == "postgresql":
        _copy(session, filled)
        return
    for table, rows in filled:
        marks = ", ".join("?" * len(rows[0]))
        sql = f'INSERT OR IGNORE INTO "{table.name}" ({_names(table)}) VALUES ({marks})'
        session.connection().exec_driver_sql(sql, list(rows))


def _copy(session: OrmSession, filled: Sequence[tuple[Table, Sequence[Raw]]]) -> None:
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor:
        # The server need not wait for its disk after each batch: the receipt that follows does,
        # together with everything before it. What is lost in a crash has no receipt and is sent
        # again.
        cursor.execute(_LOCAL + "; ".join(
            f'CREATE TEMPORARY TABLE IF NOT EXISTS "sent_{table.name}" (LIKE "{table.name}") '
            "ON COMMIT DELETE ROWS"
            for table, _ in filled
        ))  # fmt: skip
        for table, rows in filled:
            with cursor.copy(f'COPY "sent_{table.name}" ({_names(table)}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        cursor.execute("; ".join(
            f'INSERT INTO "{table.name}" ({_names(table)}) SELECT {_names(table)} '
            f'FROM "sent_{table.name}" ON CONFLICT DO NOTHING'
            for table, _ in filled
        ))  # fmt: skip


def _names(table: Table) -> str:
    return ", ".join(f'"{column}"' for column in columns_of(table))


def _table(table: Any) -> Table:
    return table if isinstance(table, Table) else Base.metadata.tables[table.__tablename__]
