"""What the role that a server was opened with may do there."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from migrations.study.errors import RightMissing
from migrations.study.processes import as_typed

_UPGRADE = text(
    "SELECT coalesce((SELECT pg_has_role(session_user, relowner, 'MEMBER') FROM pg_class "
    "WHERE oid = to_regclass('alembic_version')), "
    "has_schema_privilege(current_schema(), 'CREATE'))"
)
# `row_security_active`: rules of `db server` bind this role; then it must be a station's or better.
_RIGHTS = text(
    "SELECT array(SELECT format('%s on %s', lower(p), t) "
    "FROM unnest(CAST(:tables AS text[])) t, unnest(ARRAY['SELECT', 'INSERT']) p "
    "WHERE to_regclass(t) IS NULL OR NOT has_table_privilege(to_regclass(t), p)), "
    "has_database_privilege(current_database(), 'TEMPORARY'), "
    "NOT row_security_active('session') OR EXISTS (SELECT FROM pg_roles WHERE rolname = "
    "current_database() || '_stations' AND pg_has_role(session_user, oid, 'MEMBER')), "
    "pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = 'audit'::regclass), "
    "'MEMBER'), session_user::text"
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a role may do beyond adding its own rows.

    Attributes
    ----------
    role
        Its name; empty where there are no roles (a file).
    owns
        Whether it owns the tables: it upgrades them and erases.
    """

    role: str
    owns: bool


def may_upgrade(connection: Connection) -> bool:
    """Tell whether a role may make or change a server's tables."""
    return bool(connection.execute(_UPGRADE).scalar())


def require_rights(connection: Connection, tables: list[str]) -> Rights:
    """Return what a role may do, after a look at all that a push needs.

    Parameters
    ----------
    tables
        What it must be able to read and add to.

    Raises
    ------
    RightMissing
        If it lacks a right; the message names all of them.
    """
    if connection.dialect.name != "postgresql":
        return Rights("", True)
    lacking, temporary, ruled, owns, role = connection.execute(_RIGHTS, {"tables": tables}).one()
    missing = [*lacking, *([] if temporary else ["temporary tables"])]
    if missing or not ruled:
        listed = ", ".join(missing) or "the rules for stations are not for it"
        raise RightMissing(
            as_typed(
                f"The role {role} may not push to this server; it lacks: {listed}. Nothing was "
                "sent. Whoever owns the database gives the rights: python main.py db server "
                f"--station {role} --database URL-OF-THE-OWNER."
            )
        )
    return Rights(role, owns)
