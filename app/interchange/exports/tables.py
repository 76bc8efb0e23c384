"""Tables for any analysis: samples, fixations, views, annotations, answers, readings, images.

One specification of every column (type, unit, meaning) makes the csv and Parquet files and the
data dictionary that goes with them.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import ExportError
from app.interchange.exports.readings import Content, ExportReading, Progress
from devices.gaze.samples import NO_DEVICE_TIME, VALUE_FIELDS
from migrations.study.csv_cells import CsvWriter
from migrations.study.reader_attributes import ATTRIBUTES
from migrations.study.schema import Fixation, GazeEvent, Image, ViewEvent

Values = Sequence[Any] | NDArray[Any]
Columns = dict[str, Values]
NO_ARROW = 'Parquet needs pyarrow, which is not installed: pip install -e ".[interchange]"'


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `kind` is text, whole, number or truth."""

    name: str
    kind: str
    unit: str
    meaning: str


def _unit(name: str) -> str:
    """Return the unit of a raw field: what its name ends in."""
    return "share of the screen" if name.endswith("_norm") else "mm"


def _columns(text: str) -> tuple[Column, ...]:
    rows = (line.split("|") for line in text.splitlines() if line)
    return tuple(Column(*(cell.strip() for cell in row)) for row in rows)


_READING = """
reading_id | text | | Id of the reading
"""
_READER = """
reader | text | | Pseudonym of the reader
"""
_IMAGE_ID = """
image_sha256 | text | | SHA-256 of the image's stored pixel values; empty beside every image
image_id | text | | Id of the image in the study
"""
_IMAGE_NAME = """
image_name | text | | What the study calls the image
"""
_WHO = f"{_READING}\nreading_name | text | | What the study calls the reading\n{_READER}"
_IMAGE = _IMAGE_ID + _IMAGE_NAME
TABLES: dict[str, tuple[Column, ...]] = {
    "samples": _columns(
        _READING
        + _READER
        + _IMAGE_ID
        + """
time_us | whole | µs | Time since the reading began
host_us | whole | µs | Time of the session's clock
frame | whole | | Frame of the image shown there, from 0; empty beside every image
device_us | whole | µs | Time of the tracker's own clock; empty if it stamps none
x_image | number | source-image px | Point of gaze, from the left edge; empty if lost or beside
y_image | number | source-image px | Point of gaze, from the top edge
x_deg | number | ° of visual angle | Point of gaze from the screen's centre, rightwards
y_deg | number | ° of visual angle | Point of gaze from the screen's centre, downwards
"""
        + "\n".join(f"{name} | number | {_unit(name)} | Raw sample" for name in VALUE_FIELDS)
    ),
    "fixations": _columns(
        _WHO
        + _IMAGE
        + """
frame | whole | | Frame of the image, from 0
start_us | whole | µs | Start since the reading began
duration_us | whole | µs | From the first to the last sample
x_image | number | source-image px | Centre, from the left edge; empty beside every image
y_image | number | source-image px | Centre, from the top edge
x_deg | number | ° of visual angle | Centre, from the screen's centre, rightwards
y_deg | number | ° of visual angle | Centre, from the screen's centre, downwards
dispersion_deg | number | ° of visual angle | (max x - min x) + (max y - min y)
sample_count | whole | | Samples with gaze in it
spans_view_change | truth | | Whether the view changed during it
algorithm | text | | velocity, dispersion, or source (found by the imported file's maker)
parameters_hash | text | | Hash of the filter's parameters
"""
    ),
    "gaze_events": _columns(
        _WHO
        + _IMAGE
        + """
frame | whole | | Frame of the image, from 0
kind | text | | saccade, pursuit or blink; image and frame are those the gaze was on at its end
start_us | whole | µs | Start since the reading began
duration_us | whole | µs | From its start to its end
amplitude_deg | number | ° of visual angle | Of a saccade; way of a pursuit; empty for a blink
peak_velocity_deg_s | number | °/s | Largest in the filter's window; empty for a blink
algorithm | text | | velocity, or dispersion (which finds blinks alone)
parameters_hash | text | | Hash of the filter's parameters
"""
    ),
    "view_events": _columns(
        _WHO
        + _IMAGE
        + """
time_us | whole | µs | Since the reading began; in force until the tile's next row
kind | text | | What changed: open, zoom, pan, window, …
tile | whole | | Tile of the hanging, from 0
frame | whole | | Frame of the image, from 0
image_width | whole | source-image px | Width of the image
image_height | whole | source-image px | Height of the image
a | number | screen px per image px | x_screen = a·x + c·y + tx
b | number | screen px per image px | y_screen = b·x + d·y + ty
c | number | screen px per image px | see a
d | number | screen px per image px | see b
tx | number | screen px | see a
ty | number | screen px | see b
tile_x | number | screen px | Left edge of the tile
tile_y | number | screen px | Top edge of the tile
tile_width | number | screen px | Gaze outside the tile is not on the image
tile_height | number | screen px | Gaze outside the tile is not on the image
window_center | number | output of the Modality LUT | Window in force
window_width | number | output of the Modality LUT | Window in force
inverted | truth | | Whether the grey scale was turned round
flipped_horizontally | truth | | Mirrored left to right
flipped_vertically | truth | | Mirrored top to bottom
rotation_deg | whole | ° | Rotation, clockwise
"""
    ),
    "annotations": _columns(
        _WHO
        + _IMAGE
        + """
time_us | whole | µs | Since the reading began
kind | text | | class, box, keypoint, … (free notes are not exported)
label | text | | Class or name
x_image | number | source-image px | Left edge of a box, or the point
y_image | number | source-image px | Top edge of a box, or the point
width_image | number | source-image px | Of a box
height_image | number | source-image px | Of a box
spread_image | number | source-image px | Spread of a keypoint
undone_us | whole | µs | When it was taken back, since the reading began; empty if it stands
"""
    ),
    "answers": _columns(
        _WHO
        + """
arm | text | | Key of the arm that the case was read in; empty where the study has none
question | text | | Key of the question; answer and confidence in a study without a form
scope | text | | case, or mark
kind | text | | single, multiple, scale, number or confidence (free text is not exported)
value | text | | The answer that stands; of a multiple choice a JSON list
annotation_id | text | | Of a mark's answer the mark; else empty
time_us | whole | µs | When it was given, since the reading began
"""
    ),
    "quality": _columns(
        _WHO
        + """
case | text | | What the study calls the case that was read
duration_us | whole | µs | How long the reading lasted
sample_count | whole | | Samples
lost_count | whole | | Samples missing between the time stamps
damaged_chunks | whole | | Stored chunks that cannot be read any more: gaps in `samples`
missing_count | whole | | Samples that were due and never came
invalid_count | whole | | Samples without gaze
loss | number | share 0 to 1 | Samples missing or without gaze, of all that were due
off_image | number | share 0 to 1 | Samples with gaze beside every image
verdict | text | | good, doubtful or bad
verdict_reasons | text | | Why, separated by semicolons
accuracy_deg | number | ° of visual angle | Of the last validation before the reading
precision_rms_deg | number | ° of visual angle | RMS from sample to sample, of that validation
precision_sd_deg | number | ° of visual angle | Standard deviation, of that validation
tracker_kind | text | | tobii, lsl, simulated, imported, …
tracker_model | text | | Model of the tracker
tracker_rate_hz | number | Hz | Nominal rate
screen_width_px | number | screen px | Of the tracked screen
screen_height_px | number | screen px | Of the tracked screen
screen_width_mm | number | mm | Of the tracked screen
screen_height_mm | number | mm | Of the tracked screen
distance_mm | number | mm | From the eyes to the screen
distance_source | text | | tracker, taped, or assumed: then degrees are assumed too
imported_from | text | | Format gaze was imported from; empty if it was recorded here
lacks | text | | What the source of imported gaze does not say
"""
    ),
    "readers": _columns(
        _READER
        + """
speciality | text | | Coarse class the reader chose; empty where it was not asked
years | text | | Years of experience, a coarse class; empty where it was not asked
eyewear | text | | What the reader wears while reading; empty where it was not asked
"""
    ),
    "images": _columns(
        """
image_sha256 | text | | SHA-256 of the stored pixel values
image_id | text | | Id of the image in the study
image_name | text | | What the study calls the image
width | whole | source-image px | Columns
height | whole | source-image px | Rows
bits | whole | | Bits stored
photometric | text | | MONOCHROME1 or MONOCHROME2
modality | text | | DICOM modality
body_part | text | | DICOM body part
laterality | text | | L, R, B or U
view | text | | View, e.g. CC, MLO
row_spacing_mm | number | mm | Between centres of rows
column_spacing_mm | number | mm | Between centres of columns
source_group | text | | Same for all images of one patient: a keyed hash
label | text | | Label given at import
split | text | | train, val or test
"""
    ),
}


