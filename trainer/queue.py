"""`python main.py queue`: works off a study's queued pre-trainings, one after another.

It outlives the station that started it. Each training is a process of its own, which goes on even
if this one is killed: the next queue process finds it by its id and waits for it.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from migrations.study.clean_text import shown
from migrations.study.command_line import CommandParser, existing_study
from migrations.study.job_check import refusal
from migrations.study.jobs import FOREIGN, Job, jobs, queue_folder, queue_lock, take_over
from migrations.study.processes import MAIN, birth_of, living, only_one

_POLL_S = 0.2
GRACE_S = 60.0
"""How long a trainer that was told to stop may take to write its checkpoint."""
_INTERRUPTED_S = 3.0
"""The same where this process was interrupted: it ends within 5 s."""
STOPPED_EXIT = 3


def main(argv: Sequence[str]) -> int:
    """Run the command; 0 once the queue is empty."""
    parser = CommandParser(
        prog="python main.py queue",
        description="Run the trainings queued for a study, one after another.",
        example="python main.py queue --study my-study",
    )
    parser.add_argument(
        "--study", type=existing_study, required=True, metavar="FOLDER", help="the study's folder"
    )
    parser.add_argument(
        "--take-over", action="store_true",
        help="also run jobs that were queued on another computer; files and servers outside the "
             "study remain off limits to them",
    )  # fmt: skip
    options = parser.parse_args(argv)
    study: Path = options.study
    foreign = [job for job in jobs(study) if job.state == FOREIGN]
    if options.take_over:
        for job in foreign:
            take_over(job)
    elif foreign:
        sys.stderr.write(_left_lying(foreign))
    return run_queue(study)


def _left_lying(foreign: Sequence[Job]) -> str:
    lines = [f"  queued on {shown(j.computer) or 'an unknown computer'}: {j.command} "
             f"{shown(' '.join(j.options))}" for j in foreign]  # fmt: skip
    return "\n".join(
        ["These jobs were queued on another computer and were not started. Use --take-over to "
         "run them:",
         *lines, ""]
    )  # fmt: skip


def run_queue(study: Path, program: Sequence[str] = (sys.executable, str(MAIN))) -> int:
    """Run what waits, the oldest first; 0 at once where another process already does.

    Parameters
    ----------
    program
        The command in front of the trainer's arguments.
    """
    with contextlib.ExitStack() as stack:
        queue_folder(study).mkdir(parents=True, exist_ok=True)
        if stack.enter_context(only_one(queue_lock(study))) is not None:
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
    if why := refusal(study, job.options, job.agreed):
        job.become("failed", message=f"Not started. {why} Start it again from the Pretrain page.")
        return
    words = [*program, job.command, "--study", str(study), "--events", "json", *job.options]
    with job.events_file.open("ab") as events, job.log_file.open("ab") as log:
        try:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=events, stderr=log)
        except OSError as error:
            job.become("failed", message=f"{words[0]} could not be started: {error.strerror}.")
            return
    job = job.become("running", pid=process.pid, pid_created=birth_of(process.pid))
    try:
        code = _wait(job, process)
    except KeyboardInterrupt:
        _end(job, _stop(process))
        raise
    _end(job, code)


def _wait(job: Job, process: "subprocess.Popen[bytes]") -> int:
    stop_sent_s: float | None = None
    while process.poll() is None:
        if stop_sent_s is None and job.stop_file.exists():
            stop_sent_s = time.monotonic()
            with contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.write(b"stop\n")
                process.stdin.flush()
        if stop_sent_s is not None and time.monotonic() - stop_sent_s > GRACE_S:
            process.kill()
        time.sleep(_POLL_S)
    with contextlib.suppress(OSError):
        assert process.stdin is not None
        process.stdin.close()
    return process.returncode


def _stop(process: "subprocess.Popen[bytes]") -> int:
    """Stop a trainer with this process: with a checkpoint if it has one in time, else at once."""
    with contextlib.suppress(OSError):
        assert process.stdin is not None
        process.stdin.write(b"stop\n")
        process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_INTERRUPTED_S)
    process.kill()
    process.wait()
    return STOPPED_EXIT


def _adopt(job: Job) -> None:
    """Wait for a trainer whose queue process died; its pipe is gone, so a stop is a signal."""
    asked = False
    while (process := living(job.pid, job.pid_created)) is not None:
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
        job.become("stopped", message="It did not stop in time and was terminated.")
    else:
        job.become("failed", message=_failure_text(job, last, code))


def _failure_text(job: Job, last: dict[str, Any], code: int | None) -> str:
    if last.get("event") == "error":
        return str(last.get("message", ""))
    how = f"ended with exit code {code}" if code is not None else "ended without an error message"
    with contextlib.suppress(OSError):
        lines = job.log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        how += f". Its last message: {lines[-1]}" if lines else ""
    return f"The trainer {how}. Resume continues from its last checkpoint."


def last_event(events_file: Path) -> dict[str, Any]:
    """Return the last whole event of a file, empty where there is none."""
    with contextlib.suppress(OSError):
        for line in reversed(events_file.read_bytes()[-65536:].splitlines()):
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    return event
    return {}
