"""Readings of a study as a researcher sees them: quality, what counts, what is missing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.cohort_rules import (
    CHOICE,
    badge_of,
    choice_of,
    stand_in_sessions,
    why_left_out,
)
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import (
    Audit,
    Calibration,
    CaseImage,
    Fixation,
    Image,
    Reader,
    Reading,
    Session,
    utc_now,
)
from migrations.study.sync.edits import Change, make

FEW_CASES = 30
"""Below so many read images a pre-training can hardly show anything."""


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One reading.

    Attributes
    ----------
    name, case
        What the reading and its case are called everywhere.
    left_out
        Why it does not count for pre-training; empty where it does.
    chosen
        "keep" or "drop" where a researcher decided, else empty.
    loss
        Share of samples without gaze, 0 … 1.
    accuracy_deg
        Of the last validation before it, degrees.
    duration_s
        Seconds of the host clock.
    image_ids
        Of its case, in order of tile.
    badge
        Of gaze that is not a person's; empty for a person's.
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

    @property
    def counts(self) -> bool:
        """Whether pre-training uses it."""
        return not self.left_out


@dataclass(frozen=True, slots=True)
class CohortFilter:
    """What to show: empty strings show everything; `text` is searched in names and reasons."""

    text: str = ""
    reader: str = ""
    verdict: str = ""
    counting: str = ""

    def passes(self, row: CohortRow) -> bool:
        """Return whether a row is shown."""
        words = f"{row.case} {row.name} {row.reader} {' '.join(row.reasons)} {row.left_out}".lower()
        return (
            self.text.lower() in words
            and self.reader in ("", row.reader)
            and self.verdict in ("", row.verdict)
            and self.counting in ("", "kept" if row.counts else "left out")
        )


def finished_readings(study: Study) -> int:
    """Return how many readings there are to learn from."""
    query = select(func.count()).select_from(Reading).where(Reading.state == "finished")
    with study.database.read() as session:
        return int(session.scalar(query) or 0)


def cohort_rows(study: Study) -> tuple[CohortRow, ...]:
    """Return all readings, the newest first; runs off the GUI thread."""
    with study.database.read() as session:
        images = _images_by_case(session)
        names, cases = names_of(session, "reading"), names_of(session, "case")
        counted = select(Fixation.reading_id, func.count()).group_by(Fixation.reading_id)
        fixations = {reading_id: count for reading_id, count in session.execute(counted)}
        validations = _validations(session)
        resumed = set(session.scalars(select(Reading.resumes_id)))
        stand_ins = stand_in_sessions(session)
        query = (
            select(Reading, Reader.pseudonym)
            .join(Reader, Reader.id == Reading.reader_id)
            .order_by(Reading.id.desc())
        )
        return tuple(
            _row(
                reading,
                names[reading.id],
                cases[reading.case_id],
                pseudonym,
                images.get(reading.case_id, ()),
                fixations.get(reading.id, 0),
                validations.get(reading.session_id, ()),
                continued=reading.id in resumed,
                stand_ins=stand_ins,
                trial=study.settings.trial,
            )
            for reading, pseudonym in session.execute(query)
        )


def decide(study: Study, reading_ids: Iterable[str], keep: bool | None, reason: str) -> None:
    """Keep or drop readings by hand, or (None) let their verdict decide again; kept in `audit`.

    Raises
    ------
    ValueError
        If a reason is missing.
    """
    if keep is not None and not reason.strip():
        raise ValueError("Say why: the reason stands in the report.")
    action = {True: "keep reading", False: "drop reading", None: "undo keep or drop"}[keep]
    with study.database.write() as session:
        for reading_id in reading_ids:
            reading = session.get_one(Reading, reading_id)
            choice = {"keep": keep, "reason": reason.strip(), "time_utc": utc_now()}
            make(session, [Change("reading", reading_id, CHOICE, choice)])
            sitting = session.get_one(Session, reading.session_id)
            session.add(
                Audit(
                    station=sitting.station,
                    action=action,
                    subject=reading_id,
                    details={"reason": reason.strip()},
                )
            )


def missing(study: Study, rows: Sequence[CohortRow]) -> list[str]:
    """Return what is missing before a pre-training makes sense, the gravest first."""
    with study.database.read() as session:
        images = session.execute(select(Image.id, Image.label, Image.split)).all()
    kept = [row for row in rows if row.counts]
    read = {image_id for row in kept for image_id in row.image_ids}
    found = [
        ("No images yet: import some on the Worklist page.", not images),
        ("No reading counts yet: read some cases.", bool(images) and not kept),
        (
            f"Only {len(read)} images were read; with fewer than {FEW_CASES} a run shows little.",
            0 < len(read) < FEW_CASES,
        ),
        (
            f"{len(images) - len(read)} of {len(images)} images have no gaze: they train without "
            "gaze pairs.",
            0 < len(read) < len(images),
        ),
        (
            "No image has a label: a probe cannot say whether the gaze helped. Import labels: "
            "python main.py import --labels",
            bool(images) and not any(label for _, label, _ in images),
        ),
        (
            "No image is held back as test split: it is made when a run starts.",
            bool(images) and not any(split == "test" for _, _, split in images),
        ),
    ]
    return [text for text, applies in found if applies] + _grave_losses(rows)


def _grave_losses(rows: Sequence[CohortRow]) -> list[str]:
    """Name readers most of whose readings are left out for their gaze."""
    by_reader: dict[str, Counter[bool]] = defaultdict(Counter)
    for row in rows:
        if row.state == "finished" and not row.practice:
            by_reader[row.reader][row.counts] += 1
    return [
        f"{counts[False]} of {counts.total()} readings of {reader} are left out: calibrate again."
        for reader, counts in sorted(by_reader.items())
        if counts[False] > counts.total() / 2
    ]


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


def _row(
    reading: Reading,
    name: str,
    case: str,
    reader: str,
    image_ids: tuple[str, ...],
    fixations: int,
    validations: Sequence[tuple[int, float | None]],
    *,
    continued: bool,
    stand_ins: Mapping[str, str],
    trial: bool,
) -> CohortRow:
    choice = choice_of(reading)
    before = [accuracy for at, accuracy in validations if at <= reading.started_us]
    ended = reading.ended_us
    return CohortRow(
        reading_id=reading.id,
        name=name,
        case_id=reading.case_id,
        case=case,
        reader=reader,
        state=reading.state,
        practice=reading.practice,
        verdict=reading.verdict or "",
        reasons=tuple(str(r) for r in reading.verdict_reasons),
        left_out="continued in a later reading"
        if continued
        else why_left_out(reading, stand_ins=stand_ins, trial=trial) or "",
        chosen="" if choice is None else "keep" if choice["keep"] else "drop",
        loss=reading.loss,
        accuracy_deg=before[-1] if before else None,
        duration_s=None if ended is None else (ended - reading.started_us) / 1e6,
        fixations=fixations,
        image_ids=image_ids,
        badge=badge_of(stand_ins.get(reading.session_id, "")),
    )
