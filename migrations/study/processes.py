"""The programs that work on a study: where they are started from."""

from pathlib import Path

MAIN = Path(__file__).parents[2] / "main.py"
