"""A sentence that tells people what to type names the program as it was started here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import devices.program
from migrations.study import processes
from tests import ROOT

SAYS_IT = {"as_typed", "tr", "trn", "CommandParser", "add_argument", "add_parser"}
"""Calls that replace the name themselves: the parser's own messages and the window's texts too."""
OF_A_CHECKOUT = ("main.py", "pip install -e")


def test_an_installed_program_is_called_foveate_and_a_checkout_python_main_py(monkeypatch) -> None:
    text = "Run `python main.py db check`."
    added = 'For that: pip install -e ".[train]".'
    for said in (text, added):
        assert processes.as_typed(said) == devices.program.as_typed(said) == said
    monkeypatch.setattr(processes, "_COMMAND", "foveate")
    monkeypatch.setattr(devices.program, "_IS_CHECKOUT", False)
    assert processes.as_typed(text) == devices.program.as_typed(text) == "Run `foveate db check`."
    told = 'For that: pip install --no-index --find-links WHEELS "foveate[train]".'
    assert processes.as_typed(added) == devices.program.as_typed(added) == told


@pytest.mark.parametrize("room", ["app", "devices", "migrations", "trainer"])
def test_no_sentence_of_a_room_names_the_program_by_itself(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.name != "processes.py" and path.name != "program.py"
        for line in _bare(path)
    ]
    assert found == []


def _bare(path: Path) -> Iterator[int]:
    """Yield the lines of texts, docstrings aside, with words of a checkout in none of the calls."""
    source = path.read_text(encoding="utf-8")
    if not any(words in source for words in OF_A_CHECKOUT):
        return
    waiting: list[tuple[ast.AST, bool]] = [(ast.parse(source), False)]
    while waiting:
        node, is_said = waiting.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Constant) and not is_said:
            if any(words in str(node.value) for words in OF_A_CHECKOUT):
                yield node.lineno
            continue
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            is_said = is_said or name in SAYS_IT
        waiting += [(child, is_said) for child in ast.iter_child_nodes(node)]
