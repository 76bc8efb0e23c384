"""What the tests of the station share: an offscreen desktop of a known size, a small study."""

import json
import os
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from migrations.settings import StudySettings
from migrations.study import Study

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


@pytest.fixture
def no_leftovers():
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and t.name.startswith("foveate")]
    for thread in left:
        thread.join(5)
    assert not [t.name for t in left if t.is_alive()]


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the key that hashes identifiers: the test's own."""
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def study(tmp_path: Path):
    """A study without cases; files that need another have their own."""
    study = Study.create(tmp_path / "study", StudySettings())
    yield study
    study.close()


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own configuration out of the tests."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "user"))
