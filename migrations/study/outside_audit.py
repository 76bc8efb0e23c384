"""Say in the audit what was done outside the database, e.g. an export."""

import logging
from typing import Any

from migrations.study.audit import add_audit
from migrations.study.database import Database
from migrations.study.errors import DatabaseError

log = logging.getLogger(__name__)


def tell_audit(database: Database, action: str, *values: Any, **named: Any) -> bool:
    """Say what was done; return whether the audit has it. Takes what `audit_row` does.

    A write-protected study has no place for it, and a server takes rows of sessions alone. Where
    the row cannot be written, the log says so: what was done is done.
    """
    if database.read_only or database.path is None:
        return False
    try:
        with database.write() as session:
            add_audit(session, action, *values, **named)
    except DatabaseError as error:
        log.warning("The audit does not say %r: %s", action, error)
        return False
    return True
