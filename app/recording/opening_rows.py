"""The rows with which a session begins: the reader and the session, truthful in every column."""

import hashlib
import platform
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from app.errors import ConsentMissing, SessionError
from app.recording.aids import Boxes, aids_of
from app.recording.worklist import WorklistRow, reading_order, worklist
from devices.clock import HostClock, require_fine_clock
from devices.gaze.geometry import ScreenGeometry
from devices.tracker import TrackerInfo
from migrations.study.answers import keep_questions
from migrations.study.assignments import assign_reader
from migrations.study.audit import add_audit
from migrations.study.case_sheets import sheets_of
from migrations.study.database import foveate_version
from migrations.study.folder import Study
from migrations.study.reader_attributes import attributes_of, with_attributes
from migrations.study.schema import (
    Arm,
    Reader,
    Reading,
    ids_after,
    new_id,
    utc_now,
    utc_text,
)
from migrations.study.schema import Session as SessionRow

_MAX_SEED = 2**31


@dataclass(frozen=True, slots=True)
class OpeningRows:
    """What was decided when a session was opened.

    Attributes
    ----------
    cases
        The reader's worklist in reading order.
    order_seed
        The seed of the order; None for the order of the study.
    details
        The contents of the session's row besides its columns.
    questions
        The rows of the form's questions by their keys, the leading one first.
    aids
        Boxes that arms show, by arm and image.
    sheets
        What is shown about a case besides its images, by case.
    without_sheet
        The arms without a case sheet.
    """

    session_id: str
    reader_id: str
    pseudonym: str
    order_seed: int | None
    cases: tuple[WorklistRow, ...]
    details: dict[str, Any]
    questions: dict[str, str]
    aids: dict[str, Boxes]
    sheets: dict[str, tuple[str, ...]]
    without_sheet: frozenset[str]


def has_consented(study: Study, pseudonym: str) -> bool:
    """Return whether a reader has agreed to the study's current consent text."""
    with study.database.read() as session:
        reader = session.scalar(select(Reader).where(Reader.pseudonym == pseudonym))
        return reader is not None and reader.consent_text_sha256 == _consent_hash(study)


def write_opening_rows(
    study: Study,
    pseudonym: str,
    info: TrackerInfo,
    clock: HostClock,
    geometry: ScreenGeometry,
    *,
    station: str,
    seed: int | None,
    consented: bool,
    details: dict[str, Any],
) -> OpeningRows:
    """Write the reader (if new) and the session.

    Raises
    ------
    ConsentMissing
        If the reader has not agreed before and does not agree now (`consented`).
    """
    if not pseudonym.strip():
        raise SessionError("A session needs the reader's pseudonym. Type the reader's code.")
    noted = {"clock_step_us": require_fine_clock(), **_computer(), **details}
    with study.database.write() as session:
        _keep_order(session)
        reader = _reader(session, study, pseudonym, station, consented)
        assign_reader(session, study.settings, reader.id, pseudonym)
    listed, aids = worklist(study, pseudonym), aids_of(study)
    with study.database.write() as session:
        reader = _reader(session, study, pseudonym, station, consented)
        order_seed = _order_seed(session, study, reader, seed)
        blocks = study.settings.block_size if study.settings.order == "blocked" else None
        cases = tuple(reading_order(listed, pseudonym, order_seed, blocks))
        questions = keep_questions(session, study.settings.questions)
        sheets = sheets_of(session, study.settings.case_sheet)
        rows = OpeningRows(
            new_id(), reader.id, pseudonym, order_seed, cases, noted, questions, aids, sheets,
            _without_sheet(session),
        )  # fmt: skip
        row = _session_row(rows, info, clock, geometry)
        row.station, row.eye = station, study.settings.eye
        session.add(row)
        in_force = {"settings": asdict(study.settings)}
        who = {"person": pseudonym, "station": station}
        add_audit(session, "session opened", rows.session_id, in_force, **who)
    return rows


