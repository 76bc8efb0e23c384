"""What a server has completely, by digest, so that it is not compared again.

The server keeps them: a server restored from a backup has the receipts of that day. A digest
reveals nothing about what it stands for. A file that stands in for a server has none, so everything
is compared.
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
    """Return the digest of some rows: SHA-256 of their JSON."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


class Receipts:
    """The receipts that this role has on a server."""

    def __init__(self, server: Database) -> None:
        self._server = server
        self._kept = server.path is None

    def of(self, subjects: list[str]) -> set[str]:
        """Return which of these the server has completely; one statement."""
        if not self._kept or not subjects:
            return set()
        with self._server.read() as session:
            return set(session.scalars(_THERE, {"subjects": subjects}))

    def add(self, subject: str) -> None:
        """Record that the server has this completely."""
        if self._kept:
            with self._server.write() as session:
                session.execute(_ADD, {"id": new_id(), "subject": subject})
