"""Tables for any analysis: samples, fixations, views, annotations, answers, readings, cases.

One specification of every column (type, unit, meaning) produces the csv and Parquet files and their
data dictionary.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from app.interchange.exports.readings import Content, Progress
from app.interchange.exports.table_columns import TABLES, Column
from app.interchange.exports.table_rows import (
    OF_READING,
    rows_of_cases,
    rows_of_images,
    rows_of_readers,
)
from app.interchange.exports.table_writers import CsvTable, ParquetTable
from migrations.study.csv_cells import CsvWriter


def export_tables(
    content: Content, out: Path, kind: str, progress: Progress, leave_out: Sequence[str] = ()
) -> list[Path]:
    """Write all tables of a study, and their dictionary.

    Parameters
    ----------
    kind
        "csv" or "parquet".
    leave_out
        Tables of readings to leave out.

    Raises
    ------
    ExportError
        If pyarrow is missing.
    """
    make = CsvTable if kind == "csv" else ParquetTable
    tables = {name: columns for name, columns in TABLES.items() if name not in leave_out}
    paths = {name: out / f"{name}.{kind}" for name in tables}
    with ExitStack() as stack:
        writers = {}
        for name, path in paths.items():
            writers[name] = make(path, TABLES[name])
            stack.callback(writers[name].close)
        writers["images"].write(rows_of_images(content))
        writers["cases"].write(rows_of_cases(content))
        writers["readers"].write(rows_of_readers(content))
        for reading in content.readings(progress):
            for name, rows_of in OF_READING.items():
                if name in writers:
                    writers[name].write(rows_of(content, reading))
    return [*paths.values(), *_dictionary(out, tables)]


def _dictionary(out: Path, tables: Mapping[str, Sequence[Column]]) -> list[Path]:
    as_json, as_csv = out / "data-dictionary.json", out / "data-dictionary.csv"
    table = {
        name: [{"column": c.name, "type": c.kind, "unit": c.unit, "meaning": c.meaning} for c in cs]
        for name, cs in tables.items()
    }
    as_json.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with as_csv.open("w", encoding="utf-8", newline="") as file:
        writer = CsvWriter(file)
        writer.row(("table", "column", "type", "unit", "meaning"))
        for name, columns in tables.items():
            writer.rows((name, c.name, c.kind, c.unit, c.meaning) for c in columns)
    return [as_json, as_csv]
