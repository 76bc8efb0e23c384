"""The last seal of a study, kept on the server that it is pushed to: an older copy is seen."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session as OrmSession

from migrations.study.database import Database
from migrations.study.schema import Seal, SealHead, new_id, utc_now
from migrations.study.seal.chain import Head, head_of
from migrations.study.this_computer import computer

_ADD = text(
    "INSERT INTO seal_head (id, station, chain, number, hash, time_utc) "
    "VALUES (:id, session_user::text, :chain, :number, :hash, :time_utc)"
)


def push_head(local: Database, server: Database) -> str:
    """Send the last seal of a study; return what is wrong where the server knows a later one.

    Raises
    ------
    DatabaseError
        If the server does not take it.
    """
    with local.read() as rows:
        head = head_of(rows.connection().connection.driver_connection)
    if head is None:
        return ""
    query = select(SealHead).where(SealHead.chain == head.chain).order_by(SealHead.number.desc())
    with server.read() as rows:
        known = rows.scalars(query.limit(1)).first()
    if known is not None:
        with local.read() as rows:
            here = rows.scalar(select(Seal.hash).where(Seal.number == known.number))
        if here is None or here.hex() != known.hash:
            return (
                f"sealed record: the server knows seal {known.number} of this study, sent "
                f"{known.time_utc}, which is not in it (its last is {head.number}): its end was "
                "cut off, or this is an older copy"
            )
        if known.number == head.number:
            return ""
    with server.write() as rows:
        _add(rows, head, is_file=server.path is not None)
    return ""


def _add(rows: OrmSession, head: Head, *, is_file: bool) -> None:
    said = {"id": new_id(), "chain": head.chain, "number": head.number, "hash": head.hash.hex(),
            "time_utc": utc_now()}  # fmt: skip
    if is_file:
        rows.add(SealHead(station=computer(), **said))
    else:
        rows.execute(_ADD, said)
