"""What all commands have alike: help, exit codes for what is not there, guesses, the version."""

import argparse
import re
from pathlib import Path

import pytest

import main
from migrations.study import processes
from tests import ROOT

ROOM_WORDS = [[], *(name.split() for name in main.COMMANDS if name != "station")]
MISSING = [
    ["--study", "{absent}"],
    ["read", "--study", "{absent}"],
    ["read", "--autopilot", "--study", "{absent}"],
    ["receive", "--study", "{absent}"],
    ["import", "--study", "{absent}", "{missing}"],
    ["import", "--study", "{absent}", "{here}", "--labels", "{missing}"],
    ["import-gaze", "csv", "{missing}", "--study", "{absent}"],
    ["import-gaze", "csv", "{here}", "--study", "{absent}"],
    ["import-archive", "{missing}", "--study", "{absent}"],
    ["devices", "--mapping", "{missing}"],
    ["similarity", "--study", "{absent}"],
    ["similarity", "merge", "{missing}", "--graph", "{absent}.npz"],
    ["train", "--study", "{absent}"],
    ["train", "--images", "{absent}"],
    ["train", "--images", "{here}", "--pairs", "none"],
    ["sweep", "--images", "{absent}"],
    ["receive", "--study", "{absent}"],
    ["performance", "--study", "{absent}"],
    ["demo", "--out", "{here}"],
    ["sweep", "--study", "{absent}"],
    ["encode", "--encoder", "{missing}", "--images", "{absent}", "--out", "{absent}/o.npz"],
    ["encode", "--encoder", "{here}", "--images", "{absent}", "--out", "{absent}/o.npz"],
    ["probe", "--study", "{absent}", "--encoder", "x"],
    ["analyse", "--study", "{absent}"],
    ["performance", "--ratings", "{missing}"],
    ["queue", "--study", "{absent}"],
    ["queue", "--study", "{here}"],
    ["report", "--study", "{absent}"],
    ["export", "bids", "--study", "{absent}", "--out", "{absent}"],
    ["export", "features", "--study", "{absent}", "--out", "{absent}"],
    ["db", "check", "--study", "{absent}"],
    ["export", "archive", "--study", "{absent}", "--out", "{absent}"],
    ["db", "upgrade", "--study", "{absent}"],
    ["db", "backup", "--study", "{absent}"],
    ["db", "restore", "--study", "{absent}"],
    ["db", "push", "--study", "{absent}"],
    ["db", "erase", "--study", "{absent}", "--reader", "R1"],
]


def parsers(words: list[str], monkeypatch: pytest.MonkeyPatch) -> list[argparse.ArgumentParser]:
    """Return the parser that a command builds, and those of its actions."""
    built: list[argparse.ArgumentParser] = []

    class Built(Exception):
        pass

    def take(self: argparse.ArgumentParser, *_: object, **__: object) -> None:
        built.append(self)
        raise Built

    monkeypatch.setattr(argparse.ArgumentParser, "parse_known_args", take)
    with pytest.raises(Built):
        main.main(words or ["station"])
    (parser,) = built
    actions = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return [parser, *(p for action in actions for p in action.choices.values())]


@pytest.mark.parametrize("words", ROOM_WORDS, ids=lambda words: " ".join(words) or "station")
def test_help_explains_each_option_with_its_default_and_gives_an_example(
    words, monkeypatch
) -> None:
    for parser in parsers(words, monkeypatch):
        assert "example" in (parser.epilog or ""), f"{parser.prog} has no example"
        text = " ".join(parser.format_help().split())
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                continue
            name = "/".join(action.option_strings) or action.dest
            assert action.help, f"{parser.prog} {name} is not explained"
            default = action.default
            if default in (None, False, argparse.SUPPRESS, "") or default == []:
                continue
            assert "default" in action.help or f"(default: {default})" in text, f"{name}: default"


