"""Commands beside the station: what they tell, how they end, how they are stopped."""

import sys

import pytest
from PySide6.QtCore import QObject

from app.ui.side_process import SideProcess
from app.ui.work_bar import WorkBar, progress_text

SCRIPT = """
import json, sys
def say(**event):
    print(json.dumps(event), flush=True)
"""


@pytest.fixture
def side(qtbot):
    """A process that does what a text says."""
    owner = QObject()

    def make(body: str) -> SideProcess:
        return SideProcess(owner, [sys.executable, "-c", SCRIPT + body])

    yield make
    owner.deleteLater()


def _run(qtbot, side: SideProcess, then=lambda: None) -> list[str]:
    ends: list[str] = []
    assert side.start([], lambda: ends.append("done"), ends.append, lambda: ends.append("stopped"))
    then()
    qtbot.waitUntil(lambda: bool(ends))
    return ends


def test_events_and_words_are_told_apart(qtbot, side) -> None:
    process = side(
        "say(event='progress', done=1, total=4)\nprint('a table')\n"
        "print('a warning', file=sys.stderr)\nsay(event='result', out='here')"
    )
    seen: list[str] = []
    process.told.connect(lambda event: seen.append(event["event"]))
    assert _run(qtbot, process) == ["done"]
    assert seen == ["progress", "result"]
    assert process.result["out"] == "here"
    assert sorted(process.lines) == ["a table", "a warning"]


def test_a_command_that_is_told_to_stop_has_not_failed(qtbot, side) -> None:
    process = side("say(event='stage', stage='x', message='')\nsys.exit(3 if 'stop' in "
                   "sys.stdin.readline() else 0)")  # fmt: skip
    process.told.connect(lambda _event: process.stop())
    assert _run(qtbot, process) == ["stopped"]


def test_a_command_that_fails_says_why(qtbot, side) -> None:
    process = side("print('No labels.', file=sys.stderr)\nsys.exit(1)")
    assert _run(qtbot, process) == ["No labels."]


def test_the_bar_shows_count_rate_and_time_left(qtbot) -> None:
    bar = WorkBar("probe_work")
    qtbot.addWidget(bar)
    event = {"event": "progress", "stage": "images", "done": 1200, "total": 5000, "unit": "images",
             "rate": 12.5, "seconds_left": 304.0}  # fmt: skip
    assert progress_text(event) == "1,200 of 5,000 images, 12.5 images/s, 5 min 04 s left"
    bar.begin("Probing.")
    bar.take(event)
    assert bar.text.startswith("Probing. Images: 1,200 of 5,000")
    with qtbot.waitSignal(bar.stop_wanted):
        bar.stop.click()
    assert not bar.stop.isEnabled()
