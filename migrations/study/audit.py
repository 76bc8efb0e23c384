"""What the audit records, written in one place: who did what, where, to what and why.

A reader is recorded by pseudonym. A researcher has none, so whoever uses this computer is recorded
as `user-` and eight letters, which the key in the user's own configuration derives from the login
and which are the same each time. The login itself, often a real name, is stored nowhere.
"""

import getpass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session as OrmSession

from migrations.study.schema import Audit, new_id, utc_now
from migrations.study.this_computer import computer, config_folder, mark

WHOLE_STUDY = "study"
"""The subject of an action that concerns no particular row."""
_LETTERS = 8


def audit_row(
    action: str,
    subject: str = WHOLE_STUDY,
    details: dict[str, Any] | None = None,
    *,
    person: str | None = None,
    reason: str | None = None,
    station: str | None = None,
    row_id: str | None = None,
) -> dict[str, Any]:
    """Return the columns of an audit row, dated now.

    Parameters
    ----------
    action
        What was done, in the past tense: "image cleared".
    subject
        Id of the row it was done to.
    person
        Pseudonym, code or initials of who did it; None: whoever uses this computer. Never a name.
    station
        None: this computer.
    row_id
        Its id, where it shares that of an edit; None: a new one.
    """
    return {
        "id": row_id or new_id(),
        "time_utc": utc_now(),
        "station": computer() if station is None else station,
        "action": action,
        "subject": subject,
        "details": details or {},
        "person": this_user() if person is None else person or None,
        "reason": (reason or "").strip() or None,
    }


def add_audit(session: OrmSession, action: str, *values: Any, **named: Any) -> None:
    """Add a row to the audit in the same transaction as the change; takes what `audit_row` does."""
    session.add(Audit(**audit_row(action, *values, **named)))


def this_user() -> str | None:
    """Return the code for whoever uses this computer; None where it cannot be determined."""
    try:
        return _called(config_folder(), getpass.getuser())
    except (OSError, KeyError, ImportError):  # no login, or a configuration that cannot be written
        return None


@cache
def _called(_configuration: Path, login: str) -> str:
    return f"user-{mark('person', login)[:_LETTERS]}"
