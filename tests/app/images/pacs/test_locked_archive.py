"""An archive behind TLS and a login: trusted by its authority alone, no password anywhere."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keyring
import keyring.backend
import pytest
from pydicom.data import get_testdata_file

from app.hanging.import_command import main
from app.images.pacs import credentials
from migrations.study.folder import Study
from migrations.study.schema import Image
from tests.app.images.pacs.orthanc import MISSING, REASON, orthanc
from tests.app.images.pacs.tls_front import signed_certificate, tls_front
from tests.app.images.test_no_identifiers import found

USER, PASSWORD = "anna.quill", "swordfish-4711"
VARIABLES = (credentials.USER, credentials.PASSWORD, credentials.TOKEN)


class Remembered(keyring.backend.KeyringBackend):
    """A keyring in memory, as a desktop has one."""

    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def own_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remembered]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    before, own = keyring.get_keyring(), Remembered()
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.mark.skipif(MISSING, reason=REASON)
@pytest.mark.filterwarnings("ignore")
def test_a_real_archive_behind_tls_and_a_login_is_trusted_by_its_authority_and_entered_by_password(
    study: Study,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    own_keyring: Remembered,
) -> None:
    authority, certificate = signed_certificate(tmp_path)
    said = ""

    def asked(*more: str) -> tuple[int, str]:
        nonlocal said
        url = f"https://127.0.0.1:{port}/dicom-web"
        words = ["--study", str(study.folder), "--dicomweb", url, "--query", "PatientID=1CT1"]
        code = main([*words, *more])
        told = capsys.readouterr()
        said += told.out + told.err
        return code, told.err

    with (
        orthanc(tmp_path, login=(USER, PASSWORD)) as archive,
        tls_front(archive.port, certificate) as port,
    ):
        assert archive.store(Path(str(get_testdata_file("CT_small.dcm"))).read_bytes())
        code, why = asked("--user", USER)
        assert (code, "certificate of 127.0.0.1 cannot be trusted" in why) == (1, True)
        trusted = ("--authority", str(authority))
        code, why = asked(*trusted)
        assert (code, "HTTP 401). It requires a user." in why) == (1, True)
        monkeypatch.setenv(credentials.PASSWORD, "wrong-7")
        code, why = asked(*trusted, "--user", USER)
        assert (code, "HTTP 401). The user or password is wrong." in why) == (1, True)
        with study.database.read() as session:
            assert session.query(Image).count() == 0
        monkeypatch.delenv(credentials.PASSWORD)
        own_keyring.set_password(credentials.SERVICE, f"{USER}@127.0.0.1", PASSWORD)
        assert asked(*trusted, "--user", USER)[0] == 0
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))  # the system's way, without an option
        own_keyring.kept.clear()
        monkeypatch.setenv(credentials.USER, USER)
        monkeypatch.setenv(credentials.PASSWORD, PASSWORD)
        assert asked()[0] == 0
    with study.database.read() as session:
        assert session.query(Image).count() == 1
    files = [path for path in study.folder.rglob("*") if path.is_file()]
    assert found([PASSWORD, USER], files) == []
    assert PASSWORD not in said
    assert "wrong-7" not in said


@contextmanager
def _token_server(token: str) -> Iterator[tuple[str, list[str | None]]]:
    """Stand in for an archive behind a token: it has nothing, and notes what it was told."""
    told: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(self.headers["Authorization"])
            is_let_in = told[-1] == f"Bearer {token}"
            self.send_response(200 if is_let_in else 401)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_token_goes_before_a_password_and_a_wrong_one_is_told_without_it(
    study: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(credentials.PASSWORD, PASSWORD)
    with _token_server("right-token") as (url, told):
        words = ["--study", str(study.folder), "--dicomweb", url, "--query", "PatientID=1"]
        for token, why in (("wrong-token", "It does not accept the token."),
                           ("right-token", "no images that match")):  # fmt: skip
            monkeypatch.setenv(credentials.TOKEN, token)
            assert main([*words, "--user", USER]) == 1
            error = capsys.readouterr().err
            assert why in error
            assert token not in error
    assert set(told) == {"Bearer wrong-token", "Bearer right-token"}


def test_a_password_is_looked_for_in_the_environment_then_the_keyring_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, own_keyring: Remembered
) -> None:
    own_keyring.set_password(credentials.SERVICE, f"{USER}@pacs", "of the keyring")
    found_one = credentials.credentials_for("pacs", USER)
    assert found_one.password == "of the keyring"
    assert "of the keyring" not in repr(found_one)
    assert credentials.credentials_for("other", USER).password == ""
    monkeypatch.setenv(credentials.PASSWORD, "of the environment")
    assert credentials.credentials_for("pacs", USER).password == "of the environment"
    assert credentials.credentials_for("pacs").header == {}
