"""Readings of a study as shown to a researcher: when, by whom, how good, what was answered."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.answers import Answered, answers_of_all
from migrations.study.cohort_rules import (
    badge_of,
    choice_of,
    stand_in_sessions,
    why_left_out,
)
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import (
    Arm,
    Calibration,
    CaseImage,
    Fixation,
    Image,
    Reader,
    Reading,
    Session,
    utc_text,
)
from migrations.study.settings import LEADING_KEY

VERDICTS = {"good": "Good", "doubtful": "Doubtful", "bad": "Bad"}
"""What the window calls the rating of a reading."""


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One reading.

    Attributes
    ----------
    name, case
        The names of the reading and its case on every page.
    left_out
        Why it does not count for pre-training; "" if it does.
    chosen
        "keep" or "drop" where a researcher decided, else "".
    loss
        Share of samples without gaze, 0 … 1.
    accuracy_deg
        Accuracy of the last validation before it, degrees.
    duration_s
        Seconds of the host clock.
    image_ids
        Images of its case, in order of tile.
    badge
        Badge of gaze that is not a person's; "" for a person's.
    started_utc
        When it began, ISO 8601.
    session, tracker, station
        In which session, with what, and where.
    answers
        The answers in force, in words, in the order of the form.
    labels, splits
        Of its images, in order of tile; "" where one has none.
    arm
        Key of the arm it was read in; empty without arms.
    why_chosen
        The reason for a researcher's choice.
    """

    reading_id: str
    name: str
    case_id: str
    case: str
    reader: str
    state: str
    practice: bool
    verdict: str
    reasons: tuple[str, ...]
    left_out: str
    chosen: str
    loss: float | None
    accuracy_deg: float | None
    duration_s: float | None
    fixations: int
    image_ids: tuple[str, ...]
    badge: str = ""
    started_utc: str = ""
    session: str = ""
    tracker: str = ""
    station: str = ""
    answers: str = ""
    labels: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    arm: str = ""
    why_chosen: str = ""

    @property
    def counts(self) -> bool:
        """Whether pre-training uses it."""
        return not self.left_out


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows of a study say besides the readings, by id."""

    names: Mapping[str, str]
    cases: Mapping[str, str]
    sittings: Mapping[str, str]
    images: Mapping[str, tuple[str, ...]]
    told: Mapping[str, tuple[str, str]]
    fixations: Mapping[str, int]
    validations: Mapping[str, Sequence[tuple[int, float | None]]]
    answers: Mapping[str, Sequence[Answered]]
    arms: Mapping[str, str]
    resumed: frozenset[str | None]
    stand_ins: Mapping[str, str]
    trial: bool


def finished_readings(study: Study) -> int:
    """Return how many readings there are to learn from."""
    query = select(func.count()).select_from(Reading).where(Reading.state == "finished")
    with study.database.read() as session:
        return int(session.scalar(query) or 0)


def cohort_rows(study: Study) -> tuple[CohortRow, ...]:
    """Return all readings, newest first; runs off the GUI thread."""
    with study.database.read() as session:
        query = (
            select(Reading, Reader.pseudonym, Session)
            .join(Reader, Reader.id == Reading.reader_id)
            .join(Session, Session.id == Reading.session_id)
            .order_by(Reading.id.desc())
        )
        found = session.execute(query).all()
        known = _known(session, [reading.id for reading, _, _ in found], study.settings.trial)
        return tuple(
            _row(reading, pseudonym, sitting, known) for reading, pseudonym, sitting in found
        )


def answers_text(answers: Sequence[Answered]) -> str:
    """Return the answers of a reading in one line: the leading one as it is, others by key."""
    return "; ".join(
        said if a.key == LEADING_KEY and a.scope == "case" else f"{a.key}: {said}"
        for a in answers
        for said in [_value(a)]
    )


def _value(answered: Answered) -> str:
    if answered.kind != "multiple":
        return answered.value
    return ", ".join(str(chosen) for chosen in json.loads(answered.value)) or "–"


def _known(session: OrmSession, reading_ids: Sequence[str], trial: bool) -> _Known:
    counted = select(Fixation.reading_id, func.count()).group_by(Fixation.reading_id)
    told = select(Image.id, Image.label, Image.split)
    return _Known(
        names=names_of(session, "reading"),
        cases=names_of(session, "case"),
        sittings=names_of(session, "session"),
        images=_images_by_case(session),
        told={id_: (label or "", split or "") for id_, label, split in session.execute(told)},
        fixations={reading_id: count for reading_id, count in session.execute(counted)},
        validations=_validations(session),
        answers=answers_of_all(session, reading_ids),
        arms={id_: key for id_, key in session.execute(select(Arm.id, Arm.key))},
        resumed=frozenset(session.scalars(select(Reading.resumes_id))),
        stand_ins=stand_in_sessions(session),
        trial=trial,
    )


def _images_by_case(session: OrmSession) -> dict[str, tuple[str, ...]]:
    query = select(CaseImage.case_id, CaseImage.image_id).order_by(
        CaseImage.case_id, CaseImage.tile
    )
    found: dict[str, tuple[str, ...]] = {}
    for case_id, image_id in session.execute(query):
        found[case_id] = (*found.get(case_id, ()), image_id)
    return found


def _validations(session: OrmSession) -> dict[str, list[tuple[int, float | None]]]:
    query = (
        select(Calibration.session_id, Calibration.started_us, Calibration.accuracy_deg)
        .where(Calibration.kind == "validation")
        .order_by(Calibration.session_id, Calibration.started_us)
    )
    found: dict[str, list[tuple[int, float | None]]] = defaultdict(list)
    for session_id, started_us, accuracy_deg in session.execute(query):
        found[session_id].append((started_us, accuracy_deg))
    return found


def _row(reading: Reading, reader: str, sitting: Session, known: _Known) -> CohortRow:
    choice = choice_of(reading)
    image_ids = known.images.get(reading.case_id, ())
    nothing = ("", "")
    return CohortRow(
        reading_id=reading.id,
        name=known.names[reading.id],
        case_id=reading.case_id,
        case=known.cases[reading.case_id],
        reader=reader,
        state=reading.state,
        practice=reading.practice,
        verdict=reading.verdict or "",
        reasons=tuple(str(r) for r in reading.verdict_reasons),
        left_out=_left_out(reading, known),
        chosen="" if choice is None else "keep" if choice["keep"] else "drop",
        loss=reading.loss,
        accuracy_deg=_accuracy(reading, known.validations.get(reading.session_id, ())),
        duration_s=_seconds(reading),
        fixations=known.fixations.get(reading.id, 0),
        image_ids=image_ids,
        badge=badge_of(known.stand_ins.get(reading.session_id, "")),
        started_utc=_started(sitting, reading),
        session=known.sittings[sitting.id],
        tracker=sitting.tracker_model or sitting.tracker_kind,
        station=sitting.station,
        answers=answers_text(known.answers.get(reading.id, ())),
        labels=tuple(known.told.get(id_, nothing)[0] for id_ in image_ids),
        splits=tuple(known.told.get(id_, nothing)[1] for id_ in image_ids),
        arm=known.arms.get(reading.arm_id or "", ""),
        why_chosen=_reason(choice),
    )


def _left_out(reading: Reading, known: _Known) -> str:
    if reading.id in known.resumed:
        return "continued in a later reading"
    return why_left_out(reading, stand_ins=known.stand_ins, trial=known.trial) or ""


def _accuracy(reading: Reading, validations: Sequence[tuple[int, float | None]]) -> float | None:
    before = [accuracy for at, accuracy in validations if at <= reading.started_us]
    return before[-1] if before else None


def _seconds(reading: Reading) -> float | None:
    ended = reading.ended_us
    return None if ended is None else (ended - reading.started_us) / 1e6


def _started(sitting: Session, reading: Reading) -> str:
    """Return when a reading began; the clock may have run faster than real time."""
    try:
        zero = datetime.fromisoformat(sitting.zero_utc)
    except ValueError:  # imported from a file without times
        return ""
    zero = zero if zero.tzinfo else zero.replace(tzinfo=UTC)
    return utc_text(zero + timedelta(microseconds=reading.started_us / sitting.clock_speed))


def _reason(choice: Mapping[str, Any] | None) -> str:
    return "" if choice is None else str(choice.get("reason", ""))
