"""The tests mirror the rooms."""

from migrations.study.processes import MAIN

ROOT = MAIN.parent
PATIENCE_S = 300.0
"""How long a test waits for what must come; a machine with ten times its work is slow."""