def not_yet_asked(study: Study, pseudonym: str) -> tuple[str, ...]:
    """Return the attributes that the study asks for and that this reader was never asked."""
    wanted = study.settings.reader_attributes
    if not wanted:
        return ()
    with study.database.read() as session:
        details = session.scalar(select(Reader.details).where(Reader.pseudonym == pseudonym))
    return tuple(name for name in wanted if name not in attributes_of(details or {}))


def keep_attributes(study: Study, pseudonym: str, said: Mapping[str, str]) -> None:
    """Store what a reader said about the attributes; earlier answers are kept.

    Raises
    ------
    SettingsError
        If it is not one of the coarse classes.
    """
    if not said:
        return
    with study.database.write() as session:
        reader = session.scalars(select(Reader).where(Reader.pseudonym == pseudonym)).one()
        reader.details = with_attributes(reader.details, said)
        asked = {"asked": sorted(said)}
        add_audit(session, "reader attributes said", reader.id, asked, person=pseudonym)


def _without_sheet(session: OrmSession) -> frozenset[str]:
    arms = session.execute(select(Arm.id, Arm.conditions))
    return frozenset(arm_id for arm_id, conditions in arms if conditions.get("no_sheet"))


def _keep_order(session: OrmSession) -> None:
    # Ids show which reading is the latest, even after the computer's clock was set back.
    for table in (SessionRow, Reading):
        newest = session.scalar(select(func.max(table.id)))
        if newest is not None:
            ids_after(newest)


def _reader(
    session: OrmSession, study: Study, pseudonym: str, station: str, consented: bool
) -> Reader:
    reader = session.scalar(select(Reader).where(Reader.pseudonym == pseudonym))
    if reader is None:
        reader = Reader(id=new_id(), pseudonym=pseudonym, details={})
    if reader.consent_text_sha256 == _consent_hash(study):
        return reader
    if not consented:
        raise ConsentMissing(
            f"Reader {pseudonym} has not agreed to the consent text of this study. Show it, and "
            "open the session once the reader agrees."
        )
    reader.consent_utc, reader.consent_text_sha256 = utc_now(), _consent_hash(study)
    session.add(reader)
    session.flush()
    add_audit(session, "reader consented", reader.id, person=pseudonym, station=station)
    return reader


def _order_seed(session: OrmSession, study: Study, reader: Reader, seed: int | None) -> int | None:
    if study.settings.order == "fixed":
        return None
    if seed is not None:
        return seed
    # A reader who returns continues in the order of the first session.
    query = (
        select(SessionRow.order_seed)
        .where(SessionRow.reader_id == reader.id, SessionRow.order_seed.is_not(None))
        .order_by(SessionRow.id.desc())
        .limit(1)
    )
    earlier = session.scalar(query)
    return secrets.randbelow(_MAX_SEED) if earlier is None else earlier


def _session_row(
    rows: OpeningRows, info: TrackerInfo, clock: HostClock, geometry: ScreenGeometry
) -> SessionRow:
    return SessionRow(
        id=rows.session_id,
        reader_id=rows.reader_id,
        software_version=foveate_version(),
        started_utc=utc_now(),
        zero_utc=utc_text(clock.zero_utc),
        clock_speed=clock.speed,
        tracker_id=info.id,
        tracker_kind=info.kind,
        tracker_model=info.model,
        tracker_serial=info.serial,
        tracker_rate_hz=info.rate_hz,
        screen=geometry.as_dict(),
        screen_width_mm=geometry.width_mm,
        screen_height_mm=geometry.height_mm,
        refresh_hz=geometry.refresh_hz,
        distance_mm=geometry.distance_mm,
        distance_source=geometry.distance_source,
        order_seed=rows.order_seed,
        case_order=[case.case_id for case in rows.cases],
        details=dict(rows.details),
    )


def _computer() -> dict[str, str]:
    return {"system": platform.system(), "python": platform.python_version()}


def _consent_hash(study: Study) -> str:
    return hashlib.sha256(study.settings.consent.encode()).hexdigest()
