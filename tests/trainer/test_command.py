"""`python main.py train` as a process: the protocol, exit codes, a world without Qt."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import PATIENCE_S, ROOT
from tests.trainer.tiny_study import make_study
from trainer.command import main

SMALL = ["--size", "32", "--batch", "4", "--epochs", "1", "--positive-rate", "0.4"]
SMALL += ["--set", "onnx=false"]

# Stands before main.py: no Qt, no pydicom, as on a GPU box; one thread.
BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("PySide6", "pydicom", "app"):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Block())
import torch
torch.set_num_threads(1)
from main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_study(tmp_path / "study").close()
    return tmp_path / "study"


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BLOCKED, *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def test_it_trains_without_qt_and_prints_nothing_but_json(folder: Path) -> None:
    process = start("--train", "--study", str(folder), "--events", "json", *SMALL)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    events = [json.loads(line) for line in out.splitlines()]
    assert events[-1]["event"] == "result"
    assert events[-1]["images"] == 8
    assert {"stage", "metrics", "progress"} <= {e["event"] for e in events}


@pytest.mark.slow
def test_the_line_stop_ends_it_with_a_checkpoint_and_code_3(folder: Path) -> None:
    words = [*SMALL[:4], "--epochs", "5000", "--positive-rate", "0.4"]
    process = start("train", "--study", str(folder), "--events", "json", *words)
    assert process.stdout is not None
    assert process.stdin is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "metrics":
            break
    asked = time.monotonic()
    process.stdin.write("stop\n")
    process.stdin.flush()
    *_, last = [json.loads(line) for line in process.stdout]
    assert process.wait(PATIENCE_S) == 3
    assert last["event"] == "stopped"
    assert last["step"] >= 1
    assert Path(last["checkpoint"]).is_file()
    assert time.monotonic() - asked < 20  # the step that runs, and the checkpoint
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def test_wrong_settings_end_with_code_2_and_say_why(folder: Path, capsys) -> None:
    assert main(["--study", str(folder), "--set", "bach=3", "--events", "json"]) == 2
    event = json.loads(capsys.readouterr().out)
    assert event["event"] == "error"
    assert "'bach'" in event["message"]
    assert main(["--study", str(folder / "absent")]) == 2
    assert "is not a Foveate study" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit) as caught:
        main(["--study", str(folder), "--threshold", "0.9", "--positive-rate", "0.1"])
    assert caught.value.code == 2


def test_a_study_that_cannot_be_trained_on_ends_with_code_1(tmp_path: Path, capsys) -> None:
    make_study(tmp_path / "unread", images=3, read=0).close()
    assert main(["--study", str(tmp_path / "unread"), "--events", "json"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "error"
    assert "pairs none" in events[-1]["message"]


def test_settings_reach_the_run_from_file_set_and_options(
    folder: Path, tmp_path: Path, monkeypatch
) -> None:
    seen: list = []

    def remember(run):
        from trainer.process.events import RunStopped

        seen.append(run.config)
        return RunStopped(None, None, None, 0)

    monkeypatch.setattr("trainer.runs.run.run_training", remember)
    toml = tmp_path / "run.toml"
    toml.write_text("batch = 8\nepochs = 7\nlr = 0.5\nthreshold = 0.9\n")
    words = ["--config", str(toml), "--set", "epochs=6", "--set", "lr=0.25", "--epochs", "5"]
    assert main(["--study", str(folder), *words, "--positive-rate", "0.2"]) == 3
    (config,) = seen
    assert (config.batch, config.epochs, config.lr) == (8, 5, 0.25)
    assert (config.threshold, config.positive_rate) == (None, 0.2)


def test_an_unexpected_error_is_an_event_too(folder: Path, monkeypatch, capsys) -> None:
    def wrong(_):
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("trainer.runs.run.run_training", wrong)
    assert main(["--study", str(folder), "--events", "json"]) == 1
    assert "ZeroDivisionError: by nought" in json.loads(capsys.readouterr().out)["message"]


def test_idle_threads_sleep_so_that_a_station_beside_the_trainer_keeps_its_core(
    folder: Path, monkeypatch
) -> None:
    from trainer.process.events import RunStopped

    seen: list = []
    monkeypatch.setattr("os.environ", dict(os.environ))
    monkeypatch.setattr("trainer.runs.run.run_training", lambda _: RunStopped(None, None, None, 0))
    for given in (None, "ACTIVE"):
        os.environ.pop("OMP_WAIT_POLICY", None)
        if given:
            os.environ["OMP_WAIT_POLICY"] = given
        main(["--study", str(folder), "--events", "json"])
        seen.append(os.environ["OMP_WAIT_POLICY"])
    assert seen == ["PASSIVE", "ACTIVE"]
