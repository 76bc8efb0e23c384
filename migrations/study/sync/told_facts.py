"""Case sheets and readers' attributes: a push sends what changed since they were last sent.

That a sheet changed is recorded in the audit, one row per case; what it says is stored only in the
case, so that an erasure finds it. A reader's attributes are only ever added to, so that each state
of them is a different one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.case_sheets import CHANGED
from migrations.study.database import Database
from migrations.study.reader_attributes import attributes_of
from migrations.study.schema import Audit, Edit, Reader, StudyCase
from migrations.study.sync.edits import Change, in_parts


@dataclass(frozen=True, slots=True)
class ToldFact:
    """What a study now says about a case or a reader.

    Attributes
    ----------
    subject
        "study_case" or "reader".
    row_id
        Id in the study.
    what
        "sheet" or "attributes".
    edit_id
        Id of the audit's row; "" for attributes, and for a sheet from before its changes were
        recorded.
    """

    subject: str
    row_id: str
    what: str
    value: dict[str, Any]
    edit_id: str = ""


def told_facts(session: OrmSession) -> list[ToldFact]:
    """Return the sheets of a study's cases and what its readers said about themselves."""
    edits = select(Audit.subject, Audit.id).where(Audit.action == CHANGED)
    last = {case_id: row_id for case_id, row_id in session.execute(
        edits.order_by(Audit.time_utc, Audit.id))}  # fmt: skip
    sheets = select(StudyCase.id, StudyCase.sheet).where(StudyCase.sheet.is_not(None))
    found = [
        ToldFact("study_case", case_id, "sheet", dict(sheet or {}), last.get(case_id, ""))
        for case_id, sheet in session.execute(sheets.order_by(StudyCase.id))
    ]
    for reader_id, details in session.execute(select(Reader.id, Reader.details)):
        if said := attributes_of(details):
            found.append(ToldFact("reader", reader_id, "attributes", dict(said)))
    return found


def fact_changes(
    server: Database,
    facts: Sequence[ToldFact],
    cases: Mapping[str, str],
    readers: Mapping[str, str],
) -> list[Change]:
    """Return the edits that were not yet sent to the server.

    Parameters
    ----------
    cases, readers
        The server's id of each local one; those not in it are left out.
    """
    ids = {"study_case": cases, "reader": readers}
    known = [fact for fact in facts if fact.row_id in ids[fact.subject]]
    found = list[Change]()
    for part in in_parts(known):
        changes = [
            Change(f.subject, ids[f.subject][f.row_id], f.what, f.value, f.edit_id) for f in part
        ]
        with server.read() as session:
            told = set(session.scalars(select(Edit.id).where(Edit.id.in_([c.id for c in changes]))))
            stands = _standing(session, changes)
        for change in changes:
            there = stands.get((change.subject, change.row_id), {})
            if change.id not in told and not _is_known(server, change, there):
                found.append(change)
    return found


def _is_known(server: Database, change: Change, there: Mapping[str, Any]) -> bool:
    """Tell whether a change that was never sent as an edit need not be sent."""
    if server.path is not None:  # a file keeps no edits
        after = {**there, **change.value} if change.subject == "reader" else change.value
        return after == there
    # A sheet of unknown age only fills a gap.
    return change.subject == "study_case" and not change.edit_id and bool(there)


def _standing(
    session: OrmSession, changes: Sequence[Change]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what a server now says about the rows of changes."""
    of: tuple[tuple[str, Any, Any, Callable[[Any], dict[str, Any]]], ...] = (
        ("study_case", StudyCase, StudyCase.sheet, lambda sheet: dict(sheet or {})),
        ("reader", Reader, Reader.details, lambda details: dict(attributes_of(details))),
    )
    found = {}
    for subject, table, column, read in of:
        ids = [change.row_id for change in changes if change.subject == subject]
        for row_id, value in session.execute(select(table.id, column).where(table.id.in_(ids))):
            found[subject, row_id] = read(value)
    return found
