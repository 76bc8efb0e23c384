"""The tests mirror the rooms."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
