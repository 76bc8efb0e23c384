"""kill -9 of a command: the study is whole, what is left is named or swept, it can run again.

All commands at all steps: `python -m bench.kills` (its table is in docs/reliability.md).
"""

import os
import re
import subprocess
import sys

import pytest

from tests import ROOT

COMMANDS = {
    "import", "db backup", "db backup --to", "db restore", "export csv", "export archive",
    "db erase", "db push", "db upgrade", "closing a seal", "the first seal, its key made",
}  # fmt: skip
KILLS = 2
ROW = re.compile(r"^\| ([a-z ,\-]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


@pytest.mark.skipif(os.name != "posix", reason="the kills fork a process of one thread")
def test_a_killed_command_leaves_a_whole_study_and_nothing_unnamed() -> None:
    # In a process of its own: one that runs tests has threads, which a fork leaves behind.
    words = [sys.executable, "-m", "bench.kills", "--most", str(KILLS)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = {name: list(map(int, counts)) for name, *counts in ROW.findall(done.stdout)}
    assert set(rows) == COMMANDS
    for name, (_steps, kills, survived, left, named) in rows.items():
        assert (name, kills, survived, left) == (name, KILLS, KILLS, named)
