"""Push a study's finished sessions to a server, idempotent by id.

Each step is a transaction of its own and can be interrupted at any time: what the server has is not
sent again, and a reading appears on the server completely, after all its gaze. Readers of two
stations are matched by their pseudonym, images by their content, cases by their images; the ids
that arrived first are kept. Rows of erased people are not sent, and the study's own erasures go to
the server first.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from migrations.study.database import Database
from migrations.study.erasure import erase_again
from migrations.study.errors import RightMissing, RowRefused
from migrations.study.names import short_name
from migrations.study.schema import Audit, Session
from migrations.study.seal.server import push_head
from migrations.study.server_rights import Rights, require_rights
from migrations.study.sync.access import ADDED
from migrations.study.sync.edits import choice_changes, send
from migrations.study.sync.identity import Identities, learn_identities, send_design
from migrations.study.sync.receipts import Receipts, digest
from migrations.study.sync.requests import ask_to_erase
from migrations.study.sync.sitting import is_there, send_session
from migrations.study.sync.state import Sitting, State, counts_of, open_sessions, state_of
from migrations.study.sync.told_facts import fact_changes
from migrations.study.sync.told_words import word_changes
from migrations.study.tombstones import ACTION as ERASED
from migrations.study.tombstones import all_tombstones

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class PushReport:
    """What one push did.

    Attributes
    ----------
    sessions, readings, chunks
        Sent in this push.
    known
        Sessions that the server had completely, or that are not to be sent; all, if nothing is new.
    waiting
        Sessions that are still open here.
    barred
        Sessions of erased readers, not sent.
    erased
        Rows removed on the server by erasures of this study, by table.
    erasures_waiting
        Erasures in this study that the server's owner still has to carry out there.
    changed
        Rows on the server (images, cases, readings, readers) updated with changes made here.
    left
        Changes to rows that another station sent; this station may not make them.
    refused
        What the server refused, by name, with the reason; everything else was sent.
    """

    sessions: int = 0
    readings: int = 0
    chunks: int = 0
    known: int = 0
    waiting: int = 0
    barred: int = 0
    erased: dict[str, int] = field(default_factory=dict)
    erasures_waiting: int = 0
    changed: int = 0
    left: int = 0
    refused: list[str] = field(default_factory=list)


def push(
    local: Database,
    server: Database,
    progress: Progress = lambda d, t: None,
    *,
    compare: bool = False,
    accept: str | None = None,
) -> PushReport:
    """Send everything that a server lacks.

    Parameters
    ----------
    local
        A study's own database; only read, in short transactions, unless its record is accepted.
    server
        The server; its schema must be this program's (`Database.upgrade`).
    progress
        Called with the sessions done and their total.
    compare
        Whether to compare all rows again, whatever the receipts say.
    accept
        Why the study is accepted although the server knows a later seal: a backup was restored.

    Raises
    ------
    RightMissing
        If the role may not push; nothing was sent.
    StudyError
        If the study is to be accepted but there is nothing to accept; nothing was sent.
    DatabaseError
        If the connection to the server is lost; what was sent stays, and the next push continues
        from there.
    """
    with server.read() as session:
        rights = require_rights(session.connection(), list(ADDED))
        stones = session.scalars(select(Audit.id).where(Audit.action == ERASED)).all()
    state, receipts = state_of(local), Receipts(server)
    report = PushReport(waiting=state.waiting)
    if older := push_head(local, server, accept):
        report.refused.append(older)
    everything = digest(state.key, sorted(stones))
    if not compare and receipts.of([everything]):
        report.known = len(state.ready)
        return report
    _push_tombstones(local, server, rights, report)
    ids = learn_identities(local, server)
    send_design(local, server, ids)
    report.refused += ids.refused
    known = set() if compare else receipts.of([s.key for s in state.ready])
    whole = True
    for done, sitting in enumerate(state.ready, 1):
        if sitting.reader_id not in ids.readers:
            whole &= _not_of_anybody(sitting, ids, report)
        elif sitting.key in known:
            report.known += 1
        else:
            whole &= _push_session(local, server, sitting, ids, receipts, report)
        progress(done, len(state.ready))
    if not older:  # an older copy's rows are not later than the server's
        _push_changes(server, state, ids, rights, report)
    if whole and not report.refused:
        receipts.add(everything)
    return report


def pending(local: Database, server: Database) -> int:
    """Return how many finished sessions the server lacks or has in part."""
    with local.read() as session:
        ids = set(session.scalars(select(Session.id))) - open_sessions(session)
        mine = counts_of(session)
    with server.read() as session:
        theirs = counts_of(session)
    return sum(mine.get(i) != theirs.get(i) for i in ids)


def _push_tombstones(local: Database, server: Database, rights: Rights, report: PushReport) -> None:
    with local.read() as session:
        rows = [(r.id, r.time_utc, r.details) for r in all_tombstones(session)]
    if not rows:
        return
    with server.read() as session:
        there = set(session.scalars(select(Audit.id).where(Audit.id.in_([r[0] for r in rows]))))
    new = [row for row in rows if row[0] not in there]
    if not rights.owns:
        report.erasures_waiting = len(new)
        ask_to_erase(server, rights.role, new)
        return
    for row_id, time_utc, details in new:
        for name, count in erase_again(server, details, row_id, time_utc).rows.items():
            report.erased[name] = report.erased.get(name, 0) + count


def _push_session(
    local: Database,
    server: Database,
    sitting: Sitting,
    ids: Identities,
    receipts: Receipts,
    report: PushReport,
) -> bool:
    """Send one session; tell whether everything it has was sent."""
    same, known = is_there(local, server, sitting.id)
    if same:
        report.known += 1
        receipts.add(sitting.key)
        return True
    try:
        sent = send_session(local, server, sitting.id, ids)
    except (RowRefused, RightMissing) as error:
        _refuse(sitting, str(error), report)
        return False
    report.readings += sent.readings
    report.chunks += sent.chunks
    if sent.refused:
        _refuse(sitting, f"{sent.refused} readings depend on something refused above", report)
    elif sent.readings or sent.chunks or not known:
        report.sessions += 1
    else:
        report.known += 1  # what is left here belongs to an erased image
    if sent.whole:
        receipts.add(sitting.key)
    return sent.whole


def _not_of_anybody(sitting: Sitting, ids: Identities, report: PushReport) -> bool:
    if sitting.reader_id in ids.lacking:
        _refuse(sitting, "its reader was refused", report)
        return False
    report.barred += 1
    return True


def _refuse(sitting: Sitting, reason: str, report: PushReport) -> None:
    report.refused.append(f"session {short_name(sitting.id)} of {sitting.started_utc}: {reason}")


def _push_changes(
    server: Database, state: State, ids: Identities, rights: Rights, report: PushReport
) -> None:
    sitting = {s.reader_id for s in state.ready}
    readers = {here: there for here, there in ids.readers.items() if here in sitting}
    changes: list[Any] = [*ids.changes, *choice_changes(server, state.choices),
                          *word_changes(server, state.words, ids.images),
                          *fact_changes(server, state.facts, ids.cases, readers)]  # fmt: skip
    if changes:
        done = send(server, changes, owns=rights.owns)
        report.changed, report.left = done.made, done.left
        report.refused += done.refused
