"""The station's side of the queue: it may look away, and finds what goes on."""

import sys
from pathlib import Path

import pytest

from app.pages.pretrain.queue import TrainerQueue
from migrations.study.jobs import jobs
from tests import ROOT
from tests.trainer.test_queue import CHILD


@pytest.fixture
def queue(qtbot, tmp_path: Path, monkeypatch):
    """A queue whose trainer does what `tmp_path / "body.py"` says."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    child = tmp_path / "child.py"
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import sys; from pathlib import Path; from trainer.queue import run_queue\n"
        f"run_queue(Path(sys.argv[3]), (sys.executable, {str(child)!r}))\n"
    )
    made = TrainerQueue(program=[sys.executable, str(worker)])
    made.set_study(tmp_path)

    def trainer(body: str) -> TrainerQueue:
        child.write_text(CHILD + body, encoding="utf-8")
        return made

    yield trainer
    made.stop()
    made.close()


def test_events_arrive_in_order_and_the_result_last(qtbot, queue) -> None:
    trainer = queue(
        "say(event='stage', stage='cohort', message='3 images')\n"
        'sys.stdout.write(\'{"event": "met\'); sys.stdout.flush(); time.sleep(0.5)\n'
        'sys.stdout.write(\'rics", "loss": 1.25}\\nhello {not json\\n\'); sys.stdout.flush()\n'
        "say(event='unheard-of')\n"
        "say(event='warning', message='few pairs')\n"
        "say(event='result', run_id='r1')"
    )
    seen: list[tuple[str, object]] = []
    for name in ("started", "stage", "metrics", "warning", "finished"):
        getattr(trainer, name).connect(lambda e, n=name: seen.append((n, e)))
    with qtbot.waitSignal(trainer.finished):
        trainer.start(["--epochs", "1"])
    assert [n for n, _ in seen] == ["started", "stage", "metrics", "warning", "finished"]
    assert seen[2][1]["loss"] == 1.25
    assert seen[0][1].options == ("--epochs", "1")
    assert not trainer.running


def test_a_study_named_from_here_is_named_in_full_to_the_trainer(
    qtbot, queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = queue("say(event='result', study=sys.argv[3])")
    monkeypatch.chdir(tmp_path.parent)
    trainer.set_study(Path(tmp_path.name))
    with qtbot.waitSignal(trainer.finished) as caught:
        trainer.start([])
    assert caught.args[0]["study"] == str(tmp_path)


def test_a_closed_window_finds_its_training_again_from_its_first_event(
    qtbot, queue, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    trainer = queue(
        "say(event='stage', stage='train', message='')\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.02)\n"
        "say(event='result', run_id='r1')"
    )
    with qtbot.waitSignal(trainer.stage):
        trainer.start([])
    trainer.close()
    again = TrainerQueue(program=trainer.program)
    seen: list[str] = []
    for name in ("started", "stage", "finished"):
        getattr(again, name).connect(lambda _e, n=name: seen.append(n))
    again.set_study(tmp_path)
    assert seen == ["started", "stage"]
    with qtbot.waitSignal(again.finished):
        go.touch()
    assert seen == ["started", "stage", "finished"]
    again.close()


def test_stop_reaches_it_and_what_waits_can_be_taken_back(qtbot, queue, tmp_path: Path) -> None:
    trainer = queue(
        "say(event='stage', stage='train', message='')\n"
        "assert sys.stdin.readline() == 'stop\\n'\n"
        "say(event='stopped', checkpoint='c.pt', step=7); sys.exit(3)"
    )
    with qtbot.waitSignal(trainer.stage):
        trainer.start([])
    trainer.start(["--second"])
    assert [job.state for job in jobs(tmp_path)] == ["running", "waiting"]
    trainer.take_back(jobs(tmp_path)[1])
    with qtbot.waitSignal(trainer.stopped) as caught:
        trainer.stop()
    assert caught.args[0]["step"] == 7
    assert len(jobs(tmp_path)) == 1


def test_a_program_that_is_not_there_is_told(qtbot, tmp_path: Path) -> None:
    trainer = TrainerQueue(program=[str(tmp_path / "no-such-python")])
    trainer.set_study(tmp_path)
    with qtbot.waitSignal(trainer.failed) as caught:
        trainer.start([])
    assert "could not be started" in caught.args[0]
    assert not trainer.running


def test_a_queue_process_that_takes_long_to_start_is_waited_for(qtbot, tmp_path: Path) -> None:
    go = tmp_path / "go"
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import os, sys, time\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.02)\n"
        "sys.path.insert(0, sys.argv.pop(1)); from pathlib import Path\n"
        "from trainer.queue import run_queue\n"
        "run_queue(Path(sys.argv[3]), (sys.executable, '-c', 'pass'))\n"
    )
    trainer = TrainerQueue(program=[sys.executable, str(worker), str(ROOT)])
    trainer.set_study(tmp_path)
    told: list[str] = []
    trainer.failed.connect(told.append)
    trainer.start([])
    for _ in range(200):
        trainer.check()
    assert (told, trainer.running) == ([], True)
    with qtbot.waitSignal(trainer.changed, timeout=60_000):
        go.touch()
    qtbot.waitUntil(lambda: not trainer.running, timeout=60_000)
    trainer.close()
    assert "could not be started" not in "".join(told)


def test_a_queue_process_that_ends_at_once_is_tried_twice_and_given_up(
    qtbot, tmp_path: Path
) -> None:
    (tmp_path / "worker.py").write_text(
        "import sys; open(sys.argv[1], 'a').write('started ')", encoding="utf-8"
    )
    tries = tmp_path / "tries"
    trainer = TrainerQueue(program=[sys.executable, str(tmp_path / "worker.py"), str(tries)])
    trainer.set_study(tmp_path)
    told: list[str] = []
    trainer.failed.connect(told.append)
    trainer.start([])

    def is_told() -> bool:
        trainer.check()
        return bool(told)

    qtbot.waitUntil(is_told, timeout=60_000)
    assert "could not be started" in told[0]
    assert tries.read_text() == "started started "
    trainer.close()
