"""Erasures that a station requests from a server's owner; its own role cannot remove anything.

A request is an audit row with the tombstone's details. It blocks no one: a station must not be able
to keep others' rows off the server.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from migrations.study.database import Database
from migrations.study.erasure import Erased, erase_again
from migrations.study.schema import Audit
from migrations.study.sync.access import ERASURE_WANTED
from migrations.study.sync.identity import insert_missing

_REQUESTS = uuid.UUID("0a3c5f0e-6f0e-4d35-9a5e-0f0ea7e0ed18")


def ask_to_erase(server: Database, role: str, rows: Sequence[tuple[str, str, Any]]) -> None:
    """Leave requests on a server.

    Parameters
    ----------
    rows
        Id, time and details of tombstones.
    """
    asked = [
        {"id": str(uuid.uuid5(_REQUESTS, row_id)), "time_utc": time_utc, "station": role,
         "action": ERASURE_WANTED, "subject": row_id, "details": details}
        for row_id, time_utc, details in rows
    ]  # fmt: skip
    with server.write() as session:
        insert_missing(session, Audit, asked)


def waiting(server: Database) -> list[Audit]:
    """Return the requests that have not been carried out yet, oldest first."""
    with server.read() as session:
        query = select(Audit).where(Audit.action == ERASURE_WANTED).order_by(Audit.id)
        asked = session.scalars(query).all()
        done = set(session.scalars(select(Audit.id).where(Audit.action == "erased")))
        session.expunge_all()
    return [row for row in asked if row.subject not in done]


def carry_out(server: Database, request: Audit) -> Erased:
    """Erase what a request names, and leave its tombstone."""
    return erase_again(server, request.details, request.subject, request.time_utc)
