"""What a PostgreSQL server answered, in our own words: its words may quote people's values."""

from typing import Any

from migrations.study.errors import (
    DatabaseError,
    DiskFull,
    RightMissing,
    RowRefused,
    ServerUnreachable,
)
from migrations.study.processes import as_typed

_REFUSED = {
    "22003": "a number is too large for its column",
    "22021": "a text contains a character that the server cannot store",
    "22P05": "a text contains a character that the server cannot store",
    "22P02": "a value does not fit the type of its column (for example NaN within JSON)",
    "23502": "a value is missing",
    "23503": "it refers to a row that does not exist",
    "23505": "another row has the same unique value",
    "23514": "it breaks a rule of the table",
}
_LOGIN = {
    "28P01": "the server refuses the password",
    "28000": "the server does not let this role in",
    "3D000": "the server has no such database",
    "53300": "the server has too many connections at the moment",
    "57P03": "the server is starting or shutting down",
}


def is_of_server(error: BaseException) -> bool:
    """Tell whether an error comes from the server's driver."""
    return type(error).__module__.partition(".")[0] == "psycopg"


def explain_server(error: Any, name: str) -> DatabaseError:
    """Return our error for one of psycopg's; it contains no value of a row.

    Parameters
    ----------
    error
        As the driver raised it.
    name
        Name of the server, without its password.
    """
    state = getattr(error, "sqlstate", None) or ""
    if state == "42501":
        return RightMissing(
            as_typed(
                f"{name}: this role may not do that{_where(error)}. The owner of the database "
                "can grant rights with `python main.py db server`; see docs/multi-station.md."
            )
        )
    if state[:2] in ("22", "23") or (not state and type(error).__name__ == "DataError"):
        why = _REFUSED.get(state, "a text contains a NUL" if not state else f"SQLSTATE {state}")
        return RowRefused(f"the server refuses a row{_where(error)}: {why}")
    if state[:2] in ("53", "58") and state != "53300":
        return DiskFull(f"{name}: the server is short of disk space or memory (SQLSTATE {state}).")
    if state in _LOGIN:
        return ServerUnreachable(f"{name} cannot be opened: {_LOGIN[state]}.{_login_advice(state)}")
    if not state or state[:2] in ("08", "57"):
        return ServerUnreachable(f"{name} cannot be reached: {_unreachable(error)}")
    if state == "P0001":  # raised by a trigger of ours, whose words hold no values
        return DatabaseError(f"{name}: {error.diag.message_primary}.")
    return DatabaseError(f"{name}: the server answered with SQLSTATE {state}{_where(error)}.")


def _where(error: Any) -> str:
    """Return the table and rule, as far as the server named them: names of ours, never values."""
    diagnosis = getattr(error, "diag", None)
    table = getattr(diagnosis, "table_name", None)
    rule = getattr(diagnosis, "constraint_name", None) or getattr(diagnosis, "column_name", None)
    return (f" of table {table}" if table else "") + (f" ({rule})" if rule else "")


def _login_advice(state: str) -> str:
    if state in ("28P01", "28000"):
        return " Check the role and its password in the URL, FOVEATE_DATABASE_URL or ~/.pgpass."
    return ""


def _unreachable(error: Any) -> str:
    """Return why there is no connection; libpq's words about it name hosts and roles, no rows."""
    said = " ".join(str(error).split())
    if "no password supplied" in said or "password authentication failed" in said:
        return f"{_LOGIN['28P01']}.{_login_advice('28P01')}"
    if "certificate" in said.lower() or "SSL" in said:
        return (
            f"{said}. The server's certificate must be valid for the name in the URL. Name the "
            "file that signed it with sslrootcert=FILE; see docs/multi-station.md."
        )
    return said
