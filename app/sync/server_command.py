"""`python main.py db server …`: update a server's tables, and give each station its role."""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Sequence

from sqlalchemy import text

from app.sync import URL_VARIABLE
from app.sync.command import server_of
from migrations.study.command_line import CommandParser
from migrations.study.database import Database
from migrations.study.errors import StudyError
from migrations.study.schema import Base
from migrations.study.sync.access import Role, new_password, statements
from migrations.study.sync.requests import carry_out, waiting

_ADOPT = text(
    "UPDATE session SET pushed_by = :role WHERE station = :computer AND (pushed_by IS NULL OR "
    "pushed_by = session_user)"
)


def main(argv: Sequence[str]) -> int:
    """Set up a server; 0 done, 1 it failed."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.was and len(arguments.station) != 1:
        parser.error("--was needs exactly one --station.")
    try:
        with contextlib.closing(server_of(arguments.database)) as server:
            return _set_up(server, arguments)
    except StudyError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _set_up(server: Database, arguments: argparse.Namespace) -> int:
    roles = [Role(name, new_password()) for name in arguments.station]
    roles += [Role(name, new_password(), researcher=True) for name in arguments.researcher]
    sql = statements(str(server.engine.url.database), _tables(), roles)
    if arguments.print:
        sys.stdout.write("".join(f"{line};\n" for line in sql))
        _say_passwords(roles, sys.stderr.write)
        return 0
    with server.write() as session:
        for line in sql:
            session.connection().exec_driver_sql(line)
        for computer in arguments.was:
            session.execute(_ADOPT, {"role": roles[0].name, "computer": computer})
    sys.stdout.write(
        f"{server.name} has schema {server.revision()} and the access rules for stations.\n"
    )
    _say_passwords(roles, sys.stdout.write)
    _erasures(server, arguments.erase)
    return 0


def _tables() -> list[str]:
    return [*(table.name for table in Base.metadata.sorted_tables), "alembic_version"]


def _say_passwords(roles: Sequence[Role], write: Callable[[str], object]) -> None:
    for role in roles:
        kind = "Researcher" if role.researcher else "Station"
        write(f"{kind} {role.name}, password {role.password} (shown only now)\n")


def _erasures(server: Database, erase: bool) -> None:
    asked = waiting(server)
    for request in asked:
        told = f"{request.station} asked on {request.time_utc} to erase a {request.details['kind']}"
        if not erase:
            sys.stdout.write(f"{told}. Use --erase to carry this out.\n")
            continue
        rows = carry_out(server, request).rows
        sys.stdout.write(f"{told}: {json.dumps(rows)} rows erased.\n")


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py db",
        description="Set up the roles of a laboratory's server.",
        example="python main.py db server --database URL --station station-1",
    )
    parser.add_argument("action", choices=["server"], help="the study whose server is set up")
    parser.add_argument(
        "--database",
        metavar="URL",
        help=f"URL of the server, as its owner (default: {URL_VARIABLE})",
    )
    parser.add_argument(
        "--station", action="append", default=[], metavar="ROLE",
        help="create a role that adds its own rows, reads everything and changes nothing, or "
             "give it a new password",
    )  # fmt: skip
    parser.add_argument(
        "--researcher", action="append", default=[], metavar="ROLE",
        help="create a role that may also include and exclude readings and store computed results",
    )  # fmt: skip
    parser.add_argument(
        "--was", action="append", default=[], metavar="COMPUTER",
        help="assign to the station everything this computer sent before the station had its own "
             "role",
    )  # fmt: skip
    parser.add_argument(
        "--erase", action="store_true", help="carry out the erasures that stations requested"
    )
    parser.add_argument(
        "--print", action="store_true", help="print the SQL for a superuser; create no role"
    )
    return parser
