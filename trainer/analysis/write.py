"""Tables of an analysis as files: csv, Parquet, definitions, and layouts of other tools."""

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import numpy as np

from migrations.study.csv_cells import CsvWriter
from migrations.study.unwritable import unwritable_text
from trainer.analysis.areas import Area
from trainer.analysis.definitions import Of
from trainer.analysis.looked import Looked
from trainer.analysis.registry import DEFINITIONS
from trainer.analysis.row_names import NAMES as ROW_NAMES
from trainer.analysis.tables import Row, Tables
from trainer.errors import AnalysisError

NAMES = ("readings", "areas", "transitions", "pairs", "misses", "sensitivity")


def write_tables(folder: Path, tables: Tables, about: Mapping[str, Any]) -> list[str]:
    """Write every table that has rows, and what its columns mean; return the files' names.

    A table without rows is removed: one of an earlier analysis would pass for this one's.

    Parameters
    ----------
    about
        Settings and provenance, kept in `analysis.json`.

    Raises
    ------
    AnalysisError
        The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = []
        for name in NAMES:
            rows = getattr(tables, name)
            if rows:
                names += _table(folder / name, rows)
            else:
                _remove(folder / name)
        _json(folder / "definitions.json", definitions())
        _json(folder / "analysis.json", about)
        return [*names, "definitions.json", "analysis.json"]
    except OSError as error:
        raise AnalysisError(unwritable_text(folder, error)) from error


def definitions() -> dict[str, dict[str, dict[str, str]]]:
    """Return what every column of every table means: by what a row is, and by name."""
    return {
        of: {d.name: d.as_dict() for d in (*ROW_NAMES, *DEFINITIONS) if d.of == of}
        for of in get_args(Of)
    }


def _table(stem: Path, rows: Sequence[Row]) -> list[str]:
    with stem.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        plain = ({key: _plain(value) for key, value in row.items()} for row in rows)
        CsvWriter(file).table(list(rows[0]), plain)
    if not find_spec("pyarrow"):
        stem.with_suffix(".parquet").unlink(missing_ok=True)
        return [f"{stem.name}.csv"]
    import pyarrow
    import pyarrow.parquet

    columns = {key: [_known(row[key]) for row in rows] for key in rows[0]}
    pyarrow.parquet.write_table(pyarrow.table(columns), stem.with_suffix(".parquet"))
    return [f"{stem.name}.csv", f"{stem.name}.parquet"]


def _remove(stem: Path) -> None:
    for ending in (".csv", ".parquet"):
        stem.with_suffix(ending).unlink(missing_ok=True)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _plain(value: Any) -> Any:
    """Return a cell: nothing for what is not known."""
    if isinstance(value, float):
        return f"{value:.6g}" if np.isfinite(value) else ""
    return value


def _json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_gazeplotter(
    path: Path, looks: Sequence[Looked], areas: Mapping[str, Sequence[Area]]
) -> None:
    """Write fixations and saccades in the segmented layout of GazePlotter's documents.

    Columns stimulus, participant, timestamp and duration (ms), eyemovementtype (0 fixation, 1
    saccade), AOI (several joined by `|`). Not opened in GazePlotter here.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = CsvWriter(file)
        writer.row(["stimulus", "participant", "timestamp", "duration", "eyemovementtype", "AOI"])
        for looked in looks:
            for row in _segments(looked, areas.get(looked.image, ())):
                writer.row([looked.image, looked.reader, *row])


def _segments(looked: Looked, areas: Sequence[Area]) -> list[tuple[str, str, int, str]]:
    """Return start, duration, kind and areas of each fixation, and the saccades between them."""
    inside = [area.contains(looked.points_image, looked.frame) for area in areas]
    rows = []
    for k, (start, duration) in enumerate(zip(looked.start_us, looked.duration_us, strict=True)):
        names = "|".join(a.name for a, there in zip(areas, inside, strict=True) if there[k])
        rows.append((_ms(int(start) - looked.shown_us), _ms(int(duration)), 0, names))
        if k + 1 < len(looked.start_us):
            end, following = int(start + duration), int(looked.start_us[k + 1])
            rows.append((_ms(end - looked.shown_us), _ms(following - end), 1, ""))
    return rows


def _ms(time_us: int) -> str:
    return f"{time_us / 1000:.3f}".rstrip("0").rstrip(".")


def write_pymovements(path: Path, looks: Sequence[Looked]) -> None:
    """Write fixations as the events table that pymovements reads.

    Columns trial, subject, name, onset, offset, duration (ms, whole), location_x, location_y
    (image pixels).
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = CsvWriter(file)
        writer.row(
            ["trial", "subject", "name", "onset", "offset", "duration", "location_x", "location_y"]
        )
        for looked in looks:
            for start, duration, (x, y) in zip(
                looked.start_us, looked.duration_us, looked.points_image, strict=True
            ):
                onset = round((int(start) - looked.shown_us) / 1000)
                offset = round((int(start + duration) - looked.shown_us) / 1000)
                writer.row(
                    [looked.image, looked.reader, "fixation", onset, offset, offset - onset,
                     f"{x:.3f}", f"{y:.3f}"]
                )  # fmt: skip
