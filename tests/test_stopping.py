"""SIGINT to the process alone ends a command and its children: exit code 3 and one line."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from migrations.study.processes import birth_of
from tests import PATIENCE_S, ROOT
from tests.stalls import Stalls

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

CHILD = "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
AT_WORK = f"""
import subprocess, sys, time
from migrations.study.stopping import run_command
def work():
    {CHILD}
    print(child.pid, flush=True)
    time.sleep(600)
sys.exit(run_command(work))
"""
DEAF = f"""
import contextlib, subprocess, sys, time
from migrations.study import stopping
stopping.WITHIN_S = 0.5
def work():
    {CHILD}
    print(child.pid, flush=True)
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(600)
sys.exit(stopping.run_command(work))
"""
IMPORTING = """
import sys, time
import main
def slow(room):
    print(0, flush=True)
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        raise ImportError(f"{room} could not be imported")
main.import_module = slow
sys.argv = ["main.py", "report", "--study", "x"]
sys.exit(main.run())
"""


def started(*words: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, text=True, env=os.environ | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def interrupted(process: "subprocess.Popen[str]") -> tuple[str, str, float]:
    """Send SIGINT to a process alone; return what it said after that and the seconds it took."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=PATIENCE_S)
    return said, told, time.monotonic() - began


@pytest.mark.parametrize("program", [AT_WORK, DEAF, IMPORTING], ids=["heeds", "deaf", "importing"])
def test_a_command_ends_within_5_s_with_its_children_and_one_line(
    program: str, stalls: Stalls
) -> None:
    process = started("-c", program)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    _, told, seconds = interrupted(process)
    assert process.returncode == 3, told
    assert told.split("\n") == ["", "Stopped.", ""]
    assert seconds < 5 + stalls.slack_s
    assert child == 0 or _ended_within(child, 5 - seconds + stalls.slack_s)


def test_a_live_test_of_a_tracker_that_is_stopped_gives_what_it_measured() -> None:
    process = started("main.py", "devices", "--test", "simulated", "--seconds", "600")
    assert process.stderr is not None
    process.stderr.readline()  # the first count
    said, told, seconds = interrupted(process)
    assert process.returncode == 3
    assert "Traceback" not in told
    assert "latency" in said
    assert seconds < 5


def test_a_command_ends_with_the_process_that_it_was_told_to_end_with() -> None:
    owner = started("-c", "import time; time.sleep(600)")
    process = started("-c", AT_WORK, FOVEATE_END_WITH=f"{owner.pid}:{birth_of(owner.pid)}")
    assert process.stdout is not None
    child = int(process.stdout.readline())
    owner.kill()
    owner.communicate()
    assert process.wait(PATIENCE_S) == 3
    process.communicate()
    assert _ended_within(child, PATIENCE_S)


def _ended_within(pid: int, seconds: float) -> bool:
    """Whether a killed process is gone in time: the system takes a moment to bury it."""
    end = time.monotonic() + seconds
    while _lives(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
