"""The demo's command: what it draws on where there is no screen."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.demo.command import main
from app.demo.folder import LOCK, MARK, READER, demo_folder
from app.errors import AppError
from app.shell.only_window import OnlyWindow
from tests.app.recording.reading_doubles import make_study
from tests.app.recording.test_worklist import add_readings


@pytest.mark.parametrize("platform", ["offscreen", None])
def test_without_a_screen_it_draws_on_a_monitor_of_usual_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, platform: str | None
) -> None:
    """Qt's own offscreen monitor of 800 × 800 is too small for the station: reading would wait."""
    seen: list[str] = []

    def tour(options):
        seen.append(os.environ["QT_QPA_PLATFORM"])
        return SimpleNamespace(run=lambda: ["done"])

    monkeypatch.setattr("app.demo.tour.Tour", tour)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    if platform:
        monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    assert main(["--out", str(tmp_path / "demo")]) == 0
    (named,) = seen
    kind, _, path = named.partition(":configfile=")
    assert kind == "offscreen"
    (screen,) = json.loads(Path(path).read_text())["screens"]
    assert (screen["width"], screen["height"]) == (1920, 1080)


def test_without_torch_it_does_not_begin_what_it_could_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr("app.demo.command.find_spec", lambda name: None)
    assert main(["--out", str(tmp_path / "demo")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("The demo trains an encoder at its end. torch is not installed here")
    assert not (tmp_path / "demo").exists()


def test_a_second_demo_does_not_empty_the_folder_of_one_that_runs(tmp_path: Path, capsys) -> None:
    with demo_folder(tmp_path):
        (tmp_path / "study").mkdir()
        assert main(["--out", str(tmp_path)]) == 1
        told = capsys.readouterr().err
        assert f"Another demo is running in {tmp_path} (process {os.getpid()})" in told
        assert (tmp_path / "study").is_dir()
    with demo_folder(tmp_path):  # the line pasted again once the first has ended
        assert {path.name for path in tmp_path.iterdir()} == {MARK, LOCK}


def test_a_demo_deletes_no_study_that_a_window_shows_or_that_somebody_read(
    tmp_path: Path, qapp
) -> None:
    with demo_folder(tmp_path):
        study = make_study(tmp_path / "study", cases=1)
    only = OnlyWindow()
    assert only.claim(study.folder)
    with pytest.raises(AppError, match="is open in a Foveate window"), demo_folder(tmp_path):
        pass
    only.release()
    for reader in (READER, "R1"):
        add_readings(study, reader, {"case-0": ["finished"]})
    study.close()
    with pytest.raises(AppError, match="contains readings of R1, which"), demo_folder(tmp_path):
        pass
    assert study.folder.is_dir()
