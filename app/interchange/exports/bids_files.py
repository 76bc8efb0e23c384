"""The files of a BIDS data set: sidecars, tables, packed tables."""

import gzip
import io
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from migrations.study.csv_cells import safe_cell

NOT_TOLD = "n/a"
Row = Sequence[Any]


def write_json(path: Path, content: dict[str, Any]) -> Path:
    """Write a sidecar; return its path."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def write_tsv(path: Path, header: Sequence[str], rows: Iterable[Row]) -> Path:
    """Write a table with a header; return its path."""
    lines = ["\t".join(header), *("\t".join(map(_cell, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_gzipped(path: Path, rows: Iterable[Row]) -> Path:
    """Write rows without a header; the same rows always give the same bytes."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
    ):
        file.writelines("\t".join(map(_cell, row)) + "\n" for row in rows)
    return path


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, (float, np.floating)) and math.isnan(value)):
        return NOT_TOLD
    if isinstance(value, np.float32):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    # A tab or line break would shift all cells after it, and tsv has no quotes.
    return " ".join(str(safe_cell(value)).splitlines()).replace("\t", " ")
