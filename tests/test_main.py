"""The command line: one room per command, and exit codes."""

import subprocess
import sys

import pytest

import main
from tests import ROOT


@pytest.mark.parametrize(
    ("words", "command", "rest"),
    [
        ([], "station", []),
        (["--study", "x"], "station", ["--study", "x"]),
        (["--demo", "--cases", "3"], "demo", ["--cases", "3"]),
        (["--train", "--study", "x"], "train", ["--study", "x"]),
        (["--study", "x", "--train"], "train", ["--study", "x"]),
        (["db", "check"], "db", ["check"]),
        (["import", "--study", "x", "y.dcm"], "import", ["--study", "x", "y.dcm"]),
        (["nonsense"], None, []),
    ],
)
def test_words_become_a_command_and_its_arguments(words, command, rest) -> None:
    found = main._split(words)
    assert found[0] == command
    assert command is None or found[1] == rest


@pytest.mark.parametrize(
    ("words", "room"),
    [
        (["export", "bids", "--study", "x"], "app.interchange.exports.command"),
        (["export", "relation", "--study", "x"], "trainer.exports.command"),
        (["export"], "app.interchange.exports.command"),
        (["db", "erase", "--study", "x"], "app.sync.command"),
        (["db", "check", "--study", "x"], "migrations.study.command"),
    ],
)
def test_an_action_that_another_room_does_goes_there(words, room, monkeypatch) -> None:
    asked: list[list[str]] = []

    class Room:
        @staticmethod
        def main(rest: list[str]) -> int:
            asked.append(rest)
            return 0

    monkeypatch.setattr(main, "import_module", {room: Room}.__getitem__)
    assert main.main(words) == 0
    assert asked == [words[1:]]


@pytest.mark.parametrize("words", [["nonsense"], ["--colour"], ["db"], ["train", "--colour"]])
def test_wrong_arguments_exit_2(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "main.py", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "usage" in done.stderr.lower()


@pytest.mark.parametrize(
    ("command", "forbidden"),
    [
        (["db", "--help"], ("PySide6", "torch", "app", "trainer")),
        (["train", "--help"], ("PySide6", "app")),
        (["report", "--help"], ("PySide6", "app", "torch")),
        (["import", "--help"], ("torch", "trainer", "PySide6")),
        (["devices", "--help"], ("torch", "trainer", "PySide6", "sqlalchemy")),
        (["station", "--help"], ("torch", "trainer")),
    ],
)
def test_a_command_imports_its_own_room_only(command, forbidden) -> None:
    code = (
        "import sys, main\n"
        f"try: main.main({command!r})\n"
        "except SystemExit as end: assert end.code == 0\n"
        f"found = [m for m in {forbidden!r} if m in sys.modules]\n"
        "assert not found, found"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
