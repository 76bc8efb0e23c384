"""A real PostgreSQL for the tests: a cluster of their own, on loopback, ended by its own id."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from migrations.study.schema import new_id
from tests import PATIENCE_S

USER = "foveate"
HOST_NAME = "db.example"
"""The name in the certificate of the tests' server."""
HBA = f"""local all all trust
host all {USER} 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


def _binaries() -> Path:
    beside = shutil.which("initdb")
    if beside:
        return Path(beside).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL's server is not installed (apt-get install postgresql)")
    return found[-1].parent


def _as_other_user() -> list[str]:
    """Return what runs a command as somebody else: PostgreSQL refuses to run as root."""
    if os.name != "posix" or os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL refuses to run as root, and setpriv is missing")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A server of its own, on loopback; it can be killed and started again.

    Parameters
    ----------
    safe
        Whether it waits for the disk, as a real one does.
    """

    def __init__(self, folder: Path, *, safe: bool = False) -> None:
        self._binaries, self._other, self._folder = _binaries(), _as_other_user(), folder
        if self._other:
            shutil.chown(folder, "nobody", "nogroup")
        self.data, self._log = folder / "data", folder / "log"
        made = [self._binaries / "initdb", "-D", self.data, "-U", USER, "-A", "trust", "-N"]
        subprocess.run(
            [*self._other, *map(str, made), "-E", "UTF8", "--locale=C"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        _write(f"{self.data}/pg_hba.conf", HBA)
        _certificate(self.data)
        self._settings = ["-c", "max_connections=40", "-c", "ssl=on"]
        if not safe:
            self._settings += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        for _ in range(5):  # another worker may take the port between the look and the start
            self.port = _free_port()
            self.url = f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}"
            if self._answers():
                return
        pytest.fail(f"PostgreSQL did not start: {self._log.read_text()[-500:]}")

    def start(self) -> None:
        """Start it again and wait until it answers."""
        assert self._answers(), f"PostgreSQL did not start: {self._log.read_text()[-500:]}"

    def _answers(self) -> bool:
        words = ["-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port)]
        with self._log.open("a") as file:
            self.process = subprocess.Popen(
                [*self._other, str(self._binaries / "postgres"), *words, "-k", str(self._folder),
                 *self._settings],
                stdout=file, stderr=file, cwd=self._folder,
            )  # fmt: skip
        return _answers(self.process, self.url, self.data)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it, by its own id: SIGINT cuts all connections, SIGQUIT is a crash."""
        self.process.send_signal(how)
        self.process.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def running() -> Iterator[Cluster]:
    """The server of this worker's tests."""
    pytest.importorskip("psycopg", reason="extra `postgresql` is not installed")
    # Not under pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="foveate-pg-") as folder:
        server = Cluster(Path(folder))
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def cluster(running: Cluster) -> str:
    """The URL of a running server, without a database's name."""
    return running.url


def _write(path: str, text: str) -> None:
    """Write a file that the server's user may read and the server takes for its own."""
    Path(path).write_text(text)
    if os.name == "posix" and os.geteuid() == 0:
        shutil.chown(path, "nobody", "nogroup")


def _certificate(data: Path) -> None:
    """Give the server a certificate for `HOST_NAME`, signed by itself (`root_certificate`)."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST_NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST_NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    _write(f"{data}/server.crt", made.public_bytes(pem).decode())
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(f"{data}/server.key", private.decode())
    os.chmod(f"{data}/server.key", 0o600)


@pytest.fixture(scope="session")
def root_certificate(cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that signs the server's certificate, as an administrator would hand it out."""
    engine = create_engine(f"{cluster}/postgres")
    with engine.connect() as connection:
        pem = connection.execute(text("SELECT pg_read_file('server.crt')")).scalar_one()
    engine.dispose()
    path = tmp_path_factory.mktemp("tls") / "root.crt"
    path.write_text(pem)
    return path


def _answers(server: subprocess.Popen, url: str, data: Path) -> bool:
    """Wait until it does; False if it ended, or if another one answers at its port."""
    engine = create_engine(f"{url}/postgres")
    until = time.monotonic() + PATIENCE_S
    try:
        while server.poll() is None and time.monotonic() < until:
            try:
                with engine.connect() as connection:
                    return connection.execute(text("SHOW data_directory")).scalar() == str(data)
            except OperationalError:
                time.sleep(0.1)
        return False
    finally:
        engine.dispose()


@pytest.fixture
def server_url(cluster: str) -> str:
    """The URL of a database that only this test uses."""
    name = "t" + new_id().replace("-", "")
    engine = create_engine(f"{cluster}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{cluster}/{name}"
