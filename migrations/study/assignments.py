"""Assignments as rows: made for a reader according to the study's plan, or read from a csv."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.arms import Arm
from migrations.study.audit import add_audit
from migrations.study.clean_text import clean
from migrations.study.csv_tables import read_table
from migrations.study.errors import AmbiguousName, StudyError, UnknownName
from migrations.study.names import resolve
from migrations.study.plan_readers import readers_meant
from migrations.study.plans import Design, Planned, plan_for
from migrations.study.schema import Arm as ArmRow
from migrations.study.schema import Assignment, Reader, StudyCase, new_id
from migrations.study.settings import StudySettings

COLUMNS = ("reader", "case", "order", "arm")
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Assigned:
    """A case that a reader is to read; `arm` and its row, None where the study has none."""

    case_id: str
    arm_id: str | None
    arm: Arm | None
    position: int


def is_planned(settings: StudySettings) -> bool:
    """Tell whether a study has plans at all; if not, every reader reads every case in one way."""
    return bool(settings.arms) or settings.assignment != "all"


def plan_warning(settings: StudySettings) -> str:
    """Return why the study's settings override a plan from a csv; "" if they do not."""
    if settings.assignment == "csv":
        return ""
    reads = (
        "every reader reads every case"
        if settings.assignment == "all"
        else "readers also get the cases that the study assigns to them"
    )
    return (
        f'The setting `assignment` of this study is "{settings.assignment}": {reads}, whatever '
        'the plan says. Set it to "csv" to use the plan.'
    )


def keep_arms(session: OrmSession, arms: Sequence[Arm]) -> list[str]:
    """Write the arms that are missing, as they stand now; return each one's row."""
    known = {(r.key, tuple(sorted(r.conditions.items()))): r.id
             for r in session.scalars(select(ArmRow))}  # fmt: skip
    ids = []
    for position, arm in enumerate(arms):
        conditions = arm.as_conditions()
        there = known.get((arm.key, tuple(sorted(conditions.items()))))
        if there is None:
            row = ArmRow(id=new_id(), key=arm.key, conditions=conditions, position=position)
            session.add(row)
            session.flush()
            there = row.id
        ids.append(there)
    return ids


def assign_reader(
    session: OrmSession, settings: StudySettings, reader_id: str, pseudonym: str
) -> None:
    """Give a reader what the study's plan says; cases added since are assigned too, others stay.

    Raises
    ------
    StudyError
        If the study has planned fewer readers.
    """
    if settings.assignment == "csv" or not is_planned(settings):
        return
    number = _number_of(session, reader_id)
    if settings.assignment == "blocks" and number >= settings.planned_readers:
        raise StudyError(
            f"All {settings.planned_readers} planned readers of this study exist. Raise "
            f"planned_readers before {pseudonym} reads; new cases are then assigned anew."
        )
    query = select(StudyCase.id).where(StudyCase.practice.is_(False))
    cases = list(session.scalars(query.order_by(StudyCase.position, StudyCase.name)))
    there = set(session.scalars(
        select(Assignment.case_id).where(Assignment.reader_id == reader_id)
    ))  # fmt: skip
    plan = [p for p in plan_for(_design(settings), number, pseudonym, cases)
            if p.case_id not in there]  # fmt: skip
    _write(session, reader_id, plan, keep_arms(session, settings.arms))


def assigned_to(session: OrmSession, pseudonym: str) -> dict[str, list[Assigned]]:
    """Return a reader's assignments by case, in their order."""
    query = (
        select(Assignment, ArmRow)
        .join(Reader, Reader.id == Assignment.reader_id)
        .outerjoin(ArmRow, ArmRow.id == Assignment.arm_id)
        .where(Reader.pseudonym == pseudonym)
        .order_by(Assignment.position, Assignment.id)
    )
    found: dict[str, list[Assigned]] = {}
    for row, arm in session.execute(query):
        made = None if arm is None else Arm(arm.key, **arm.conditions)
        own = Assigned(row.case_id, row.arm_id, made, row.position)
        found.setdefault(row.case_id, []).append(own)
    return found


