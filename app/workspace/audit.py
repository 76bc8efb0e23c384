"""The audit trail as shown to a researcher: when, by whom, where, what, to which, and why."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.errors import AppError
from migrations.study.csv_cells import CsvWriter
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import Audit, Reader

HEADERS = ("time_utc", "person", "station", "action", "subject", "reason", "details")
_PERSON = ("person", "by", "reader")
_REASON = ("reason", "why")
_KINDS = ("reading", "case", "image", "session")


class AuditUnwritable(AppError):
    """The table of the audit trail could not be saved."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One recorded action.

    Attributes
    ----------
    time_utc
        ISO 8601.
    person
        Pseudonym of the person who did it; "" if no one is named.
    subject, kind
        What it was done to, by short name, and the kind of thing that is; "" for anything other
        than the four kinds that have names.
    reason
        As given; "" without one.
    details
        Its other details, in words.
    """

    time_utc: str
    person: str
    station: str
    action: str
    subject: str
    kind: str
    reason: str
    details: str


def audit_trail(study: Study) -> tuple[AuditRow, ...]:
    """Return everything in the audit, newest first; runs off the GUI thread."""
    with study.database.read() as session:
        called = _called(session)
        rows = session.scalars(select(Audit).order_by(Audit.time_utc.desc(), Audit.id.desc()))
        return tuple(_row(row, called) for row in rows)


def write_audit(rows: Sequence[AuditRow], path: Path) -> None:
    """Write a table of what the page shows, as csv.

    Raises
    ------
    AuditUnwritable
        If the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = CsvWriter(file)
            writer.rows([HEADERS])
            writer.rows(
                (r.time_utc, r.person, r.station, r.action, f"{r.kind} {r.subject}".strip(),
                 r.reason, r.details)
                for r in rows
            )  # fmt: skip
    except (OSError, csv.Error) as error:
        raise AuditUnwritable(f"{path} cannot be written ({error}).") from error


def _called(session: OrmSession) -> Mapping[str, tuple[str, str]]:
    """Return the kind and name of each row that has a name, by id."""
    found = {
        id_: (kind, name)
        for kind in _KINDS
        for id_, name in names_of(session, kind).items()  # type: ignore[arg-type]
    }
    readers = session.execute(select(Reader.id, Reader.pseudonym))
    return found | {id_: ("reader", pseudonym) for id_, pseudonym in readers}


def _row(row: Audit, called: Mapping[str, tuple[str, str]]) -> AuditRow:
    details = dict(row.details or {})
    person, reason = _told(row, details, _PERSON), _told(row, details, _REASON)
    kind, subject = called.get(row.subject, ("", row.subject))
    person = called.get(person, ("", person))[1]
    return AuditRow(
        row.time_utc, person, row.station, row.action, subject, kind, reason, _words(details)
    )


def _told(row: Audit, details: dict[str, Any], names: Sequence[str]) -> str:
    """Return what a column says or, in rows from before it existed, the details."""
    for name in names:
        kept = getattr(row, name, None)
        if isinstance(kept, str) and kept:
            details.pop(name, None)
            return kept
    for name in names:
        if isinstance(details.get(name), str):
            return str(details.pop(name))
    return ""


def _words(details: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name.replace('_', ' ')}: "
        + (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in details.items()
        if value not in ("", None, [], {})
    )
