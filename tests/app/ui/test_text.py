"""What stands in the source of window texts: whole sentences, and no words of a command line."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from app.ui.text import trn
from tests import ROOT

_COMMAND = re.compile(r"(?<!\w)--[a-z]|\bmain\.py\b|\bpip install\b")


@cache
def _calls() -> list[tuple[str, ast.Call]]:
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("tr", "trn"):
                found.append((f"{path.relative_to(ROOT)}:{node.lineno}", node))
    return found


def _texts(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args[: 2 if getattr(call.func, "id", "") == "trn" else 1]


def test_no_text_that_is_translated_is_put_together_first() -> None:
    """Of a sentence made by an f-string or by adding words no translation would be found."""
    found = [
        place for place, call in _calls() for text in _texts(call)
        if isinstance(text, ast.JoinedStr | ast.BinOp)
    ]  # fmt: skip
    assert found == []


def test_no_window_text_names_an_option_or_a_command() -> None:
    found = [
        (place, text.value) for place, call in _calls() for text in _texts(call)
        if isinstance(text, ast.Constant) and _COMMAND.search(str(text.value))
    ]  # fmt: skip
    assert found == []


def test_one_and_many_have_their_own_sentences() -> None:
    said = [trn("{count} case.", "{count} cases.", count) for count in (0, 1, 5000)]
    assert said == ["0 cases.", "1 case.", "5,000 cases."]
