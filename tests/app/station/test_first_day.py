"""The radiologist's first-day guide names what the window shows, by the words it shows."""

import re

from tests import ROOT

GUIDE = ROOT / "docs" / "first-day-radiologist.md"
KEYS = {"Enter", "B", "Esc"}


def test_every_button_of_the_guide_is_called_so_in_the_window() -> None:
    wanted = set(re.findall(r"\*\*([^*]+)\*\*", GUIDE.read_text(encoding="utf-8"))) - KEYS
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    assert len(wanted) > 8
    assert [name for name in wanted if f'"{name}"' not in code] == []


def test_the_guides_pages_are_in_the_navigation() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    for page in ("Worklist", "Review"):
        assert f'"{page}"' in code
