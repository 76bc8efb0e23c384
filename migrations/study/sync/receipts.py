"""What a server has whole, by digest, so that it is not compared again.

The server keeps them: one that is set back to a backup has the receipts of that day. A digest says
nothing of what it stands for. A file that stands for a server has none: all is compared.
"""

import hashlib
import json
from typing import Any

from sqlalchemy import text

from migrations.study.database import Database
from migrations.study.schema import new_id

_THERE = text(
    "SELECT subject FROM receipt WHERE station = session_user::text "
    "AND subject = ANY(CAST(:subjects AS text[]))"
)
_ADD = text(
    "INSERT INTO receipt (id, station, subject) VALUES (:id, session_user::text, :subject) "
    "ON CONFLICT DO NOTHING"
)


def digest(*parts: Any) -> str:
    """Return what stands for a state of rows: SHA-256 of their JSON."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


class Receipts:
    """The receipts that this role has of a server."""

    def __init__(self, server: Database) -> None:
        self._server = server
        self._kept = server.path is None

    def of(self, subjects: list[str]) -> set[str]:
        """Return which of these the server has whole; one statement."""
        if not self._kept or not subjects:
            return set()
        with self._server.read() as session:
            return set(session.scalars(_THERE, {"subjects": subjects}))

    def add(self, subject: str) -> None:
        """Keep that the server has this whole."""
        if self._kept:
            with self._server.write() as session:
                session.execute(_ADD, {"id": new_id(), "subject": subject})