@pytest.mark.parametrize("words", MISSING, ids=lambda words: " ".join(words[:3]))
def test_what_is_not_there_is_a_wrong_argument_and_no_folder_is_made(
    words, tmp_path: Path, monkeypatch, capfd
) -> None:
    here = tmp_path / "here.csv"
    here.write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    places = {"absent": tmp_path / "typo", "missing": tmp_path / "none.csv", "here": here}
    try:
        code = main.main([word.format(**places) for word in words])
    except SystemExit as end:
        code = end.code
    told = "".join(capfd.readouterr())
    assert code == 2, told
    assert re.search(r"typo|none\.csv|here\.csv", told)
    assert [path.name for path in tmp_path.iterdir()] == ["here.csv"]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["trian"], "Did you mean train?"),
        (["--studdy", "x"], "Did you mean --study?"),
        (["train", "--studdy", "x"], "Did you mean --study?"),
        (["export", "bids", "--studdy", "x"], "Did you mean --study?"),
        (["db", "check", "--studdy", "x"], "Did you mean --study?"),
    ],
)
def test_a_mistyped_command_or_option_is_guessed(words, meant, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main.main(words)
    assert end.value.code == 2
    assert meant in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--epochs", "1_0"],
        ["train", "--drop", "nan"],
        ["read", "--study", "{study}", "--speed", "1_0"],
        ["--study", "{study}", "--speed", "nan"],
        ["import-gaze", "csv", "{here}", "--study", "{study}", "--distance-mm", "inf"],
        ["devices", "--test", "mouse", "--seconds", "1_0"],
        ["demo", "--cases", "1_0"],
    ],
    ids=lambda words: " ".join(words),
)
def test_numbers_that_only_python_reads_are_refused(words, tmp_path: Path, capsys) -> None:
    (tmp_path / "study.toml").touch()
    (tmp_path / "here.csv").touch()
    places = {"study": tmp_path, "here": tmp_path / "here.csv"}
    with pytest.raises(SystemExit) as end:
        main.main([word.format(**places) for word in words])
    assert end.value.code == 2
    assert f"{words[-1]} is not a" in capsys.readouterr().err


def test_the_usage_of_the_installed_command_is_indented_by_its_own_name(monkeypatch) -> None:
    monkeypatch.setattr(processes, "_COMMAND", "foveate")
    (parser,) = parsers(["encode"], monkeypatch)
    first, second, *_ = parser.format_usage().splitlines()
    assert first.startswith("usage: foveate encode [")
    assert len(second) - len(second.lstrip()) == first.index("[")


@pytest.mark.parametrize("command", ["encode", "report"])
def test_a_folder_where_a_file_is_to_be_written_is_told_before_the_work(
    command, tmp_path: Path, capsys
) -> None:
    with pytest.raises(SystemExit) as end:
        main.main([command, "--out", str(tmp_path)])
    assert end.value.code == 2
    assert f"--out: {tmp_path} is a folder, not a file." in capsys.readouterr().err


def test_a_port_that_there_is_not_is_a_wrong_argument(capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main.main(["receive", "--port", "65536"])
    assert end.value.code == 2
    assert "--port: 65536 is not a port; the last one is 65535." in capsys.readouterr().err


@pytest.mark.parametrize("size", ["0", "-5", "x"])
@pytest.mark.parametrize("command", ["encode", "probe"])
def test_a_size_that_no_image_has_is_a_wrong_argument(command, size, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main.main([command, "--size", size])
    assert end.value.code == 2
    assert f"--size: {size} is not a whole number of 1 or more." in capsys.readouterr().err


def test_the_version_names_its_build(capsys) -> None:
    assert main.main(["--version"]) == 0
    assert re.fullmatch(r"Foveate \d\S*, build .+, Python 3\.\d+.*\n", capsys.readouterr().out)


def test_every_variable_is_in_the_table_of_the_docs() -> None:
    rooms = ("app", "devices", "migrations", "trainer")
    used = {
        name
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(r"FOVEATE_[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    told = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert used <= set(re.findall(r"`(FOVEATE_[A-Z_]+)`", told))
