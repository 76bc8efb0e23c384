"""The program as it is called here: a room that knows no other must tell people what to type."""

from pathlib import Path

_TYPED = "python main.py"
_IS_CHECKOUT = (Path(__file__).parents[1] / "pyproject.toml").is_file()


def as_typed(text: str) -> str:
    """Return a text in which the program is called as it is started here.

    As `migrations.study.processes.as_typed`, which this room may not import.
    """
    return text if _IS_CHECKOUT else text.replace(_TYPED, "foveate")
