"""Roles of stations on the tests' server."""

import re

from main import main
from migrations.study.database import Database
from migrations.study.schema import new_id

SAID = re.compile(r"(Station|Researcher) (\S+), password (\S+) ")


def url_as(server_url: str, role: str, password: str, options: str = "") -> str:
    """Return the URL of the tests' server for a role."""
    return server_url.replace("://foveate@", f"://{role}:{password}@") + options


def new_role(server_url: str, capsys, *words: str, kind: str = "station") -> tuple[str, str]:
    """Make a role by the command that people use; return its name and password."""
    name = "role" + new_id().replace("-", "")[-12:]
    assert main(["db", "server", "--database", server_url, f"--{kind}", name, *words]) == 0
    found = {role: password for _, role, password in SAID.findall(capsys.readouterr().out)}
    return name, found[name]


def opened_as(server_url: str, capsys, *words: str, kind: str = "station") -> Database:
    """Return the server as a new role sees it."""
    return Database(url_as(server_url, *new_role(server_url, capsys, *words, kind=kind)))
