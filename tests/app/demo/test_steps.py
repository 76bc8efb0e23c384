"""The demo waits for progress, says what it waits for, and ends on a signal."""

import itertools
import os
import signal

import pytest

from app.demo import result, steps
from app.demo.steps import StepTimeout, Until, run_script
from app.errors import AppError


@pytest.fixture(autouse=True)
def short(qapp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_LEAST_PATIENCE_S", 0.15)
    monkeypatch.setattr(steps, "_SAID_EVERY_S", 0.03)


def test_what_does_not_come_is_said_and_then_named() -> None:
    said: list[str] = []

    def script() -> steps.Script:
        yield Until("the calibration", lambda: False, 0)

    with pytest.raises(StepTimeout, match="Timed out waiting for the calibration"):
        run_script(script(), say=said.append)
    assert said[0] == "still waiting for the calibration"


def test_what_the_page_says_meanwhile_is_told_too() -> None:
    said: list[str] = []

    def script() -> steps.Script:
        yield Until("the next case", lambda: False, 0, shown=lambda: "paused: Is it still you?")

    with pytest.raises(StepTimeout, match=r"for 0 s \(paused: Is it still you\?\)"):
        run_script(script(), say=said.append)
    assert said[0] == "still waiting for the next case (paused: Is it still you?)"


def test_progress_makes_the_wait_begin_anew() -> None:
    turns = itertools.count()
    epochs = iter(range(60))  # many times the patience

    def script() -> steps.Script:
        yield Until("the training", lambda: next(turns) > 40, 0, lambda: next(epochs))

    run_script(script())
    assert next(turns) > 40, "the wait ended before what it waited for"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_signal_ends_the_script_without_a_word_of_qt(monkeypatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr(steps, "end_within", asked.append)
    before = signal.getsignal(signal.SIGINT)  # a shell's background job ignores it

    def script() -> steps.Script:
        os.kill(os.getpid(), signal.SIGINT)
        yield Until("nothing", lambda: False, 0)

    with pytest.raises(KeyboardInterrupt):
        run_script(script(), heeds_signals=True)
    assert asked == [steps.WITHIN_S]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_command_that_fails_is_told_with_its_last_lines(tmp_path, monkeypatch) -> None:
    class Silent:
        said: list[str]

        def __init__(self) -> None:
            self.said = []

        def say(self, text: str) -> None:
            self.said.append(text)

        update = say

    program = tmp_path / "main.py"
    program.write_text("import sys; print('no labels here'); sys.exit(1)")
    monkeypatch.setattr(result, "MAIN", program)
    progress = Silent()
    log = tmp_path / "x.log"
    with pytest.raises(AppError, match=r"ended with code 1[\s\S]*no labels here"):
        result.run_command(["train"], log, progress, is_needed=True)
    assert not result.run_command(["probe"], log, progress, is_needed=False)
    assert progress.said[-1] == "probe did not give a figure: no labels here"
