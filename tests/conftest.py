"""What all tests share: no screen, one thread for each heavy library, folders of their own.

`pytest` runs on all cores. One file, or one test of it, runs in the process that was started, so
that `-s` and a debugger work.
"""

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

from migrations.study.database import Database
from tests import PATIENCE_S, ROOT
from tests.stalls import Stalls

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# The tests run on every core already: more threads would only stand in each other's way.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# While a million objects of torch, SciPy and Qt are made, looking for cycles takes as long as they.
gc.disable()

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

_COMPILER = pytest.StashKey[subprocess.Popen[bytes]]()
_NUMBERS = count()
MOST_WORKERS = 8
"""A worker takes about a gigabyte once it has imported torch and Qt."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Say how many processes share the tests; 0 is none but this one."""
    if all(Path(word.partition("::")[0]).is_file() for word in config.args):
        return 0
    cores = _cores()
    return min(cores + cores // 2, MOST_WORKERS)  # a third of the time a test waits


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels while the workers collect, unless this checkout has compiled some."""
    compiled = (ROOT / "trainer" / "similarity" / "measures" / "__pycache__").glob("*.nbi")
    if session.config.getoption("numprocesses", None) and not any(compiled):
        line = [sys.executable, "-m", "tests.compile_kernels"]
        session.config.stash[_COMPILER] = subprocess.Popen(line, cwd=ROOT)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave no process behind."""
    compiler = session.config.stash.get(_COMPILER, None)
    if compiler is not None:
        compiler.wait()


def pytest_collection_finish() -> None:
    """Leave what was imported out of all later looks for cycles."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _configurations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the user's key and mapping files out of what is made once for many tests, too."""
    folder = tmp_path_factory.mktemp("configurations")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEATE_CONFIG_DIR", str(folder / "shared"))
        yield folder


@pytest.fixture(autouse=True)
def config(_configurations: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the key that hashes identifiers: the test's own, not made before it is used."""
    folder = _configurations / str(next(_NUMBERS))
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def _empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = Database.at(tmp_path_factory.mktemp("empty") / "foveate.sqlite")
    database.upgrade()
    database.close()
    assert database.path is not None
    return database.path


@pytest.fixture(autouse=True)
def _new_databases_are_copies(
    request: pytest.FixtureRequest, _empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make the tables of a new file once: Alembic takes a fifth of a second, 300 times a run.

    The tests of the migrations run them.
    """
    if "migrations" in request.path.parts:
        return
    upgrade = Database.upgrade

    def copy_or_upgrade(self: Database, revision: str = "head") -> None:
        if revision == "head" and self.path is not None and not self.path.exists():
            shutil.copyfile(_empty_database, self.path)
        else:
            upgrade(self, revision)

    monkeypatch.setattr(Database, "upgrade", copy_or_upgrade)


class PatientBot(QtBot):
    """Waits as long as a busy machine takes; pytest-qt gives up after five seconds."""

    def waitUntil(self, callback: Any, *, timeout: float = 1000 * PATIENCE_S) -> None:
        """Handle events until the callback returns True or raises nothing."""
        super().waitUntil(callback, timeout=int(timeout))

    def waitSignal(self, signal: Any, *, timeout: float = 1000 * PATIENCE_S, **more: Any) -> Any:
        """Handle events in the block, and then until the signal comes."""
        return super().waitSignal(signal, timeout=int(timeout), **more)

    def waitExposed(self, widget: Any, *, timeout: float = 1000 * PATIENCE_S) -> Any:
        """Handle events until the window is on the screen."""
        return super().waitExposed(widget, timeout=int(timeout))


@pytest.fixture
def qtbot(qapp: Any, request: pytest.FixtureRequest) -> PatientBot:
    """pytest-qt's, with patience."""
    return PatientBot(request)


@pytest.fixture
def stalls() -> Iterator[Stalls]:
    """For a test of how soon something comes: how long the machine makes all wait meanwhile."""
    with Stalls() as measured:
        yield measured
