"""What all tests share: no screen, one thread for each heavy library, folders of their own.

`pytest` runs on all cores. One file, or one test of it, runs in the process that was started, so
that `-s` and a debugger work.
"""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrations.study.database import Database

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# The tests run on every core already: more threads would only stand in each other's way.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# While a million objects of torch, SciPy and Qt are made, looking for cycles takes as long as they.
gc.disable()

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


def pytest_collection_finish() -> None:
    """Leave what was imported out of all later looks for cycles."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _own_configuration_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's key and mapping files out of what is made once for many tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path_factory.mktemp("configuration")))
        yield


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the key that hashes identifiers: the test's own."""
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


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
