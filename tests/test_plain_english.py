"""The words that people read: help texts, the README and the docs keep to docs/glossary.md."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from main import COMMANDS, _first_words
from tests import ROOT

AVOIDED = {
    r"\bis no (?!longer\b|such\b)\w+": "is not a",
    r"\bare no (?!longer\b|such\b)\w+": "are not",
    r"\bholds no\b": "is not a, or contains no",
    r"\bfor ever\b": "permanently",
    r"\bfaster than life\b": "times real time",
    r"\bin vain\b": "timed out",
    r"\bwithout hands\b": "with no one at the station",
    r"\bin the flesh\b": "on real hardware",
    r"\bto begin anew\b": "to restart",
    r"\bbroken off\b": "interrupted",
    r"\bgo(es)? on (with|from|where)\b": "continue",
    r"\w\(s\)": "a proper plural",
    r"\b1 (files|readings|images|readers)\b": "a proper plural",
    r"\bkeep or drop\b": "include or exclude",
    r"\bthe whole way\b": "the full pipeline",
}
"""Patterns that no text uses, each with what to write instead."""


def _odd(text: str) -> list[str]:
    flat = " ".join(text.split())
    return [
        f"…{flat[max(found.start() - 30, 0) : found.end() + 20]}… (write: {better})"
        for pattern, better in AVOIDED.items()
        for found in re.finditer(pattern, flat)
    ]


@pytest.mark.parametrize("command", _first_words())
def test_the_help_of_a_command_keeps_to_the_glossary(command: str, capsys) -> None:
    with pytest.raises(SystemExit, match="0"):
        importlib.import_module(COMMANDS[command][0]).main(["--help"])
    assert _odd(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    "page",
    ["README.md", *sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("docs/**/*.md"))],
)
def test_a_page_keeps_to_the_glossary(page: str) -> None:
    assert _odd((ROOT / page).read_text(encoding="utf-8")) == []


def test_the_glossary_explains_each_term_once() -> None:
    lines = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    terms = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    named = [term for term in terms if term != "term"]
    assert len(named) == len(set(named)) > 40


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts of a module that are not docstrings; a hole of an f-string is a word."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in ast.walk(node) if part is not node}  # fmt: skip
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in inner | said:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = node.values
            yield "".join(p.value if isinstance(p, ast.Constant) else "X" for p in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("room", ["app", "devices", "migrations", "trainer"])
def test_no_message_says_that_something_is_no_other_thing(room: str) -> None:
    odd = re.compile(r"(?<!here )\b(is|are) no (?!longer\b|such\b|and yes\b)\w+")
    found = [
        f"{path.relative_to(ROOT)}: {text[:80]}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for text in texts_of(path)
        if odd.search(" ".join(text.split()))
    ]
    assert found == []
