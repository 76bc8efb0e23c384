"""The commands that the docs print: each knows its options, and those of the tutorials run."""

import contextlib
import functools
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import main
from app.demo.phantoms import write_cohort
from tests import ROOT

DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PASSED_ON = {"slurm": ("train", "similarity"), "sweep": ("train",)}
"""Commands that hand options on to others."""


def _told(page: Path) -> list[list[str]]:
    """Return the words of each command line of a page, its choices in brackets left out."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    blocks = "\n".join(text for kind, text in found if kind in ("", "sh"))
    lines = re.findall(r"^(?:\.venv/bin/)?python main\.py (.+)$", blocks.replace("\\\n", " "), re.M)
    return [shlex.split(line, comments=True) for line in lines]


def _command_of(words: list[str]) -> tuple[str, ...]:
    if words[0].startswith("--") and words[0] not in main.ALIASES:
        return ("station",)
    both = " ".join(words[:2])
    inner = re.fullmatch(r"[a-z][a-z-]+", words[1]) if len(words) > 1 else None
    deep = both in main.COMMANDS or (words[0] in ("db", "export", "slurm") and inner)
    return tuple(words[:2]) if deep else tuple(words[:1])


@functools.cache
def _help_of(command: tuple[str, ...]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as told, pytest.raises(SystemExit, match="0"):
        main.main([*command, "--help"])
    return told.getvalue()


def test_every_command_that_the_docs_print_knows_its_options() -> None:
    wrong, count = [], 0
    pages = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
    for page in pages:
        for words in _told(page):
            count += 1
            command = _command_of(words)
            helps = [command, *((other,) for other in PASSED_ON.get(command[0], ()))]
            known = {w for one in helps for w in re.findall(r"--[a-z][\w-]*", _help_of(one))}
            options = {w.strip("[]").partition("=")[0] for w in words} - set(main.ALIASES)
            lost = {w for w in options if re.match(r"--[a-z]", w)} - known
            wrong += [f"{page.name}: {' '.join(words)}: {sorted(lost)}"] if lost else []
    assert count > 50
    assert wrong == []


def test_the_tutorials_sender_is_read_by_its_mapping_as_the_page_says() -> None:
    page = (DOCS / "tutorial-own-tracker.md").read_text(encoding="utf-8")
    mapping = (ROOT / "examples/lsl/our-tracker.toml").read_text(encoding="utf-8")
    assert f"```toml\n{mapping}```" in page
    words = next(words for words in _told(DOCS / "tutorial-own-tracker.md") if "--mapping" in words)
    line = [sys.executable, "examples/lsl/own_sender.py"]
    with subprocess.Popen(
        line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as sender:
        try:
            assert sender.stdout is not None
            assert sender.stdout.readline() == b"Sending OurTracker.\n"
            done = _run([*words, "--seconds", "1", "--json"], ROOT)
        finally:
            sender.kill()
    stream = json.loads(done.stdout)["stream"]
    assert (stream["sample_count"] > 60, stream["loss"]) == (True, 0)


@pytest.mark.slow
def test_the_first_tutorial_leads_from_an_empty_folder_to_a_report(tmp_path: Path) -> None:
    write_cohort(tmp_path / "foveate-demo" / "source", 24, 0, real=False)  # for the first command
    demo, *others = _told(DOCS / "tutorial-first-study.md")
    assert demo == ["demo", "--headless"]
    assert len(others) == 8
    for words in others:
        assert _run(words, tmp_path).returncode == 0, words
        settings = tmp_path / "my-study" / "study.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace("trial = false", "trial = true"), encoding="utf-8")
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert (tmp_path / "my-study/exports/probe/probe.csv").is_file()


def _run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does; in its place the words after `python main.py`."""
    line = [sys.executable, str(ROOT / "main.py"), *words]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True, timeout=600)
