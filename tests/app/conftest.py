"""What the tests of the station share: an offscreen desktop of a known size, a small study."""

import json
import os
import sys
import tempfile
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.images.clearing import clear, to_clear
from app.images.importing.importer import import_paths
from migrations.study.folder import Study
from migrations.study.settings import StudySettings

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
