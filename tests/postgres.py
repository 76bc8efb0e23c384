"""A real PostgreSQL for the tests: a cluster of their own, on loopback, ended by its own id."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from migrations.study.schema import new_id

USER = "foveate"


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


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The URL of a running server, without a database's name."""
    pytest.importorskip("psycopg", reason="extra `postgresql` is not installed")
    binaries, other = _binaries(), _as_other_user()
    # Not under pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="foveate-pg-") as folder:
        if other:
            shutil.chown(folder, "nobody", "nogroup")
        data = f"{folder}/data"
        made = [binaries / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "-N"]
        subprocess.run(
            [*other, *map(str, made), "--locale=C"], check=True, capture_output=True, cwd=folder
        )
        port = _free_port()  # only now, as other workers look for one too
        words = ["-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder]
        settings = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=40"]
        with open(f"{folder}/log", "w") as log:
            server = subprocess.Popen(
                [*other, str(binaries / "postgres"), *words, *settings],
                stdout=log, stderr=log, cwd=folder,
            )  # fmt: skip
        try:
            url = f"postgresql+psycopg://{USER}@127.0.0.1:{port}"
            _wait(server, url, Path(folder) / "log")
            yield url
        finally:
            server.terminate()
            server.wait(20)


def _wait(server: subprocess.Popen, url: str, log: Path) -> None:
    engine = create_engine(f"{url}/postgres")
    try:
        for _ in range(150):
            try:
                engine.connect().close()
                return
            except OperationalError:
                if server.poll() is not None:
                    break
                time.sleep(0.1)
    finally:
        engine.dispose()
    pytest.fail(f"PostgreSQL did not start: {log.read_text()[-500:]}")


@pytest.fixture
def server_url(cluster: str) -> str:
    """The URL of a database that only this test uses."""
    name = "t" + new_id().replace("-", "")
    engine = create_engine(f"{cluster}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{cluster}/{name}"
