"""What all tests share: no screen, one thread for each heavy library, folders of their own.

`pytest` runs on all cores. One file, or one test of it, runs in the process that was started, so
that `-s` and a debugger work.
"""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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
