"""After a crash: whatever a dead station left open is closed as interrupted, with its gap.

Figures and the tail of the fixations are computed again from the chunks that were committed.
"""

import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session as OrmSession

from app.errors import StationBusy
from app.recording.event_notes import joined, notes_of
from app.recording.figures import GazeFigures
from app.recording.lock import StationLock
from app.recording.pauses import Pauses
from app.recording.stored_figures import event_rows, stored_figures
from app.recording.stream_counts import StreamCounts
from app.recording.verdict import columns, judge
from devices.gaze.errors import ChunkError
from devices.gaze.fixations import FilterParameters
from devices.gaze.stored import points_of, samples_of
from devices.tracker import DeviceEvent
from migrations.study.database import Database
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.schema import (
    Fixation,
    GazeChunk,
    GazeEvent,
    Reader,
    Reading,
    Recording,
    utc_text,
)
from migrations.study.schema import Session as SessionRow
from migrations.study.settings import StudySettings, read_settings
from migrations.study.stored_reading import stored_reading, validation_before

log = logging.getLogger(__name__)

REASON = "the station stopped without closing the session"


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A reading that was interrupted by a crash.

    Attributes
    ----------
    ended_us
        Host time just after the last committed sample; excluded, as for every reading's end.
    lost_since_utc
        The same instant in real time.
    gap_s
        Real seconds from then until it was found.
    sample_count
        Samples of the reading that were saved.
    """

    reading_id: str
    case_id: str
    reader: str
    started_us: int
    ended_us: int
    lost_since_utc: str
    gap_s: float
    sample_count: int


def close_interrupted(database: Database) -> list[Interrupted]:
    """Close whatever a crashed station left open in a study, and back the study up.

    Nothing is done while a station is running.

    Returns
    -------
    list of Interrupted
        The readings that became interrupted, oldest first.
    """
    if database.path is None:
        return []
    try:
        with StationLock(database.path.parent):
            if not _has_open_sittings(
                database
            ):  # then there is no need to wait for a database lock
                return []
            found = close_open_rows(database)
    except StationBusy:
        return []
    _back_up(database)
    return found


def _has_open_sittings(database: Database) -> bool:
    with database.read() as session:
        return session.scalars(_open_sittings().limit(1)).first() is not None


def _back_up(database: Database) -> None:
    """Make the backup that a session makes at its end and a crashed one could not."""
    assert database.path is not None
    folder = database.path.parent
    try:
        Study(folder, _settings(database.path), database).backup()
    except StudyError:  # reported again at the end of the next session
        log.exception("The sessions interrupted by a crash could not be backed up")


def close_open_rows(database: Database) -> list[Interrupted]:
    """Do the work of `close_interrupted` for a caller that holds the station's lock."""
    settings = _settings(database.path)
    with database.write() as session:
        sittings = session.scalars(_open_sittings()).all()
        found = [each for row in sittings for each in _close_sitting(session, row, settings)]
    return found


def seconds_since(database: Database, reading_id: str) -> float | None:
    """Return the real seconds since a reading ended, None while it has not."""
    with database.read() as session:
        reading = session.get_one(Reading, reading_id)
        sitting = session.get_one(SessionRow, reading.session_id)
        if reading.ended_us is None:
            return None
        passed = datetime.now(UTC) - _utc_of(sitting, reading.ended_us)
        return max(passed.total_seconds(), 0.0)


def _open_sittings() -> Any:
    open_recordings = select(Recording.session_id).where(Recording.state == "open")
    open_readings = select(Reading.session_id).where(
        or_(Reading.state == "open", Reading.sample_count.is_(None))
    )
    return (
        select(SessionRow)
        .where(
            or_(
                SessionRow.ended_utc.is_(None),
                SessionRow.id.in_(open_recordings),
                SessionRow.id.in_(open_readings),
            )
        )
        .order_by(SessionRow.id)
    )


def _close_sitting(
    session: OrmSession, sitting: SessionRow, settings: StudySettings
) -> list[Interrupted]:
    recordings = session.scalars(
        select(Recording).where(Recording.session_id == sitting.id).order_by(Recording.id)
    ).all()
    last_us = max((_close_recording(session, r) for r in recordings), default=0)
    readings = session.scalars(
        select(Reading)
        .where(
            Reading.session_id == sitting.id,
            or_(Reading.state == "open", Reading.sample_count.is_(None)),
        )
        .order_by(Reading.id)
    ).all()
    closed = [_close_reading(session, r, sitting, last_us, settings) for r in readings]
    if sitting.ended_utc is None:
        sitting.ended_utc = utc_text(_utc_of(sitting, last_us))
        sitting.details = {**sitting.details, "interrupted": REASON}
    return [each for each in closed if each is not None]


