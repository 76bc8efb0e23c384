"""The trainer's process, against a child that really speaks the protocol."""

import sys
from pathlib import Path

import pytest

from app.trainer_process import LineReader, TrainerProcess

_CHILD = """
import json, sys, time, os
def say(**fields):
    sys.stdout.write(json.dumps(fields) + "\\n"); sys.stdout.flush()
assert sys.argv[1:4] == ["train", "--study", sys.argv[3]], sys.argv
assert sys.argv[4:6] == ["--events", "json"], sys.argv
"""


def _trainer(tmp_path: Path, body: str) -> TrainerProcess:
    script = tmp_path / "child.py"
    script.write_text(_CHILD + body, encoding="utf-8")
    return TrainerProcess(program=[sys.executable, str(script)])


def test_lines_are_whole_however_the_bytes_arrive() -> None:
    reader = LineReader()
    said = '{"event": "stage", "message": "Größe"}\r\n{"a": 1}\nrest'.encode()
    lines = [line for i in range(len(said)) for line in reader.feed(said[i : i + 1])]
    assert lines == ['{"event": "stage", "message": "Größe"}', '{"a": 1}']
    assert reader.flush() == ["rest"]
    assert reader.flush() == []


def test_events_arrive_in_order_and_the_result_last(qtbot, tmp_path: Path) -> None:
    trainer = _trainer(
        tmp_path,
        """
say(event="stage", stage="cohort", message="3 images")
say(event="progress", stage="train", done=1, total=2, unit="steps", rate=2.0, seconds_left=0.5)
say(event="metrics", step=1, steps=2, loss=1.5)
sys.stdout.write('{"event": "met'); sys.stdout.flush(); time.sleep(0.15)
sys.stdout.write('rics", "step": 2, "steps": 2, "loss": 1.25}\\n'); sys.stdout.flush()
say(event="warning", message="few pairs")
say(event="result", run_id="r1", encoder="runs/r1/encoder.safetensors")
""",
    )
    seen: list[tuple[str, object]] = []
    for name in ("stage", "progress", "metrics", "warning", "finished"):
        getattr(trainer, name).connect(lambda e, n=name: seen.append((n, e)))
    with qtbot.waitSignal(trainer.finished, timeout=15000):
        trainer.start(tmp_path)
    assert [n for n, _ in seen] == [
        "stage", "progress", "metrics", "metrics", "warning", "finished",
    ]  # fmt: skip
    assert seen[3][1]["loss"] == 1.25
    assert not trainer.running


def test_stop_goes_in_by_standard_input_and_keeps_the_checkpoint(qtbot, tmp_path: Path) -> None:
    trainer = _trainer(
        tmp_path,
        """
say(event="stage", stage="train", message="going")
assert sys.stdin.readline() == "stop\\n"
say(event="stopped", run_id="r1", checkpoint="c.pt", step=7)
sys.exit(3)
""",
    )
    trainer.stage.connect(lambda _: trainer.stop())
    with qtbot.waitSignal(trainer.stopped, timeout=15000) as caught:
        trainer.start(tmp_path)
    assert caught.args[0]["step"] == 7


def test_a_trainer_deaf_to_stop_is_ended_after_the_grace(qtbot, tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, 'say(event="stage", stage="train", message="")\ntime.sleep(60)')
    trainer.stage.connect(lambda _: trainer.stop(grace_ms=200))
    with qtbot.waitSignal(trainer.stopped, timeout=15000):
        trainer.start(tmp_path)
    assert "did not stop in time" in trainer.log[-1]


def test_a_crash_is_told_with_the_last_words(qtbot, tmp_path: Path) -> None:
    trainer = _trainer(
        tmp_path,
        'sys.stderr.write("CUDA out of memory\\n"); sys.stderr.flush(); os._exit(9)',
    )
    with qtbot.waitSignal(trainer.failed, timeout=15000) as caught:
        trainer.start(tmp_path)
    assert "exit code 9" in caught.args[0]
    assert "CUDA out of memory" in caught.args[0]


def test_lines_that_are_no_events_are_kept_as_log_and_do_no_harm(qtbot, tmp_path: Path) -> None:
    trainer = _trainer(
        tmp_path,
        """
sys.stdout.write("hello {not json\\n[1, 2]\\n"); sys.stdout.flush()
say(event="unheard-of")
say(event="result", run_id="r")
""",
    )
    with qtbot.waitSignal(trainer.finished, timeout=15000):
        trainer.start(tmp_path)
    assert trainer.log == ["hello {not json", "[1, 2]"]


def test_the_trainers_own_error_is_told_in_its_words(qtbot, tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, 'say(event="error", message="No finished readings."); sys.exit(1)')
    with qtbot.waitSignal(trainer.failed, timeout=15000) as caught:
        trainer.start(tmp_path)
    assert caught.args[0] == "No finished readings."


def test_an_exit_without_a_result_is_a_failure(qtbot, tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, "pass")
    with qtbot.waitSignal(trainer.failed, timeout=15000) as caught:
        trainer.start(tmp_path)
    assert "exit code 0 before it was done" in caught.args[0]


def test_a_program_that_is_not_there_is_told(qtbot, tmp_path: Path) -> None:
    trainer = TrainerProcess(program=[str(tmp_path / "no-such-python")])
    with qtbot.waitSignal(trainer.failed, timeout=15000) as caught:
        trainer.start(tmp_path)
    assert "could not be started" in caught.args[0]
    assert not trainer.running


def test_only_one_training_runs_at_a_time(qtbot, tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, "time.sleep(30)")
    trainer.start(tmp_path)
    with pytest.raises(RuntimeError, match="runs already"):
        trainer.start(tmp_path)
    with qtbot.waitSignal(trainer.stopped, timeout=15000):
        trainer.close(wait_ms=300)
    assert not trainer.running
