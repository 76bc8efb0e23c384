"""The audit says what left a server and who upgraded it: the server's, or that of the folder."""

import pytest
from sqlalchemy import select

from main import main
from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.schema import Audit
from migrations.study.sync.push import push
from tests.app.interchange.readings import add_readings
from tests.app.sync.stations import new_role, url_as


def _told(database: Database, action: str) -> list[dict]:
    with database.read() as rows:
        return list(rows.scalars(select(Audit.details).where(Audit.action == action)))


@pytest.mark.parametrize(
    ("kind", "keeps"), [("station", "folder"), ("researcher", "server")], ids=str
)
def test_an_export_from_a_server_is_in_the_audit_that_the_role_may_add_to(
    study: Study, server: Database, server_url: str, tmp_path, capsys, kind: str, keeps: str
) -> None:
    add_readings(study, ("R-01",))
    push(study.database, server)
    url = url_as(server_url, *new_role(server_url, capsys, kind=kind))
    out = str(tmp_path / "out")
    words = ["export", "csv", "--study", str(study.folder), "--database", url, "--out", out]
    assert main(words) == 0
    assert "audit" not in capsys.readouterr().err
    told = {"folder": _told(study.database, "exported"), "server": _told(server, "exported")}
    (details,) = told.pop(keeps)
    assert list(told.values()) == [[]]
    assert (details["format"], details["out"]) == ("csv", "out")
    assert "127.0.0.1" in details["server"]


def test_a_servers_upgrade_is_in_its_audit(server: Database) -> None:
    newest = server.revision()
    assert _told(server, "schema upgraded") == []
    server.downgrade("0005")
    server.upgrade()
    (details,) = _told(server, "schema upgraded")
    assert (details["from"], details["to"]) == ("0005", newest)
