"""The queue process, with trainers that are real processes speaking the protocol."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from migrations.study.jobs import FOREIGN, Job, add_job, jobs, queue_folder, read_job
from tests import PATIENCE_S, ROOT
from trainer.queue import main, run_queue

CHILD = """
import json, os, sys, time
def say(**fields):
    sys.stdout.write(json.dumps(fields) + "\\n"); sys.stdout.flush()
assert sys.argv[1] == "train" and sys.argv[4:6] == ["--events", "json"], sys.argv
"""


def _program(tmp_path: Path, body: str) -> tuple[str, str]:
    script = tmp_path / "child.py"
    script.write_text(CHILD + body, encoding="utf-8")
    return sys.executable, str(script)


def _wait_for(check, seconds: float = PATIENCE_S) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_jobs_run_one_after_another_in_order(tmp_path: Path) -> None:
    program = _program(
        tmp_path, "say(event='stage', message=sys.argv[6])\nsay(event='result', at=time.time())"
    )
    first, second = add_job(tmp_path, ["--a"]), add_job(tmp_path, ["--b"])
    assert run_queue(tmp_path, program) == 0
    assert [job.state for job in jobs(tmp_path)] == ["finished", "finished"]
    assert '"message": "--a"' in first.events_file.read_text()
    assert '"message": "--b"' in second.events_file.read_text()
    assert not (queue_folder(tmp_path) / "queue.json").exists()


@pytest.mark.parametrize(
    ("body", "state", "message"),
    [
        ("say(event='error', message='No images.'); sys.exit(1)", "failed", "No images."),
        ("sys.stderr.write('CUDA out of memory'); os._exit(9)", "failed", "CUDA out of memory"),
        ("say(event='stopped', step=3); sys.exit(3)", "stopped", ""),
        ("pass", "failed", "exit code 0"),
    ],
    ids=["its own words", "a crash", "stopped", "no result"],
)
def test_the_end_of_a_job_is_told(tmp_path: Path, body: str, state: str, message: str) -> None:
    job = add_job(tmp_path, [])
    run_queue(tmp_path, _program(tmp_path, body))
    ended = read_job(job.folder)
    assert ended is not None
    assert ended.state == state
    assert message in ended.message


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    job = add_job(tmp_path, [])
    run_queue(tmp_path, [str(tmp_path / "no-such-python")])
    ended = read_job(job.folder)
    assert ended is not None
    assert "could not be started" in ended.message


def test_a_stop_file_reaches_the_trainer_and_a_waiting_job_never_begins(tmp_path: Path) -> None:
    running, waiting = add_job(tmp_path, []), add_job(tmp_path, [])
    running.stop_file.touch()
    waiting.stop_file.touch()
    running.stop_file.unlink()
    body = (
        f"open({str(running.stop_file)!r}, 'w').close()\n"
        "assert sys.stdin.readline() == 'stop\\n'\n"
        "say(event='stopped', step=7); sys.exit(3)"
    )
    run_queue(tmp_path, _program(tmp_path, body))
    assert [job.state for job in jobs(tmp_path)] == ["stopped", "stopped"]
    assert '"step": 7' in running.events_file.read_text()
    assert not waiting.events_file.exists()


def test_a_trainer_outlives_a_killed_queue_process_and_is_found_again(tmp_path: Path) -> None:
    go = tmp_path / "go"
    program = _program(
        tmp_path,
        f"while not os.path.exists({str(go)!r}): time.sleep(0.02)\nsay(event='result')",
    )
    job = add_job(tmp_path, [])
    code = f"from trainer.queue import run_queue; run_queue({tmp_path!r}, {program!r})".replace(
        "PosixPath", "__import__('pathlib').Path"
    )
    queue = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    try:
        _wait_for(lambda: _state(job) == "running")
        queue.kill()
        queue.wait(PATIENCE_S)
        running = read_job(job.folder)
        assert running is not None
        trainer = psutil.Process(running.pid)
        assert trainer.is_running()
        go.touch()
        run_queue(tmp_path, program)
    finally:
        go.touch()
        queue.kill()
    assert _state(job) == "finished"


def test_a_job_whose_trainer_was_killed_with_its_queue_is_failed_with_a_way_on(
    tmp_path: Path,
) -> None:
    job = add_job(tmp_path, [])
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait(PATIENCE_S)
    job.become("running", pid=dead.pid, pid_created=1.0)
    run_queue(tmp_path, _program(tmp_path, "say(event='result')"))
    ended = read_job(job.folder)
    assert ended is not None
    assert ended.state == "failed"
    assert "Resume" in ended.message


def test_a_second_queue_process_leaves_at_once(tmp_path: Path) -> None:
    me = psutil.Process()
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        queue_folder(tmp_path).mkdir(parents=True)
        birth = psutil.Process(other.pid).create_time()
        lock = queue_folder(tmp_path) / "queue.json"
        lock.write_text(json.dumps({"pid": other.pid, "pid_created": birth}))
        job = add_job(tmp_path, [])
        run_queue(tmp_path, _program(tmp_path, "say(event='result')"))
        assert _state(job) == "waiting"
    finally:
        other.communicate(b"\n")
    run_queue(tmp_path, _program(tmp_path, "say(event='result')"))
    assert _state(job) == "finished"
    assert me.pid != other.pid


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_a_job_made_on_another_computer_never_starts_by_itself(
    tmp_path: Path, monkeypatch, capsys, state: str
) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "other-user"))
    job = add_job(tmp_path, ["--a"])
    living = psutil.Process()
    if state == "running":  # its process id may be anybody's here
        job = job.become(state, pid=living.pid, pid_created=living.create_time())
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "own"))
    (tmp_path / "study.toml").touch()
    assert main(["--study", str(tmp_path)]) == 0
    assert _state(job) == FOREIGN
    assert f"queued on {job.computer}: train --a" in capsys.readouterr().err
    assert not job.events_file.exists()


def test_a_job_whose_file_was_changed_or_that_names_no_computer_never_starts(
    tmp_path: Path,
) -> None:
    changed, unnamed, own = (add_job(tmp_path, ["--a"]) for _ in range(3))
    for job, change in ((changed, {"options": ["--b"]}), (unnamed, {"computer": "", "mark": ""})):
        file = job.folder / "job.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
    run_queue(tmp_path, _program(tmp_path, "say(event='result')"))
    assert [_state(job) for job in (changed, unnamed, own)] == [FOREIGN, FOREIGN, "finished"]


@pytest.mark.parametrize(
    "options",
    [
        ["--database", "postgresql://elsewhere/x"],
        ["--out", "/elsewhere"],
        ["--set", "init=../weights.pt"],
        ["--out=~/x"],
        ["--init", "C:\\x.pt"],
        ["--init", "linked/x.pt"],
    ],
)
def test_a_job_that_reaches_out_of_the_study_is_refused_by_name(
    tmp_path: Path, options: list[str], monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "study"
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "x.pt").touch()
    job = add_job(study, options)
    run_queue(study, _program(tmp_path, "say(event='result')"))
    ended = read_job(job.folder)
    assert ended is not None
    assert ended.state == "failed"
    assert ended.message.startswith("Not started. Its options ")


def test_a_file_outside_that_a_person_chose_is_taken_but_not_with_a_job_from_elsewhere(
    tmp_path: Path, monkeypatch
) -> None:
    study, options = tmp_path / "study", ["--init", str(tmp_path / "w.pt"), "--out", "runs/x"]
    body = "say(event='result')"
    job = add_job(study, options, agreed=[options[1]])
    run_queue(study, _program(tmp_path, body))
    assert _state(job) == "finished"
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "other-user"))
    foreign = add_job(study, options, agreed=[options[1]])
    plain = add_job(study, ["--a"])
    monkeypatch.undo()
    monkeypatch.setattr("trainer.queue.run_queue.__defaults__", (_program(tmp_path, body),))
    (study / "study.toml").touch()
    assert main(["--study", str(study), "--take-over"]) == 0
    assert (_state(foreign), _state(plain)) == ("failed", "finished")


def _state(job: Job) -> str:
    found = read_job(job.folder)
    return found.state if found else ""


def test_a_sweep_is_a_job_whose_mark_holds_its_command(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text(CHILD.replace('"train"', '"sweep"') + "say(event='result')", encoding="utf-8")
    job = add_job(tmp_path, ["--seeds", "3"], command="sweep")
    shutil.copytree(job.folder, tmp_path / "runs" / "queue" / "copy")
    changed = job.folder.parent / "copy" / "job.json"
    changed.write_text(changed.read_text().replace('"sweep"', '"train"'))
    assert read_job(changed.parent).state == FOREIGN
    changed.write_text(changed.read_text().replace('"train"', '"db"'))
    assert read_job(changed.parent) is None
    assert run_queue(tmp_path, (sys.executable, str(script))) == 0
    assert read_job(job.folder).state == "finished"