def assign_from_csv(
    session: OrmSession, settings: StudySettings, path: Path, new_readers: Collection[str] = ()
) -> dict[str, int]:
    """Replace the assignments of the readers in a csv; return how many cases each was assigned.

    The columns are `reader` (pseudonym), `case` (name), `order` (a whole number) and, where the
    study has arms, `arm`. The change is recorded in the audit.

    Parameters
    ----------
    new_readers
        Readers that may be new, in a study that already has readers.

    Raises
    ------
    UnknownReaders
        If the study has readers and the csv names others; nothing is written then.
    StudyError
        Naming the line and what is wrong in it; nothing is written then.
    """
    lines = _lines(path, needs_arms=bool(settings.arms))
    keys = [arm.key for arm in settings.arms]
    by_reader: dict[str, list[tuple[int, str, int | None]]] = {}
    first: dict[str, str] = {}
    for number, line in enumerate(lines, 2):
        where = f"{path.name}, line {number}"
        pseudonym = _reader_of(line, where)
        first.setdefault(pseudonym, where)
        rows = by_reader.setdefault(pseudonym, [])
        order = _order_of(line, where)
        if order in [row[0] for row in rows]:
            raise StudyError(f"{where}: {pseudonym} has order {order} twice.")
        rows.append((order, _case_of(session, line, where), _arm_of(line, keys, where)))
    meant = readers_meant(session, first, new_readers)
    arm_ids = keep_arms(session, settings.arms)
    for pseudonym, rows in by_reader.items():
        session.execute(delete(Assignment).where(Assignment.reader_id == meant[pseudonym]))
        _write(session, meant[pseudonym], _planned(rows, pseudonym), arm_ids)
    made = {pseudonym: len(rows) for pseudonym, rows in by_reader.items()}
    add_audit(session, "readings planned", details=dict(made))
    return made


def _planned(rows: Iterable[tuple[int, str, int | None]], pseudonym: str) -> list[Planned]:
    seen: dict[str, list[int | None]] = {}
    plan = []
    for order, case_id, arm in sorted(rows, key=lambda row: row[0]):
        before = seen.setdefault(case_id, [])
        if arm in before:
            raise StudyError(f"{pseudonym} is assigned the same case twice in one arm.")
        plan.append(Planned(case_id, arm, len(before), order))
        before.append(arm)
    return plan


def _lines(path: Path, *, needs_arms: bool) -> list[dict[str, str]]:
    columns, lines = read_table(path)
    if not lines:
        raise StudyError(f"{path.name} contains no assignments.")
    missing = [c for c in COLUMNS[: 4 if needs_arms else 3] if c not in columns]
    if missing:
        raise StudyError(f"{path.name} has no column {missing[0]!r}; it needs reader, case, order"
                         f"{', arm' if needs_arms else ''}.")  # fmt: skip
    twice = [name for name in COLUMNS if columns.count(name) > 1]
    if twice:
        raise StudyError(f"{path.name} has the column {twice[0]!r} twice.")
    found = []
    for number, line in enumerate(lines, 2):
        if None in line:
            raise StudyError(f"{path.name}, line {number}: this line has more cells than columns.")
        found.append({name.strip(): clean(value or "").strip() for name, value in line.items()})
    return found


def _case_of(session: OrmSession, line: dict[str, str], where: str) -> str:
    if not line["case"]:
        raise StudyError(f"{where}: the case is empty.")
    try:
        return resolve(session, "case", line["case"], whole=True)
    except (UnknownName, AmbiguousName) as error:
        raise StudyError(f"{where}: {error}") from error


def _reader_of(line: dict[str, str], where: str) -> str:
    pseudonym = line["reader"]
    if not pseudonym:
        raise StudyError(f"{where}: the reader is empty.")
    return pseudonym


def _order_of(line: dict[str, str], where: str) -> int:
    text = line["order"]
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise StudyError(
            f"{where}: order must be a whole number of up to {_MOST_DIGITS} digits, not {text!r}."
        )
    return int(text)


def _arm_of(line: dict[str, str], keys: Sequence[str], where: str) -> int | None:
    arm = line.get("arm", "")
    if not keys:
        if arm:
            raise StudyError(f"{where}: it names the arm {arm!r}, but the study has no arms.")
        return None
    if arm not in keys:
        raise StudyError(f"{where}: the study has no arm {arm!r}; it has {', '.join(keys)}.")
    return keys.index(arm)


def _design(settings: StudySettings) -> Design:
    if settings.assignment != "blocks":
        return Design(settings.arms, settings.crossover)
    return Design(
        settings.arms, settings.crossover, settings.planned_readers, settings.readers_per_case
    )


def _number_of(session: OrmSession, reader_id: str) -> int:
    """Return which of the readers with assignments this is, counted from 0."""
    query = select(Assignment.reader_id).group_by(Assignment.reader_id)
    readers = list(session.scalars(query.order_by(func.min(Assignment.id))))
    return readers.index(reader_id) if reader_id in readers else len(readers)


def _write(
    session: OrmSession, reader_id: str, plan: Iterable[Planned], arm_ids: Sequence[str]
) -> None:
    session.add_all(
        Assignment(
            id=new_id(), reader_id=reader_id, case_id=p.case_id, period=p.period,
            position=p.position, arm_id=None if p.arm is None else arm_ids[p.arm],
        )
        for p in plan
    )  # fmt: skip
    session.flush()
