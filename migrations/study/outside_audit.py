"""Record in the audit what was done outside the database, e.g. an export."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from migrations.study.audit import add_audit
from migrations.study.database import Database
from migrations.study.errors import DatabaseError
from migrations.study.folder import Study, is_writable

log = logging.getLogger(__name__)


def tell_audit(study: Study, action: str, *values: Any, **named: Any) -> str:
    """Record what was done; return why the audit could not record it, "" if it did.

    Takes what `audit_row` does. If the study's rows are on a server, the server's audit records it
    where the role may add to it, otherwise that of the study's own folder. A write-protected study
    cannot record it. Since it has already happened, nothing is raised; the caller reports it.
    """
    reason = "the study is write-protected"
    for place in (_read, _own):
        try:
            with place(study) as database:
                if database is None or database.read_only:
                    continue
                with database.write() as session:
                    add_audit(session, action, *values, **named)
                return ""
        except DatabaseError as error:
            reason = str(error)
    log.warning("The audit could not record %r: %s", action, reason)
    return f"The audit could not record {action!r}: {reason.rstrip('.')}."


@contextmanager
def _read(study: Study) -> Iterator[Database | None]:
    """Give the database that the study reads."""
    yield study.database


@contextmanager
def _own(study: Study) -> Iterator[Database | None]:
    """Give the database in the study's folder, where another one is read."""
    path = study.folder / "foveate.sqlite"
    if not study.reads_server or not path.is_file() or not is_writable(study.folder):
        yield None
        return
    database = Database.at(path)
    try:
        yield database if database.revision() == database.newest() else None
    finally:
        database.close()
