"""`python main.py queue`: works off a study's queued pre-trainings, one after another.

It outlives the station that started it. Each training is a process of its own, which goes on even
if this one is killed: the next queue process finds it by its id and waits for it.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from migrations.study.jobs import Job, jobs, queue_folder
from migrations.study.processes import MAIN

_POLL_S = 0.2
GRACE_S = 60.0
"""How long a trainer that was told to stop may take to write its checkpoint."""
STOPPED_EXIT = 3


def main(argv: Sequence[str]) -> int:
    """Run the command; 0 once the queue is empty."""
    parser = argparse.ArgumentParser(prog="python main.py queue", description=__doc__)
    parser.add_argument("--study", type=Path, required=True, help="the study's folder")
    options = parser.parse_args(argv)
    return work_off(options.study)


def work_off(study: Path, program: Sequence[str] = (sys.executable, str(MAIN))) -> int:
    """Run what waits, the oldest first; 0 at once where another process already does.

    Parameters
    ----------
    program
        The command in front of the trainer's arguments.
    """
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(_only_one(queue_folder(study))):
            return 0
        for job in jobs(study):
            if job.state == "running":
                _adopt(job)
        while waiting := [job for job in jobs(study) if job.state == "waiting"]:
            _run(study, waiting[0], program)
    return 0


def _run(study: Path, job: Job, program: Sequence[str]) -> None:
    if job.stop_file.exists():  # taken back before it began
        job.become("stopped")
        return
    words = [*program, "train", "--study", str(study), "--events", "json", *job.options]
    with job.events_file.open("ab") as events, job.log_file.open("ab") as log:
        try:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=events, stderr=log)
        except OSError as error:
            job.become("failed", message=f"{words[0]} could not be started: {error.strerror}.")
            return
    job = job.become("running", pid=process.pid, pid_created=_birth(process.pid))
    code = _wait(job, process)
    _end(job, code)


def _wait(job: Job, process: "subprocess.Popen[bytes]") -> int:
    told: float | None = None
    while process.poll() is None:
        if told is None and job.stop_file.exists():
            told = time.monotonic()
            with contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.write(b"stop\n")
                process.stdin.flush()
        if told is not None and time.monotonic() - told > GRACE_S:
            process.kill()
        time.sleep(_POLL_S)
    with contextlib.suppress(OSError):
        assert process.stdin is not None
        process.stdin.close()
    return process.returncode


def _adopt(job: Job) -> None:
    """Wait for a trainer whose queue process died; its pipe is gone, so a stop is a signal."""
    asked = False
    while (process := _living(job)) is not None:
        if job.stop_file.exists() and not asked:
            asked = True
            with contextlib.suppress(psutil.Error):
                process.terminate()
        time.sleep(_POLL_S)
    _end(job, None)


def _end(job: Job, code: int | None) -> None:
    """Write how a job ended; its last event decides, its exit code where that is known."""
    last = last_event(job.events_file)
    kind = last.get("event")
    if kind == "result" and code in (0, None):
        job.become("finished")
    elif kind == "stopped" or code == STOPPED_EXIT:
        job.become("stopped")
    elif job.stop_file.exists():
        job.become("stopped", message="It did not stop in time and was ended.")
    else:
        job.become("failed", message=_obituary(job, last, code))


def _obituary(job: Job, last: dict[str, Any], code: int | None) -> str:
    if last.get("event") == "error":
        return str(last.get("message", ""))
    how = f"ended with exit code {code}" if code is not None else "ended without a word"
    with contextlib.suppress(OSError):
        lines = job.log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        how += f". Its last words: {lines[-1]}" if lines else ""
    return f"The trainer {how}. Resume goes on from its last checkpoint."


def last_event(events_file: Path) -> dict[str, Any]:
    """Return the last whole event of a file, empty where there is none."""
    with contextlib.suppress(OSError):
        for line in reversed(events_file.read_bytes()[-65536:].splitlines()):
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    return event
    return {}


def _living(job: Job) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(job.pid)
        same = abs(process.create_time() - job.pid_created) < 1
        if same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _birth(pid: int) -> float:
    with contextlib.suppress(psutil.Error):
        return float(psutil.Process(pid).create_time())
    return 0.0


@contextlib.contextmanager
def _only_one(folder: Path) -> Any:
    """Give whether this is the one queue process of the study."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "queue.json"
    other = _read_lock(lock)
    if other is not None and _living(other) is not None:
        yield False
        return
    me = psutil.Process()
    lock.write_text(json.dumps({"pid": me.pid, "pid_created": me.create_time()}), encoding="utf-8")
    time.sleep(0.05)  # two that start at once both write; the later one stands
    mine = _read_lock(lock)
    if mine is None or mine.pid != me.pid:
        yield False
        return
    try:
        yield True
    finally:
        lock.unlink(missing_ok=True)


def _read_lock(lock: Path) -> Job | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Job(lock.parent, (), **json.loads(lock.read_text(encoding="utf-8")))
    return None
