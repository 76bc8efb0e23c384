"""Who is alive and who holds a lock, with real processes."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from migrations.study.processes import MAIN, birth_of, holder, living, only_one
from tests import PATIENCE_S, ROOT

_WAITS = "input()"
_HOLDS = """
import sys
from pathlib import Path
from migrations.study.processes import only_one
with only_one(Path(sys.argv[1])) as other:
    print(0 if other is None else other.pid, flush=True)
    input()
"""


def _start(code: str, *words: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", code, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(line, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A process that waits for a line."""
    made = _start(_WAITS)
    yield made
    made.kill()
    made.communicate()


def _lock(folder: Path, pid: int, birth: float) -> Path:
    lock = folder / "queue.json"
    lock.write_text(json.dumps({"pid": pid, "pid_created": birth}))
    return lock


def test_main_lies_where_it_is_started_from() -> None:
    assert MAIN.is_file()
    assert MAIN.parent == Path(__file__).parents[3]


def test_a_living_process_is_found_by_its_pid_and_birth(process) -> None:
    found = living(process.pid, birth_of(process.pid))
    assert found is not None
    assert found.pid == process.pid


def test_a_pid_that_was_given_to_another_process_is_not_the_same_process(process) -> None:
    assert living(process.pid, birth_of(process.pid) - 3600) is None


def test_a_killed_process_does_not_live_even_before_its_parent_has_noticed(process) -> None:
    birth = birth_of(process.pid)
    process.kill()
    until = time.monotonic() + PATIENCE_S
    while living(process.pid, birth) is not None:  # a zombie, since nobody has waited for it
        assert time.monotonic() < until
        time.sleep(0.01)
    process.wait(PATIENCE_S)
    assert living(process.pid, birth) is None
    assert birth_of(process.pid) == 0


@pytest.mark.parametrize("pid", [-1, 2**62, 2**80])
def test_a_pid_that_cannot_be_one_lives_nowhere(pid: int) -> None:
    assert living(pid, 0.0) is None


def test_a_lock_is_held_while_its_process_runs_and_gone_when_it_ends(tmp_path: Path) -> None:
    lock = tmp_path / "queue.json"
    process = _start(_HOLDS, str(lock))
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        held = holder(lock)
        assert held is not None
        assert held.pid == process.pid
        with only_one(lock) as other:
            assert other is not None
            assert other.pid == process.pid
        assert lock.exists()
    finally:
        process.communicate("\n")
    assert not lock.exists()


def test_a_lock_left_by_a_kill_is_taken_over(tmp_path: Path) -> None:
    lock = tmp_path / "queue.json"
    process = _start(_HOLDS, str(lock))
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n"
    process.kill()
    process.communicate()
    assert lock.exists()
    assert holder(lock) is None
    with only_one(lock) as other:
        assert other is None
        mine = holder(lock)
        assert mine is not None
        assert mine.pid == psutil.Process().pid
    assert not lock.exists()


def test_a_lock_of_a_pid_that_is_another_process_by_now_holds_nothing(
    tmp_path: Path, process
) -> None:
    lock = _lock(tmp_path, process.pid, birth_of(process.pid) - 3600)
    assert holder(lock) is None
    with only_one(lock) as other:
        assert other is None


def test_of_two_that_claim_a_lock_at_once_the_later_one_holds_it(
    tmp_path: Path, process, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "queue.json"

    def written_over(_seconds: float) -> None:
        _lock(tmp_path, process.pid, birth_of(process.pid))

    monkeypatch.setattr("migrations.study.processes.time.sleep", written_over)
    with only_one(lock) as other:
        assert other is not None
        assert other.pid == process.pid
    assert lock.exists()  # it is not ours to remove


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "pid_created": 1}'])
def test_a_lock_that_cannot_be_read_holds_nothing(tmp_path: Path, text: str) -> None:
    lock = tmp_path / "queue.json"
    lock.write_text(text)
    assert holder(lock) is None


def test_a_lock_of_a_run_in_the_words_of_the_first_version_is_understood(
    tmp_path: Path, process
) -> None:
    lock = tmp_path / "running.json"
    lock.write_text(json.dumps({"pid": process.pid, "created": birth_of(process.pid)}))
    held = holder(lock)
    assert held is not None
    assert held.pid == process.pid
