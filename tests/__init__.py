"""The tests mirror the rooms."""

from migrations.study.processes import MAIN

ROOT = MAIN.parent