def _close_recording(session: OrmSession, recording: Recording) -> int:
    """Close a recording if it is open, and return the host time of its end."""
    if recording.state != "open":
        return recording.ended_us or recording.started_us
    counts = StreamCounts()
    chunks = session.scalars(
        select(GazeChunk)
        .where(GazeChunk.recording_id == recording.id)
        .order_by(GazeChunk.sequence)
        .execution_options(yield_per=64)
    )
    last_us = recording.started_us
    for chunk in chunks:
        last_us = max(last_us, chunk.last_us)
        try:
            counts.add(samples_of([chunk]))
        except ChunkError as error:
            event = DeviceEvent(chunk.first_us, "fault", f"chunk {chunk.sequence}: {error}")
            recording.events = [*recording.events, asdict(event)]
    recording.state, recording.ended_us = "interrupted", last_us
    recording.sample_count, recording.lost_count = counts.sample_count, counts.lost_count
    recording.measured_rate_hz = counts.measured_rate_hz
    return last_us


def _close_reading(
    session: OrmSession,
    reading: Reading,
    sitting: SessionRow,
    last_us: int,
    settings: StudySettings,
) -> Interrupted | None:
    """Close a reading; None for one that had ended and only lacks its figures."""
    was_open = reading.state == "open"
    if was_open:
        reading.state = "interrupted"
        # The end of a reading is exclusive, so its last committed sample must come before it.
        reading.ended_us = max(reading.started_us, last_us + 1)
        reading.details = {**reading.details, "reason": REASON, **_gap(sitting, reading.ended_us)}
    figures = _recompute(session, reading, sitting)
    drift_deg = reading.details.get("drift_deg")
    partial = was_open or reading.state == "interrupted" or reading.resumes_id is not None
    validation = validation_before(session, reading)
    accuracy_deg = validation.accuracy_deg if validation else None
    verdict = judge(figures, accuracy_deg, settings, drift_deg, partial=partial)
    for name, value in columns(figures, verdict).items():
        setattr(reading, name, value)
    events = session.scalars(select(Recording.events).where(Recording.session_id == sitting.id))
    ended_us = reading.ended_us or reading.started_us
    said = notes_of((each for told in events for each in told), reading.started_us, ended_us)
    reading.details = {**joined(reading.details, said), "stream": figures.stream()}
    if not was_open or reading.ended_us is None:
        return None
    return Interrupted(
        reading_id=reading.id,
        case_id=reading.case_id,
        reader=session.get_one(Reader, reading.reader_id).pseudonym,
        started_us=reading.started_us,
        ended_us=reading.ended_us,
        lost_since_utc=reading.details["lost_since_utc"],
        gap_s=reading.details["gap_s"],
        sample_count=figures.sample_count,
    )


def _gap(sitting: SessionRow, ended_us: int) -> dict[str, Any]:
    """Return since when nothing was recorded, and for how many real seconds until now."""
    instant = _utc_of(sitting, ended_us)
    # If the clock was set back meanwhile, the length is unknown: a gap is never negative.
    gap_s = max((datetime.now(UTC) - instant).total_seconds(), 0.0)
    return {"lost_since_utc": utc_text(instant), "gap_s": gap_s}


def _recompute(session: OrmSession, reading: Reading, sitting: SessionRow) -> GazeFigures:
    """Return the figures of a reading, and add the fixations and events that were not written."""
    parameters = FilterParameters(**sitting.details.get("fixation_parameters", {}))
    gaze = points_of(stored_reading(session, reading.id))
    for chunk in gaze.damaged:  # also named in the recording's events
        log.error("Reading %s: %s", reading.id, chunk)
    rows, events = event_rows(reading.id, gaze, parameters)
    written_us = session.scalar(
        select(func.max(Fixation.start_us)).where(Fixation.reading_id == reading.id)
    )
    missing = [r for r in rows if written_us is None or r["start_us"] > written_us]
    session.add_all(Fixation(**row) for row in missing)
    written = session.execute(
        select(GazeEvent.kind, GazeEvent.start_us).where(GazeEvent.reading_id == reading.id)
    )
    known = {(kind, start_us) for kind, start_us in written}
    session.add_all(
        GazeEvent(**row) for row in events if (row["kind"], row["start_us"]) not in known
    )
    return stored_figures(
        gaze,
        len(rows),
        reading.started_us,
        reading.ended_us or reading.started_us,
        pauses=Pauses.of(reading.details),
        rate_hz=_rate_of(session, sitting),
    )


def _rate_of(session: OrmSession, sitting: SessionRow) -> float | None:
    """Return the rate of a session's recording: the measured one, else the nominal one."""
    query = (
        select(Recording.measured_rate_hz, Recording.nominal_rate_hz)
        .where(Recording.session_id == sitting.id)
        .order_by(Recording.id)
    )
    rates = session.execute(query).all()
    return next((measured or told for measured, told in rates if measured or told), None)


def _settings(path: Path | None) -> StudySettings:
    file = path.parent / "study.toml" if path else None
    return read_settings(file) if file and file.exists() else StudySettings()


def _utc_of(sitting: SessionRow, time_us: int) -> datetime:
    zero = datetime.fromisoformat(sitting.zero_utc)
    return zero + timedelta(seconds=time_us / sitting.clock_speed / 1e6)
