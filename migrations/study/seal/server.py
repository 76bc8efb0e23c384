"""The last seal of a study, kept on the server that it is pushed to: reveals an older copy."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, literal_column, select, text
from sqlalchemy.orm import Session as OrmSession

from migrations.study.audit import add_audit
from migrations.study.database import Database
from migrations.study.errors import StudyError
from migrations.study.processes import as_typed
from migrations.study.schema import Audit, Seal, SealHead, new_id, utc_now
from migrations.study.seal.chain import Head, head_of
from migrations.study.this_computer import computer

ACCEPTED = "record accepted"
"""Action of the audit row by which a person accepts a record other than the known one."""
_SEALS = "server_seals"
_ROLE: ColumnElement[str] = literal_column("session_user::text")
_ADD = text(
    "INSERT INTO seal_head (id, station, chain, number, hash, time_utc) "
    "VALUES (:id, session_user::text, :chain, :number, :hash, :time_utc)"
)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A seal that the server was sent."""

    number: int
    hash: str
    time_utc: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What the server knows of a study's chain.

    Attributes
    ----------
    lacking
        Seals that the study lacks without anyone having accepted it, the last first.
    has_head
        Whether it has the study's last seal.
    """

    lacking: tuple[_Sent, ...]
    has_head: bool


def push_head(local: Database, server: Database, accept: str | None = None) -> str:
    """Send the last seal of a study; return what is wrong if the server knows a later one.

    Parameters
    ----------
    local
        Only read, unless its record is accepted.
    accept
        Why the record here is accepted although the server knows a later one.

    Raises
    ------
    StudyError
        If there is nothing to accept, or no reason is given.
    DatabaseError
        If the server refuses it.
    """
    head = _head(local)
    if accept is not None:
        known = None if head is None else _known(local, server, head)
        _accept(local, known, accept.strip())
        head = _head(local)
    if head is None:
        return ""
    known = _known(local, server, head)
    if known.lacking:
        return _told(known.lacking[0], head)
    if not known.has_head:
        with server.write() as rows:
            _add(rows, head, is_file=server.path is not None)
    return ""


def _head(local: Database) -> Head | None:
    with local.read() as rows:
        return head_of(rows.connection().connection.driver_connection)


def _known(local: Database, server: Database, head: Head) -> _Known:
    """Return what this station sent; all seals before one that the study has are included.

    Copies of one study at several stations have one chain up to where they part.
    """
    station = _ROLE if server.path is None else computer()
    query = (
        select(SealHead.number, SealHead.hash, SealHead.time_utc)
        .where(SealHead.chain == head.chain, SealHead.station == station)
        .order_by(SealHead.number.desc(), SealHead.id)
    )
    with local.read() as here, server.read() as there:
        last = there.execute(query.limit(1)).first()
        if last is None or _has(here, last.number, last.hash):  # as in most pushes
            return _Known((), last is not None and last.hash == head.hash.hex())
        lacking, accepted, has_head = [], _accepted(here), False
        for row in there.execute(query):
            has_head |= row.hash == head.hash.hex()
            if _has(here, row.number, row.hash):
                break
            if row.hash not in accepted:
                lacking.append(_Sent(*row))
    return _Known(tuple(lacking), has_head)


def _has(here: OrmSession, number: int, hash_: str) -> bool:
    known = here.scalar(select(Seal.hash).where(Seal.number == number))
    return known is not None and known.hex() == hash_


def _accepted(here: OrmSession) -> set[str]:
    found = here.scalars(select(Audit.details).where(Audit.action == ACCEPTED))
    return {hash_ for details in found for hash_ in details.get(_SEALS, ())}


def _told(sent: _Sent, head: Head) -> str:
    return as_typed(
        f"sealed record: the server knows seal {sent.number} of this study, sent "
        f"{sent.time_utc}, which this copy lacks (its last is {head.number}): its end was cut "
        "off, or it is an older copy. Changes to rows that the server has were not sent, "
        "because they may be older than those on the server. If you know why (a backup was "
        "restored), accept this copy with python main.py db push --accept REASON; the reason "
        "is recorded in the audit"
    )


def _accept(local: Database, known: _Known | None, reason: str) -> None:
    lacking = known.lacking if known else ()
    if not lacking:
        raise StudyError(
            "There is nothing to accept: the server does not know a later seal of this study."
        )
    if not reason:
        raise StudyError("Give a reason: --accept 'the backup of Monday was restored'.")
    details = {"instead": f"seal {lacking[0].number} of the server",
               _SEALS: [sent.hash for sent in lacking]}  # fmt: skip
    with local.write() as rows:
        add_audit(rows, ACCEPTED, details=details, reason=reason)


def _add(rows: OrmSession, head: Head, *, is_file: bool) -> None:
    said = {"id": new_id(), "chain": head.chain, "number": head.number, "hash": head.hash.hex(),
            "time_utc": utc_now()}  # fmt: skip
    if is_file:
        rows.add(SealHead(station=computer(), **said))
    else:
        rows.execute(_ADD, said)
