"""The rows of the exported tables, column by column, from a study."""

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from app.interchange.exports.readings import Content, ExportReading
from app.interchange.exports.table_columns import TABLES
from devices.gaze.samples import NO_DEVICE_TIME, VALUE_FIELDS
from migrations.study.reader_attributes import ATTRIBUTES
from migrations.study.schema import Fixation, GazeEvent, Image, ViewEvent

Values = Sequence[Any] | NDArray[Any]
Columns = dict[str, Values]


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
    return _common(content, reading, "fixations", reading.fixations, "start_us")


def _gaze_events(content: Content, reading: ExportReading) -> Columns:
    return _common(content, reading, "gaze_events", reading.events, "start_us")


def _view_events(content: Content, reading: ExportReading) -> Columns:
    return _common(content, reading, "view_events", reading.views, "time_us")


def _annotations(content: Content, reading: ExportReading) -> Columns:
    rows = [row for row in reading.annotations if row.kind != "note"]
    zero = reading.reading.started_us
    columns = _common(content, reading, "annotations", rows, "time_us")
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


def rows_of_readers(content: Content) -> Columns:
    """Return the readers with what they said about themselves."""
    people = content.readers()
    said: Columns = {name: [p.get(name) for p in people.values()] for name in ATTRIBUTES}
    return {"reader": list(people), **said}


def rows_of_cases(content: Content) -> Columns:
    """Return the cases with their sheets, one row per image."""
    hung = [(case, *image) for case in content.cases() for image in case.images]
    images = [image_id for _, _, image_id in hung]
    return {
        "case_id": [case.case_id for case, _, _ in hung],
        "case": [case.name for case, _, _ in hung],
        "practice": [case.practice for case, _, _ in hung],
        "tile": [tile for _, tile, _ in hung],
        "image_sha256": [content.sha256(image_id) for image_id in images],
        "image_id": images,
        "image_name": [content.names[image_id] for image_id in images],
        **{
            part: [case.sheet.get(part, "") for case, _, _ in hung] for part in ("age_group", "sex")
        },
        "has_question": [bool(case.sheet.get("question")) for case, _, _ in hung],
        "has_priors": [bool(case.sheet.get("priors")) for case, _, _ in hung],
    }


def rows_of_images(content: Content) -> Columns:
    """Return the images of the study."""
    rows: list[Image] = list(content.images.values())
    own: Columns = {
        "image_sha256": [r.sha256 for r in rows],
        "image_id": [r.id for r in rows],
        "image_name": [content.names[r.id] for r in rows],
        "width": [r.columns for r in rows],
        "height": [r.rows for r in rows],
    }
    return _filled("images", own, rows)


def _common(
    content: Content, reading: ExportReading, table: str, rows: Sequence[Any], since: str
) -> Columns:
    """Return reader, image, and every other column of a table from the rows.

    The column `since` counts from the start of the reading.
    """
    zero = reading.reading.started_us
    own = {
        **_who(content, reading, len(rows)),
        **_of_image(content, rows),
        since: [getattr(row, since) - zero for row in rows],
    }
    return _filled(table, own, rows)


def _filled(table: str, columns: Columns, rows: Sequence[Any]) -> Columns:
    """Return columns, and those of the table that the rows do not have under this name."""
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


OF_READING: dict[str, Callable[[Content, ExportReading], Columns]] = {
    "samples": _samples,
    "fixations": _fixations,
    "gaze_events": _gaze_events,
    "view_events": _view_events,
    "annotations": _annotations,
    "answers": _answers,
    "quality": _quality,
}
"""The tables to which every reading adds rows."""
