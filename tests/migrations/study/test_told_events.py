"""What a command tells a station that listens, and the line by which the station stops it."""

import json
import os
import subprocess
import sys

from migrations.study.command_line import shown_progress
from migrations.study.stopping import listened
from tests import PATIENCE_S, ROOT

WAITS = """
import sys, time
from migrations.study.stopping import listened, run_command
from migrations.study.told_events import tell
def work():
    with listened("json"):
        tell("stage", stage="x", message="")
        while True:
            time.sleep(0.01)
sys.exit(run_command(work))
"""


def test_progress_is_one_object_per_line_where_a_station_listens(capsys) -> None:
    with listened("json"):
        progress = shown_progress("readings")
        progress(1, 2)
        progress(2, 2)
    shown_progress("readings")(2, 2)  # nobody listens any more
    stage, *told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert stage["event"] == "stage"
    assert [(e["event"], e["done"], e["total"], e["unit"]) for e in told] == [
        ("progress", 1, 2, "readings"),
        ("progress", 2, 2, "readings"),
    ]
    assert told[-1]["seconds_left"] == 0


def test_the_line_stop_ends_a_command_with_code_3() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()  # it is at work
    assert process.communicate("stop\n", timeout=PATIENCE_S)[1].strip() == "Stopped."
    assert process.returncode == 3