class TableWriter(Protocol):
    """Takes rows of one table, column by column."""

    def write(self, columns: Columns) -> None:
        """Append rows."""

    def close(self) -> None:
        """Finish the file."""


def export_tables(content: Content, out: Path, kind: str, progress: Progress) -> list[Path]:
    """Write all tables of a study, and their dictionary.

    Parameters
    ----------
    kind
        "csv" or "parquet".

    Raises
    ------
    ExportError
        If pyarrow is missing.
    """
    make = _CsvWriter if kind == "csv" else _ParquetWriter
    paths = {name: out / f"{name}.{kind}" for name in TABLES}
    with ExitStack() as stack:
        writers = {}
        for name, path in paths.items():
            writers[name] = make(path, TABLES[name])
            stack.callback(writers[name].close)
        writers["images"].write(_images(content))
        writers["readers"].write(_readers(content))
        for reading in content.readings(progress):
            for name, rows_of in _ROWS.items():
                writers[name].write(rows_of(content, reading))
    return [*paths.values(), *_dictionary(out)]


def _dictionary(out: Path) -> list[Path]:
    as_json, as_csv = out / "data-dictionary.json", out / "data-dictionary.csv"
    table = {
        name: [{"column": c.name, "type": c.kind, "unit": c.unit, "meaning": c.meaning} for c in cs]
        for name, cs in TABLES.items()
    }
    as_json.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with as_csv.open("w", encoding="utf-8", newline="") as file:
        writer = CsvWriter(file)
        writer.row(("table", "column", "type", "unit", "meaning"))
        for name, columns in TABLES.items():
            writer.rows((name, c.name, c.kind, c.unit, c.meaning) for c in columns)
    return [as_json, as_csv]


