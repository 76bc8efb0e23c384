"""One writer thread: the rows of a session are committed in order, and no one waits for it.

A row counts as written once its transaction is committed, not before. If the database cannot be
written (locked, disk full), rows stay in the queue, `problem` says why, and the thread tries again
until it succeeds.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Executable, Insert, Table, Update, insert, update

from app.remarks import Sentence
from migrations.study.database import Database
from migrations.study.errors import DatabaseBusy, DatabaseDamaged, DatabaseError, DiskFull
from migrations.study.schema import Base

log = logging.getLogger(__name__)

_BATCH = 256
_GATHER_S = 0.1
"""How long small rows wait to be committed together with others or with a chunk: a drag makes sixty
views a second, and each commit takes a millisecond of computing time."""
_FIRST_RETRY_S = 0.05
_LAST_RETRY_S = 1.0
_SLOW_COMMIT_S = 2.0
_SLOW = "Saving waits: another program holds the study, or its disk is slow. Nothing is lost."
_TROUBLE = "{trouble} {count} writes wait in memory; nothing is lost."
_TROUBLE_OF_ONE = "{trouble} {count} write waits in memory; nothing is lost."
_KEPT_WAITING = (
    "{database} has kept the recorder waiting for {seconds:.0f} s: another program holds it or the "
    "disk is slow. {count} writes wait in memory; nothing is lost."
)
_KEPT_ONE_WAITING = (
    "{database} has kept the recorder waiting for {seconds:.0f} s: another program holds it or the "
    "disk is slow. {count} write waits in memory; nothing is lost."
)
_REFUSED = "{count} rows were refused by {database}; see the log."
_REFUSED_ONE = "{count} row was refused by {database}; see the log."
_CAUSES: dict[type[DatabaseError], str] = {
    DiskFull: "Saving waits: the disk is full, free some space. Nothing is lost.",
    DatabaseBusy: "Saving waits: another program holds the study, close it. Nothing is lost.",
    DatabaseDamaged: "Saving waits: the database is damaged. Nothing is lost.",
}


@dataclass(frozen=True, slots=True)
class Write:
    """One statement, its rows, and whom to tell (on the writer thread) once it is committed."""

    statement: Executable
    rows: tuple[Mapping[str, Any], ...] = ()
    committed: Callable[[], None] | None = None

    def then(self, committed: Callable[[], None]) -> "Write":
        """Return the same write, telling `committed` when it is done."""
        return replace(self, committed=committed)


def table_of(model: type[Base]) -> Table:
    """Return the table of a model, for statements that bypass the ORM."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def insert_into(model: type[Base], *rows: Mapping[str, Any]) -> Write:
    """Return the write that adds rows to a table."""
    statement: Insert = insert(table_of(model))
    return Write(statement, tuple(rows))


def update_row(model: type[Base], row_id: str, **values: Any) -> Write:
    """Return the write that changes columns of one row."""
    table = table_of(model)
    statement: Update = update(table).where(table.c.id == row_id).values(**values)
    return Write(statement)


