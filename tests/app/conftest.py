"""What the tests of the station share: an offscreen desktop of a known size, a small study."""

import json
import multiprocessing
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing.context import BaseContext
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.images.clearing import clear, to_clear
from app.images.decoding import decode
from app.images.importing.importer import import_paths
from migrations.study.folder import Study
from migrations.study.settings import StudySettings
from tests import PATIENCE_S

_SCREEN = {
    "name": "test",
    "x": 0,
    "y": 0,
    "width": 1280,
    "height": 800,
    "logicalDpi": 96,
    "logicalBaseDpi": 96,
    "dpr": 1,
}


def _describe_screen() -> None:
    # Qt's offscreen desktop is 800 × 800 unless a file says otherwise.
    file = Path(tempfile.gettempdir()) / f"foveate-test-screen-{os.getpid()}.json"
    file.write_text(json.dumps({"screens": [_SCREEN]}), encoding="utf-8")
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={file.as_posix()}"


if os.environ.get("QT_QPA_PLATFORM") == "offscreen" and sys.platform != "win32":
    _describe_screen()


_SPAWNING = ("test_crash_log.py", "test_import_hostile.py", "test_receive.py")
"""Their decoders start as the station's do."""


class ForkedDecoders:
    """Stands in for `multiprocessing`: a decoder is a fork of one process with its imports done.

    A spawned one imports for half a second of the processor, and the tests start hundreds.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._context: BaseContext | None = None

    def get_context(self, _kind: str) -> BaseContext:
        """Return what forks; the process that is forked starts at the first call."""
        if self._context is None:
            from multiprocessing import forkserver  # not on Windows

            self._context = multiprocessing.get_context("forkserver")
            self._context.set_forkserver_preload(["app.images.decoding.decode_file"])
            with pytest.MonkeyPatch.context() as patch:  # which it keeps
                _keep_out(self._home, patch)
                forkserver.ensure_running()
        return self._context


@pytest.fixture(scope="session", autouse=True)
def _forked_decoders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if sys.platform != "win32":
            forked = ForkedDecoders(tmp_path_factory.mktemp("decoders"))
            patch.setattr(decode, "multiprocessing", forked)
        yield


@pytest.fixture(scope="module", autouse=True)
def _spawned_decoders(request: pytest.FixtureRequest, _forked_decoders: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.path.name in _SPAWNING:
            patch.setattr(decode, "multiprocessing", multiprocessing)
        yield


@pytest.fixture
def no_leftovers():
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and t.name.startswith("foveate")]
    for thread in left:
        thread.join(PATIENCE_S)
    assert not [t.name for t in left if t.is_alive()]


@pytest.fixture
def study(tmp_path: Path):
    """A study without cases; files that need another have their own."""
    study = Study.create(tmp_path / "study", StudySettings())
    yield study
    study.close()


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own configuration out of the tests."""
    _keep_out(tmp_path / "user", monkeypatch)


def _keep_out(home: Path, patch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA", "HOME"):
        patch.setenv(name, str(home))


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three real imports, made once: each import starts a process."""
    folder = tmp_path_factory.mktemp("three-pictures")
    settings = StudySettings(name="Trial", classes=("normal", "mass"), order="fixed")
    study = Study.create(folder / "study", settings)
    ramp = np.linspace(2000, 40000, 300 * 240).reshape(300, 240)
    for i in range(3):
        cv2.imwrite(str(folder / f"picture-{i}.png"), np.roll(ramp, 20 * i).astype(np.uint16))
    import_paths(study, sorted(folder.glob("*.png")))
    clear(study, [image.image_id for image in to_clear(study)], "test")
    study.close()
    return study.folder
