"""What is installed without a checkout: the wheel holds all, and its command works."""

import sys
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

import foveate
from tests import ROOT
from tests.built import Environment, built, copy_of_the_tree, files_of_the_tree

pytestmark = pytest.mark.slow

ROOMS = ("app/", "devices/", "migrations/", "trainer/")
OPENS = """
import sys
from PySide6.QtCore import QTimer
import app.command as command
first = command.first_window
def closing():
    window = first()
    QTimer.singleShot(0, lambda: (print(window.windowTitle()), window.close()))
    return window
command.first_window = closing
sys.exit(command.main(["--study", sys.argv[1]]))
"""


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    return built("sdist", copy_of_the_tree(folder / "source"), folder)


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    with tarfile.open(sdist) as file:
        file.extractall(sdist.parent / "unpacked")  # our own; "filter" came with 3.11.4
    (source,) = (sdist.parent / "unpacked").iterdir()
    return built("wheel", source, sdist.parent)


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Environment:
    return Environment.made(wheel.parent / "environment", wheel)


@pytest.fixture(scope="module")
def study(installed: Environment) -> Path:
    picture = installed.folder / "picture.png"
    cv2.imwrite(str(picture), np.arange(64 * 48, dtype=np.uint8).reshape(48, 64))
    folder = installed.folder / "study"
    done = installed.run("foveate", "import", "--study", str(folder), str(picture))
    assert done.returncode == 0, done.stderr
    assert "1 accepted" in done.stdout
    return folder


def test_the_wheel_holds_every_file_of_the_rooms_and_no_test(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        packed = set(file.namelist())
    tree = {name for name in files_of_the_tree() if name.startswith(ROOMS)}
    assert tree - packed == set()
    extra = {n for n in packed - tree if ".dist-info/" not in n and ".data/data/share/doc" not in n}
    assert extra == {"main.py", "foveate.py", "migrations/study/build.txt"}
    guides = {n.rpartition("/doc/foveate/")[2] for n in packed if "/doc/foveate/" in n}
    assert {p.name for p in ROOT.glob("docs/*.md")} <= guides


def test_the_sdist_holds_what_the_wheel_is_built_of_and_no_test(sdist: Path) -> None:
    with tarfile.open(sdist) as file:
        names = {n.partition("/")[2] for n in file.getnames()}
    wanted = {n for n in files_of_the_tree() if n.startswith((*ROOMS, "docs/", "examples/"))}
    assert wanted - names == set()
    assert not {n for n in names if n.startswith(("tests/", "bench/", ".ci/"))}


def test_the_installed_command_tells_its_version_and_that_nobody_knew_the_commit(
    installed: Environment,
) -> None:
    done = installed.run("foveate", "--version")
    assert done.returncode == 0, done.stderr
    assert ", build unknown, " in done.stdout  # no git lay beside the tree it was built from


def test_the_installed_command_calls_itself_foveate(installed: Environment) -> None:
    done = installed.run("foveate", "train", "--help")
    assert done.stdout.startswith("usage: foveate train ")
    assert "python main.py" not in installed.run("foveate", "--help").stdout + done.stdout


def test_a_refusal_of_the_installed_command_says_what_to_type_there(
    installed: Environment, tmp_path: Path
) -> None:
    (tmp_path / "study.toml").write_text("")
    done = installed.run("foveate", "read", "--autopilot", "--study", str(tmp_path))
    assert done.returncode == 1
    assert f"Import some with foveate import --study {tmp_path} FILES" in done.stdout + done.stderr


def test_what_is_installed_imports_a_picture_and_opens_it_in_the_station(
    installed: Environment, study: Path
) -> None:
    done = installed.run("python", "-c", OPENS, str(study))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Foveate" in done.stdout


def test_a_child_process_starts_the_installed_program(installed: Environment, study: Path) -> None:
    code = "import subprocess, sys; from migrations.study.processes import MAIN; "
    code += "sys.exit(subprocess.run([sys.executable, str(MAIN), *sys.argv[1:]]).returncode)"
    done = installed.run("python", "-c", code, "queue", "--study", str(study))
    assert (done.returncode, done.stderr) == (0, "")


def test_without_torch_a_training_says_what_is_missing(installed: Environment, study: Path) -> None:
    hidden = installed.packages / "without_torch.pth"
    hidden.write_text("import sys; sys.modules['torch'] = None")
    try:
        done = installed.run("foveate", "train", "--study", str(study))
    finally:
        hidden.unlink()
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert 'torch is not installed here; it comes with the extra "train"' in said
    assert "Traceback" not in said


def test_a_package_of_the_same_name_in_the_way_is_named(installed: Environment) -> None:
    other = installed.folder / "other" / "app"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    path = installed.packages / "a_first.pth"
    path.write_text(f"import sys; sys.path.insert(0, {str(other.parent)!r})")
    try:
        done = installed.run("foveate", "--version")
    finally:
        path.unlink()
    assert done.returncode == 1
    assert done.stderr.startswith(f"app is not Foveate's: Python finds {other}")
    assert "environment of its own" in done.stderr


def test_a_package_that_wrote_over_one_of_ours_is_named(installed: Environment) -> None:
    ours = installed.packages / "trainer" / "__init__.py"
    kept = ours.read_bytes()
    ours.write_text("VERSION = 3\n")
    try:
        done = installed.run("foveate", "--version")
    finally:
        ours.write_bytes(kept)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{ours} is not Foveate's any more: something else wrote over it")


def test_nothing_is_in_the_way_of_a_checkout() -> None:
    assert foveate.in_the_way(ROOT) == "", sys.path
