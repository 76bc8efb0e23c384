"""A filled study as Foveate 0.1.0 left it: schema 0001, a row in every table, an image's files."""

from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Column, MetaData, Table

from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.settings import StudySettings

FIRST_SCHEMA = "0001"
IMAGE_ID = "image-1"
"""Of the image whose files lie in the study: 3 frames of 4 × 5 signed numbers."""


def older_study(folder: Path) -> Path:
    """Make a study of schema 0001 with one row in every table; return its folder."""
    study = Study.create(folder, StudySettings(name="of 0.1.0"))
    study.database.downgrade(FIRST_SCHEMA)
    fill(study.database)
    study.close()
    (folder / "images" / IMAGE_ID).mkdir()
    np.save(
        folder / "images" / IMAGE_ID / "stored.npy", np.arange(60, dtype="<i2").reshape(3, 4, 5)
    )
    return folder


def fill(database: Database) -> None:
    """Put one row into every table of a database, whatever its schema."""
    tables = MetaData()
    tables.reflect(database.engine)
    with database.engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                connection.execute(table.insert(), row(table))


def row(table: Table, number: int = 1, **values: Any) -> dict[str, Any]:
    """Return a row of a table: `<table>-<number>` as its id, and references to such ids."""
    made = {c.name: _value(c, number) for c in table.columns if not c.nullable}
    return made | {"id": f"{table.name}-{number}"} | values


def _value(column: Column[Any], number: int) -> Any:
    for key in column.foreign_keys:
        return f"{key.column.table.name}-{number}"
    kind = column.type.python_type
    return {str: column.name, int: number, float: 1.0, bool: False, bytes: b""}.get(kind, {})
