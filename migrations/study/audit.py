"""What the audit says, written in one place: who did what, where, to what and why.

A reader stands there by pseudonym. A researcher has none: whoever uses this computer stands there
as `user-` and eight letters that the key in the user's own configuration makes of the login, the
same each time; the login itself, which often is a name, is kept nowhere.
"""

import getpass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session as OrmSession

from migrations.study.schema import Audit, new_id, utc_now
from migrations.study.this_computer import computer, config_folder, mark

WHOLE_STUDY = "study"
"""The subject of what was done to no row in particular."""
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
    """Return the columns of a row of the audit, of now.

    Parameters
    ----------
    action
        What was done, in words of the past: "image cleared".
    subject
        Id of what it was done to.
    person
        Pseudonym, code or initials of who did it; None: whoever uses this computer. Never a name.
    station
        None: this computer.
    row_id
        Its id, where it is that of an edit, too; None: a new one.
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
    """Add a row to the audit, in the transaction of what it tells; takes what `audit_row` does."""
    session.add(Audit(**audit_row(action, *values, **named)))


def this_user() -> str | None:
    """Return what stands for whoever uses this computer; None where that cannot be told."""
    try:
        return _called(config_folder(), getpass.getuser())
    except (OSError, KeyError, ImportError):  # no login, or a configuration that cannot be written
        return None


@cache
def _called(_configuration: Path, login: str) -> str:
    return f"user-{mark('person', login)[:_LETTERS]}"
