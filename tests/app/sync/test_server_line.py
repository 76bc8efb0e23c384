"""The line to a server is verified unless somebody says otherwise, and then it is said."""

import pytest
from sqlalchemy import make_url, text

from migrations.study.database import Database
from migrations.study.errors import ServerUnreachable
from migrations.study.server_line import line_to
from tests.postgres import HOST_NAME


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    for name in ("PGSSLMODE", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))


def _line(rest: str):
    return line_to(make_url(f"postgresql+psycopg://{rest}"))


def test_a_server_elsewhere_is_verified_where_nothing_was_said(tmp_path) -> None:
    assert _line("u@db.example/x").settings == {"sslmode": "verify-full", "sslrootcert": "system"}
    named = _line("u@db.example/x?sslrootcert=/r.crt")
    assert (named.settings, named.warning) == ({"sslmode": "verify-full"}, "")
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").write_text("")
    assert "sslrootcert" not in _line("u@10.0.0.1/x").settings or tmp_path.drive


@pytest.mark.parametrize(
    "rest", ["u@127.0.0.1/x", "u@localhost/x", "u@[::1]/x", "/x?host=/var/run/postgresql", "/x"]
)
def test_what_never_leaves_the_computer_needs_no_certificate(rest: str) -> None:
    assert (_line(rest).settings, _line(rest).warning) == ({}, "")


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_less_than_that_is_used_when_asked_for_and_said(mode: str, monkeypatch) -> None:
    line = _line(f"u@db.example/x?sslmode={mode}")
    assert dict(line.settings) == {}
    assert mode in line.warning
    monkeypatch.setenv("PGSSLMODE", mode)
    assert mode in _line("u@db.example/x").warning


def test_a_service_file_is_read_like_a_url(tmp_path) -> None:
    (tmp_path / "services").write_text("[far]\nhost=db.example\n[near]\nhost=localhost\n")
    assert _line("/x?service=far").settings["sslmode"] == "verify-full"
    assert _line("/x?service=near").settings == {}


def _url(server_url: str, name: str, options: str) -> str:
    return server_url.replace("@127.0.0.1:", f"@{name}:") + f"?hostaddr=127.0.0.1{options}"


def test_a_certificate_is_verified_by_a_real_server(
    server_url: str, root_certificate, caplog
) -> None:
    trusted = f"&sslrootcert={root_certificate}"
    good = Database(_url(server_url, HOST_NAME, trusted))
    with good.read() as session:
        assert session.scalar(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
    good.close()
    assert caplog.text == ""
    for name, options in ((HOST_NAME, ""), ("other.example", trusted)):
        bad = Database(_url(server_url, name, options))
        with pytest.raises(ServerUnreachable, match="sslrootcert=FILE"):
            bad.revision()
        bad.close()
    said = Database(_url(server_url, HOST_NAME, "&sslmode=require"))
    assert said.revision() is None
    said.close()
    assert "sslmode=require" in caplog.text
