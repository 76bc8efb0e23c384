"""The program's name as typed here, for a room that must tell people what to type."""

import re
from pathlib import Path

_TYPED = "python main.py"
_ADDED = re.compile(r'pip install -e "\.\[(\w+)\]"')
_ADD = r'pip install --no-index --find-links WHEELS "foveate[\1]"'
_IS_CHECKOUT = (Path(__file__).parents[1] / "pyproject.toml").is_file()


def as_typed(text: str) -> str:
    """Return a text in which the program is called and extended as fits its installation here.

    As `migrations.study.processes.as_typed`, which this room may not import.
    """
    return text if _IS_CHECKOUT else _ADDED.sub(_ADD, text.replace(_TYPED, "foveate"))
