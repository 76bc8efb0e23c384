"""What stops erased people from coming back: digests that recognise them and reveal nothing else.

A tombstone is an audit row. Ids and pixel hashes are too long to be guessed, so SHA-256 hides them;
a pseudonym is short, so it is stored as scrypt with its own salt.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.schema import Audit

ACTION = "erased"
_PREFIX = "foveate tombstone\0"


def hidden(text: str) -> str:
    """Return the digest of an id, a pixel hash or a source group."""
    return hashlib.sha256((_PREFIX + text).encode()).hexdigest()


def hidden_name(pseudonym: str, salt: bytes | None = None) -> str:
    """Return ``salt$digest`` of a pseudonym: slow to compute, so slow to guess."""
    salt = os.urandom(16) if salt is None else salt
    digest = hashlib.scrypt(pseudonym.strip().encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
    return f"{salt.hex()}${digest.hex()}"


def tombstone(
    kind: str, things: Iterable[str], names: Iterable[str], counts: dict[str, int]
) -> dict[str, Any]:
    """Return the details of a tombstone's audit row.

    Parameters
    ----------
    kind
        "reader" or "patient".
    things
        Ids, pixel hashes and groups that must not come back.
    names
        Pseudonyms that must not come back.
    counts
        Rows removed, by table.
    """
    return {
        "kind": kind,
        "digests": sorted({hidden(thing) for thing in things if thing}),
        "names": [hidden_name(name) for name in sorted(set(names))],
        "rows": counts,
    }


@dataclass(frozen=True, slots=True)
class Tombstones:
    """All tombstones of a database."""

    digests: frozenset[str]
    names: tuple[str, ...]

    @classmethod
    def of(cls, session: OrmSession) -> "Tombstones":
        """Read the tombstones of a database."""
        return cls.among(session.scalars(select(Audit.details).where(Audit.action == ACTION)).all())

    @classmethod
    def among(cls, details: Iterable[dict[str, Any]]) -> "Tombstones":
        """Return the tombstones of these audit rows."""
        rows = list(details)
        digests = frozenset(d for row in rows for d in row.get("digests", ()))
        return cls(digests, tuple(n for row in rows for n in row.get("names", ())))

    def __bool__(self) -> bool:
        return bool(self.digests or self.names)

    def bars(self, *things: str | None) -> bool:
        """Tell whether one of these ids, hashes or groups was erased."""
        return bool(self.digests) and any(hidden(t) in self.digests for t in things if t)

    def bars_name(self, pseudonym: str) -> bool:
        """Tell whether the reader of this pseudonym was erased."""
        return any(
            hidden_name(pseudonym, bytes.fromhex(name.partition("$")[0])) == name
            for name in self.names
        )


def all_tombstones(session: OrmSession) -> Sequence[Audit]:
    """Return the audit rows that are tombstones, oldest first."""
    return session.scalars(select(Audit).where(Audit.action == ACTION).order_by(Audit.id)).all()
