"""A reading as it is stored: everything its gaze is computed from, with nothing decoded.

`devices.gaze.stored.points_of` decodes and maps it. The two rooms do not know each other: this one
does not import NumPy, that one does not use a database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.errors import UnknownName
from migrations.study.schema import Calibration, GazeChunk, Reading, Recording, ViewEvent
from migrations.study.schema import Session as SessionRow

StoredEye = Literal["both", "left", "right"]


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A run of raw samples, encoded; `crc32` is that of `blob`, `count` its samples.

    `sequence` counts within its recording; `first_us`, `last_us` are host times of its samples.
    """

    sequence: int
    first_us: int
    last_us: int
    blob: bytes
    count: int
    crc32: int
    codec_version: int


@dataclass(frozen=True, slots=True)
class StoredScreen:
    """The tracked screen and the reader's distance from it, in force from `time_us` on."""

    time_us: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredReading:
    """One reading, as its rows describe it.

    Attributes
    ----------
    started_us, ended_us
        On the host clock; samples from the start up to, but not at, the end belong to it. None:
        still open.
    chunks
        Those that overlap its time, in order. The first and the last may extend beyond it.
    screens
        In order of time, at least one; the first is in force when the reading starts.
    views
        Columns of table `view_event` by name, in order of time; each includes its frame.
    eye
        Which eye the point of gaze is taken from: see `stored_reading`.
    correction
        Coefficients of the correction of the point of gaze; None for none.
    lacks
        What the source of imported gaze does not provide, for example "geometry".
    """

    reading_id: str
    started_us: int
    ended_us: int | None
    chunks: tuple[StoredChunk, ...]
    screens: tuple[StoredScreen, ...]
    views: tuple[Mapping[str, Any], ...]
    eye: StoredEye
    correction: Mapping[str, float] | None
    lacks: tuple[str, ...]


def stored_reading(rows: OrmSession, reading_id: str) -> StoredReading:
    """Return a reading as it is stored.

    Each reading stores the screen and distance in force: in its first view, and in each view after
    a change of screen. Readings without them use the session's row, which has only the last ones.

    The eye is the one that the reading notes, which was used to find its fixations. For a reading
    that notes none, it is what the station would have used: the eye of its session or, if the
    session uses the better eye, the one that the last earlier validation found more accurate.

    Raises
    ------
    UnknownName
        If the study has no such reading.
    """
    reading = rows.get(Reading, reading_id)
    if reading is None:
        raise UnknownName(f"There is no reading {reading_id} in this study.")
    sitting = rows.get_one(SessionRow, reading.session_id)
    views = _views(rows, reading_id)
    imported = reading.details.get("imported") or sitting.details.get("imported") or {}
    return StoredReading(
        reading_id,
        reading.started_us,
        reading.ended_us,
        _chunks(rows, reading),
        _screens(reading.started_us, sitting.screen, views),
        views,
        _eye(rows, reading, sitting.eye),
        reading.details.get("correction"),
        tuple(imported.get("lacks", ())),
    )


def validation_before(rows: OrmSession, reading: Reading) -> Calibration | None:
    """Return a session's last validation before a reading began, or None."""
    query = (
        select(Calibration)
        .where(Calibration.session_id == reading.session_id, Calibration.kind == "validation")
        .where(Calibration.ended_us <= reading.started_us)
        .order_by(Calibration.ended_us.desc(), Calibration.id.desc())
        .limit(1)
    )
    return rows.scalars(query).first()


def better_eye(accuracy_left_deg: float | None, accuracy_right_deg: float | None) -> StoredEye:
    """Return the eye that a validation found more accurate; None is an eye that was not seen."""
    if accuracy_left_deg is None:
        return "both" if accuracy_right_deg is None else "right"
    if accuracy_right_deg is None:
        return "left"
    return "right" if accuracy_right_deg < accuracy_left_deg else "left"


def _chunks(rows: OrmSession, reading: Reading) -> tuple[StoredChunk, ...]:
    """Return the chunks of the reading's session that overlap its time."""
    columns = [getattr(GazeChunk, field.name) for field in fields(StoredChunk)]
    query = (
        select(*columns)
        .join(Recording, Recording.id == GazeChunk.recording_id)
        .where(Recording.session_id == reading.session_id)
        .where(GazeChunk.last_us >= reading.started_us)
        .order_by(GazeChunk.first_us)
    )
    if reading.ended_us is not None:
        query = query.where(GazeChunk.first_us < reading.ended_us)
    return tuple(StoredChunk(*row) for row in rows.execute(query))


def _views(rows: OrmSession, reading_id: str) -> tuple[Mapping[str, Any], ...]:
    query = (
        select(ViewEvent.__table__)
        .where(ViewEvent.reading_id == reading_id)
        .order_by(ViewEvent.time_us, ViewEvent.id)
    )
    return tuple(dict(row) for row in rows.execute(query).mappings())


def _screens(
    started_us: int, of_session: Mapping[str, Any], views: Sequence[Mapping[str, Any]]
) -> tuple[StoredScreen, ...]:
    first = views[0]["screen"] if views else None
    changes = (StoredScreen(v["time_us"], v["screen"]) for v in views[1:] if v["screen"])
    return (StoredScreen(started_us, first or of_session), *changes)


def _eye(rows: OrmSession, reading: Reading, of_session: str) -> StoredEye:
    eye = reading.details.get("eye") or of_session
    if eye == "better":
        found = validation_before(rows, reading)
        return better_eye(found.accuracy_left_deg, found.accuracy_right_deg) if found else "both"
    return cast(StoredEye, eye) if eye in ("left", "right") else "both"
