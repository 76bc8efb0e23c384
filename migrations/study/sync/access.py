"""The SQL that gives each station its own role on a server, with no more rights than needed.

A station adds its own rows and reads everything; it changes and deletes nothing. Rows of a session,
a reading or a case can be added only by the station that sent it. Researchers may also edit rows,
store computed results and set splits. The owner is not restricted: it upgrades tables and erases.
All of this can be run again at any time, and is, after an upgrade that adds tables.
"""

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass

_OWN = "pushed_by = session_user::text"
_OF_SESSION = (
    "EXISTS (SELECT FROM session s WHERE s.id = session_id AND s.pushed_by = session_user)"
)
_OF_RECORDING = (
    "EXISTS (SELECT FROM recording r JOIN session s ON s.id = r.session_id "
    "WHERE r.id = recording_id AND s.pushed_by = session_user)"
)
_OF_READING = (
    "EXISTS (SELECT FROM reading r JOIN session s ON s.id = r.session_id "
    "WHERE r.id = reading_id AND s.pushed_by = session_user)"
)
_OF_CASE = "EXISTS (SELECT FROM study_case c WHERE c.id = case_id AND c.pushed_by = session_user)"
ERASURE_WANTED = "erasure wanted"
"""Action of the audit row by which a station asks the owner to erase; it cannot add any other."""

ADDED = {
    "reader": "true",
    "image": _OWN,
    "study_case": _OWN,
    "case_image": _OF_CASE,
    "session": _OWN,
    "calibration": _OF_SESSION,
    "recording": _OF_SESSION,
    "gaze_chunk": _OF_RECORDING,
    "reading": _OF_SESSION,
    "view_event": _OF_READING,
    "fixation": _OF_READING,
    "gaze_event": _OF_READING,
    "annotation": _OF_READING,
    "answer": _OF_READING,
    "question": "true",
    "arm": "true",
    "edit": "true",  # its trigger checks whose row it changes
    "receipt": "station = session_user::text",
    "seal_head": "station = session_user::text",
    "audit": f"action = '{ERASURE_WANTED}' AND station = session_user::text",
}
"""The tables to which a station may add rows, and which rows."""
_COMPUTED = ("similarity_run", "neighbour", "training_run")
_ITERATIONS = 4096


@dataclass(frozen=True, slots=True)
class Role:
    """A role to create or to give a new password.

    Attributes
    ----------
    researcher
        Whether it may also edit the rows of all stations.
    """

    name: str
    password: str
    researcher: bool = False


def new_password() -> str:
    """Return a password of 192 random bits."""
    return secrets.token_urlsafe(24)


def statements(database: str, tables: list[str], roles: list[Role]) -> list[str]:
    """Return the SQL, in order; it contains passwords only as verifiers.

    Parameters
    ----------
    database
        Its name on the server.
    tables
        All tables of the database.
    """
    stations, researchers = f"{database}_stations", f"{database}_researchers"
    found = [_group(stations), _group(researchers)]
    found.append(f"GRANT {_name(stations)} TO {_name(researchers)}")
    found += [
        f"GRANT CONNECT, TEMPORARY ON DATABASE {_name(database)} TO {_name(stations)}",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {_name(stations)}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {_name(stations)}",
    ]
    for table in tables:
        found += _rules(table, _name(stations), _name(researchers))
    for role in roles:
        found += _login(role, researchers if role.researcher else stations)
    return found


def _group(name: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_text(name)}) "
        f"THEN CREATE ROLE {_name(name)} NOLOGIN; END IF; END $$"
    )


def _rules(table: str, stations: str, researchers: str) -> list[str]:
    """Return who may do what with a table's rows."""
    named = _name(table)
    found = [
        f"ALTER TABLE {named} ENABLE ROW LEVEL SECURITY",
        f"REVOKE ALL ON {named} FROM PUBLIC",
        *_policy(table, "read", f"FOR SELECT TO {stations} USING (true)"),
    ]
    if table in ADDED:
        found.append(f"GRANT INSERT ON {named} TO {stations}")
        found += _policy(table, "add", f"FOR INSERT TO {stations} WITH CHECK ({ADDED[table]})")
    if table in _COMPUTED:
        found.append(f"GRANT INSERT, UPDATE, DELETE ON {named} TO {researchers}")
        found += _policy(table, "compute", f"TO {researchers} USING (true) WITH CHECK (true)")
    if table == "image":
        found.append(f"GRANT UPDATE (split) ON {named} TO {researchers}")
        found += _policy(table, "split", f"FOR UPDATE TO {researchers} USING (true)")
    if table == "audit":
        said = "FOR INSERT TO {} WITH CHECK (action NOT IN ('erased', 'erasure wanted'))"
        found += _policy(table, "note", said.format(researchers))
    return found


def _policy(table: str, name: str, rule: str) -> list[str]:
    named = f"foveate_{name} ON {_name(table)}"
    return [f"DROP POLICY IF EXISTS {named}", f"CREATE POLICY {named} {rule}"]


def _login(role: Role, group: str) -> list[str]:
    verifier = _text(scram_verifier(role.password))
    return [
        f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = {_text(role.name)}) "
        f"THEN ALTER ROLE {_name(role.name)} LOGIN PASSWORD {verifier}; "
        f"ELSE CREATE ROLE {_name(role.name)} LOGIN PASSWORD {verifier}; END IF; END $$",
        f"GRANT {_name(group)} TO {_name(role.name)}",
    ]


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """Return what PostgreSQL stores for a password (RFC 5803), so it never sees the password."""
    salt = os.urandom(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = _base64(hashlib.sha256(client).digest())
    server = _base64(hmac.digest(salted, b"Server Key", "sha256"))
    return f"SCRAM-SHA-256${_ITERATIONS}:{_base64(salt)}${stored}:{server}"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
