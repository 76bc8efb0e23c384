"""Tables as csv and as Parquet: numbers with all significant digits."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from app.errors import ExportError
from app.interchange.exports.table_columns import Column
from app.interchange.exports.table_rows import Columns, Values
from devices.gaze.samples import VALUE_FIELDS
from migrations.study.csv_cells import CsvWriter
from migrations.study.processes import as_typed

NO_ARROW = as_typed(
    'Parquet needs pyarrow, which is not installed: pip install -e ".[interchange]"'
)


class TableWriter(Protocol):
    """Accepts rows of one table, column by column."""

    def write(self, columns: Columns) -> None:
        """Append rows."""

    def close(self) -> None:
        """Finish the file."""


class CsvTable:
    """Numbers with all significant digits; missing values are empty."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = CsvWriter(self._file)
        self._writer.row([c.name for c in columns])

    def write(self, columns: Columns) -> None:
        """Append rows."""
        cells = [_texts(columns[c.name], c.kind) for c in self._columns]
        self._writer.rows(zip(*cells, strict=True))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def _texts(values: Values, kind: str) -> Iterator[Any]:
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    if kind == "number":
        single = isinstance(values, np.ndarray) and values.dtype == np.float32
        return (_number(v, single) for v in plain)
    if kind == "truth":
        return (int(v) for v in plain)
    return ("" if v is None else v for v in plain)


def _number(value: float | None, single: bool) -> str:
    if value is None or math.isnan(value):
        return ""
    return str(np.float32(value)) if single else repr(float(value))


class ParquetTable:
    """The same as Parquet, with each column's unit and meaning in its schema."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ModuleNotFoundError as error:
            raise ExportError(NO_ARROW) from error
        self._pa, self._columns = pa, columns
        kinds = {"text": pa.string(), "whole": pa.int64(), "truth": pa.bool_()}
        raw = set(VALUE_FIELDS)
        self._schema = pa.schema(
            [
                pa.field(
                    c.name,
                    kinds.get(c.kind) or (pa.float32() if c.name in raw else pa.float64()),
                    metadata={"unit": c.unit, "meaning": c.meaning},
                )
                for c in columns
            ]
        )
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, columns: Columns) -> None:
        """Append rows."""
        pa = self._pa
        arrays = [
            pa.array(
                columns[field.name],
                type=field.type,
                from_pandas=True,  # NaN means missing
            )
            for field in self._schema
        ]
        if len(arrays[0]):
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