class Writer:
    """Commits writes in the order they are queued, in one thread of its own.

    Parameters
    ----------
    database
        Opened anew with ``synchronous=FULL`` if it is not already durable.

    Attributes
    ----------
    database
        The durable database that is written to.
    rejected
        How many writes the database refused permanently: bugs of ours, logged with traceback.
    peak_depth
        The most writes that waited at once since it was last set to 0.
    """

    def __init__(self, database: Database) -> None:
        self._own = not database.durable
        self.database = Database(database.url, durable=True) if self._own else database
        self.rejected = self.peak_depth = 0
        self._queue: deque[Write] = deque()
        self._changed = threading.Condition()
        self._put_count = self._done_count = 0
        self._closing = self._hurry = False
        self._trouble, self._cause = "", _SLOW
        self._waiting_since: float | None = None
        self._retry_s = _FIRST_RETRY_S
        self._commit_s: deque[float] = deque(maxlen=1000)
        self._thread = threading.Thread(target=self._run, name="foveate-writer", daemon=True)

    def start(self) -> None:
        """Start the thread; writes put before are kept until then."""
        self._thread.start()

    def put(self, *writes: Write, now: bool = False) -> None:
        """Queue writes; those of one call stay together. Never waits for a commit.

        Parameters
        ----------
        now
            Whether they, and everything queued before them, are committed without waiting a tenth
            of a second for others.
        """
        with self._changed:
            self._queue.extend(writes)
            self._put_count += len(writes)
            self.peak_depth = max(self.peak_depth, len(self._queue))
            self._hurry |= now
            self._changed.notify_all()

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until everything queued so far is committed; False if that takes too long."""
        with self._changed:
            wanted = self._put_count
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done_count >= wanted, timeout_s)

    def close(self, timeout_s: float = 60.0) -> bool:
        """Commit what is queued and end the thread.

        Returns
        -------
        bool
            False if rows are still queued after `timeout_s`; the thread keeps trying, and `close`
            can be called again.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        if self._own:
            self.database.close()
        return True

    @property
    def depth(self) -> int:
        """How many writes are not committed yet."""
        return len(self._queue)

    @property
    def problem(self) -> str:
        """`said` in English; empty if all rows can be committed."""
        said = self.said
        return "" if said is None else str(said)

    @property
    def said(self) -> Sentence | None:
        """Why rows cannot be committed at present, in words for the user; None if they can."""
        count, waited_s = self.depth, self._waited_s()
        if self._trouble:
            text = _TROUBLE if count != 1 else _TROUBLE_OF_ONE
            return Sentence(text, {"trouble": self._trouble, "count": count})
        if waited_s > _SLOW_COMMIT_S:
            text = _KEPT_WAITING if count != 1 else _KEPT_ONE_WAITING
            values = {"database": self.database.name, "seconds": waited_s, "count": count}
            return Sentence(text, values)
        if self.rejected:
            text = _REFUSED if self.rejected != 1 else _REFUSED_ONE
            return Sentence(text, {"count": self.rejected, "database": self.database.name})
        return None

    def _waited_s(self) -> float:
        since = self._waiting_since
        return 0.0 if since is None else time.perf_counter() - since

    @property
    def brief(self) -> str:
        """`problem` in a few words, for a status line; "" if there is none."""
        if not self.problem:
            return ""
        if self._trouble or self._waiting_since is not None:
            return self._cause
        return "Some rows were refused; see the log."

    def commit_seconds(self) -> tuple[float, ...]:
        """Return how long the last commits took, at most 1,000 of them."""
        return tuple(self._commit_s)

    def _run(self) -> None:
        while batch := self._next_batch():
            done = self._commit(batch)
            self._acknowledge(done)

    def _next_batch(self) -> list[Write]:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            self._changed.wait_for(lambda: self._hurry or self._closing, _GATHER_S)
            self._hurry = False
            return [self._queue[i] for i in range(min(_BATCH, len(self._queue)))]

    def _commit(self, batch: list[Write]) -> int:
        """Return how many of the first writes are done: committed, or permanently refused."""
        self._waiting_since = started = time.perf_counter()
        try:
            self._transact(batch)
        except DatabaseError as error:
            self._back_off(error)
            return 0
        except Exception:
            # One bad row must not hold up those behind it: halve until it is isolated.
            if len(batch) > 1:
                return self._commit(batch[: len(batch) // 2])
            self.rejected += 1
            log.exception("A row was refused by the database and is not stored")
            return 1
        finally:
            self._waiting_since = None
        self._commit_s.append(time.perf_counter() - started)
        self._recover()
        return len(batch)

    def _transact(self, batch: list[Write]) -> None:
        with self.database.write(signed=False) as session:  # the session's end signs
            connection = session.connection()  # the ORM has nothing to add to a finished row
            for write in batch:
                connection.execute(write.statement, list(write.rows) or None)

    def _back_off(self, error: DatabaseError) -> None:
        if not self._trouble:
            log.error("Rows cannot be committed for now: %s", error)
        self._trouble, self._cause = str(error), _CAUSES.get(type(error), _SLOW)
        time.sleep(self._retry_s)
        self._retry_s = min(self._retry_s * 2, _LAST_RETRY_S)

    def _recover(self) -> None:
        if self._trouble:
            log.warning("Rows are committed again; %d waited", self.depth)
        self._trouble, self._cause, self._retry_s = "", _SLOW, _FIRST_RETRY_S

    def _acknowledge(self, count: int) -> None:
        with self._changed:
            done = [self._queue.popleft() for _ in range(count)]
            self._done_count += count
            self._changed.notify_all()
        for write in done:
            if write.committed is not None:
                write.committed()
