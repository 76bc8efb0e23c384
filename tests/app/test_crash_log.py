"""A process that dies in native code leaves where it was, in a file of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.crash_log import NAME
from migrations.study.this_computer import log_folder
from tests import ROOT

DIES = """
import faulthandler, sys
from pathlib import Path
from app.crash_log import watch_crashes
watch_crashes("test", Path(sys.argv[1]))
def where_it_dies():
    faulthandler._sigsegv()
where_it_dies()
"""


def test_a_segmentation_fault_is_in_the_crash_log(tmp_path: Path) -> None:
    words = [sys.executable, "-c", DIES, str(tmp_path)]
    assert subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode != 0
    said = (tmp_path / NAME).read_text()
    assert " test, pid " in said
    assert "where_it_dies" in said


def test_a_folder_that_cannot_be_written_hinders_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    code = (
        "import sys; from pathlib import Path; from app.crash_log import watch_crashes\n"
        "print(watch_crashes('test', Path(sys.argv[1])))"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "taken")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


def test_the_folder_of_settings_that_is_named_holds_for_the_logs_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path))
    code = "from app.crash_log import watch_crashes; print(watch_crashes('test'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == tmp_path / "logs" / NAME
    monkeypatch.delenv("FOVEATE_CONFIG_DIR")
    assert log_folder() != tmp_path / "logs"
