"""docs/troubleshooting.md quotes what the program says: each message is somewhere in the code."""

import re
from pathlib import Path

from tests import ROOT
from tests.test_plain_english import texts_of

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


def _quoted() -> list[str]:
    """Return the messages of the first column; backticks within one stay."""
    cells = re.findall(r"^\| (`.+?`) \| ", PAGE, re.MULTILINE)
    return [one for cell in cells for one in re.split(r"`, `", cell.strip("`"))]


def _pattern(message: str) -> re.Pattern[str]:
    parts = [re.escape(part.strip()) for part in message.split("…")]
    return re.compile(".*?".join(parts))


def test_every_message_that_troubleshooting_quotes_is_said_by_the_program() -> None:
    rooms = ("app", "devices", "migrations", "trainer")
    files = [ROOT / "foveate.py", *(p for room in rooms for p in Path(ROOT / room).rglob("*.py"))]
    said = "\n".join(" ".join(text.split()) for path in files for text in texts_of(path))
    quoted = _quoted()
    assert len(quoted) > 60
    assert [message for message in quoted if not _pattern(message).search(said)] == []