def _samples(content: Content, reading: ExportReading) -> Columns:
    gaze = reading.gaze
    if gaze is None:
        return {column.name: [] for column in TABLES["samples"]}
    images = reading.image_ids()
    device = gaze.samples["device_us"]
    hashes = {image_id: content.sha256(image_id) for image_id in set(images)}
    columns: Columns = {
        **_who(content, reading, len(images)),
        "image_sha256": [hashes[i] for i in images],
        "image_id": images,
        "time_us": reading.times_us(),
        "host_us": gaze.time_us,
        "frame": [None if f < 0 else f for f in gaze.frame.tolist()],
        "device_us": [None if d == NO_DEVICE_TIME else int(d) for d in device],
        "x_image": gaze.points_image[:, 0],
        "y_image": gaze.points_image[:, 1],
        "x_deg": gaze.points_deg[:, 0],
        "y_deg": gaze.points_deg[:, 1],
    }
    return columns | {name: gaze.samples[name] for name in VALUE_FIELDS}


def _fixations(content: Content, reading: ExportReading) -> Columns:
    rows = reading.fixations
    columns = _common(content, reading, "fixations", rows)
    columns["start_us"] = [r.start_us - reading.reading.started_us for r in rows]
    return columns


def _gaze_events(content: Content, reading: ExportReading) -> Columns:
    rows = reading.events
    columns = _common(content, reading, "gaze_events", rows)
    columns["start_us"] = [r.start_us - reading.reading.started_us for r in rows]
    return columns


def _view_events(content: Content, reading: ExportReading) -> Columns:
    rows = reading.views
    columns = _common(content, reading, "view_events", rows)
    columns["time_us"] = [r.time_us - reading.reading.started_us for r in rows]
    return columns


def _annotations(content: Content, reading: ExportReading) -> Columns:
    rows = [row for row in reading.annotations if row.kind != "note"]
    zero = reading.reading.started_us
    columns = _common(content, reading, "annotations", rows)
    columns["time_us"] = [r.time_us - zero for r in rows]
    columns["undone_us"] = [None if r.undone_us is None else r.undone_us - zero for r in rows]
    return columns


def _answers(content: Content, reading: ExportReading) -> Columns:
    rows = [a for a in reading.answers if a.kind != "text"]
    own = {
        **_who(content, reading, len(rows)),
        "arm": [reading.arm] * len(rows),
        "question": [a.key for a in rows],
        "time_us": [a.time_us - reading.reading.started_us for a in rows],
        "annotation_id": [a.annotation_id or "" for a in rows],
    }
    return _filled("answers", own, rows)


_FIGURES = (
    "sample_count",
    "lost_count",
    "missing_count",
    "invalid_count",
    "loss",
    "off_image",
    "verdict",
)


def _quality(content: Content, reading: ExportReading) -> Columns:
    row, sitting, validation = reading.reading, reading.session, reading.validation
    measured = {
        name: getattr(validation, name) if validation else None
        for name in ("accuracy_deg", "precision_rms_deg", "precision_sd_deg")
    }
    values = {
        "case": reading.case,
        "duration_us": (row.ended_us or row.started_us) - row.started_us,
        **{name: getattr(row, name) for name in _FIGURES},
        "damaged_chunks": len(reading.gaze.damaged) if reading.gaze else None,
        "verdict_reasons": "; ".join(str(r) for r in row.verdict_reasons),
        **measured,
        **{n: getattr(sitting, n) for n in ("tracker_kind", "tracker_model", "tracker_rate_hz")},
        "screen_width_px": reading.screen.width_screen,
        "screen_height_px": reading.screen.height_screen,
        "screen_width_mm": reading.screen.width_mm,
        "screen_height_mm": reading.screen.height_mm,
        "distance_mm": reading.screen.distance_mm,
        "distance_source": reading.screen.distance_source,
        "imported_from": row.details.get("imported", {}).get("format", ""),
        "lacks": ", ".join(reading.lacks),
    }
    return {**_who(content, reading, 1), **{name: [value] for name, value in values.items()}}


def _readers(content: Content) -> Columns:
    people = content.readers()
    said: Columns = {name: [p.get(name) for p in people.values()] for name in ATTRIBUTES}
    return {"reader": list(people), **said}


def _images(content: Content) -> Columns:
    rows: list[Image] = list(content.images.values())
    own: Columns = {
        "image_sha256": [r.sha256 for r in rows],
        "image_id": [r.id for r in rows],
        "image_name": [content.names[r.id] for r in rows],
        "width": [r.columns for r in rows],
        "height": [r.rows for r in rows],
    }
    return _filled("images", own, rows)


def _common(content: Content, reading: ExportReading, table: str, rows: Sequence[Any]) -> Columns:
    """Return who read, which image, and every other column of a table as the rows have it."""
    own = {**_who(content, reading, len(rows)), **_of_image(content, rows)}
    return _filled(table, own, rows)


def _filled(table: str, columns: Columns, rows: Sequence[Any]) -> Columns:
    """Return columns, and those of the table that are missing as the rows have them."""
    missing = [c.name for c in TABLES[table] if c.name not in columns]
    return columns | {name: [getattr(row, name) for row in rows] for name in missing}


def _who(content: Content, reading: ExportReading, count: int) -> Columns:
    return {
        "reading_id": [reading.reading_id] * count,
        "reading_name": [content.names[reading.reading_id]] * count,
        "reader": [reading.reader] * count,
    }


def _of_image(content: Content, rows: Sequence[Fixation | GazeEvent | ViewEvent | Any]) -> Columns:
    return {
        "image_sha256": [content.sha256(row.image_id) for row in rows],
        "image_id": [row.image_id or "" for row in rows],
        "image_name": [content.names.get(row.image_id or "", "") for row in rows],
    }


_ROWS: dict[str, Callable[[Content, ExportReading], Columns]] = {
    "samples": _samples,
    "fixations": _fixations,
    "gaze_events": _gaze_events,
    "view_events": _view_events,
    "annotations": _annotations,
    "answers": _answers,
    "quality": _quality,
}


class _CsvWriter:
    """Numbers with all digits that tell them apart; what is missing is empty."""

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


class _ParquetWriter:
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
