"""The bundle's program. It is also what starts its own parts: a bundle holds no other Python."""

import multiprocessing
import runpy
import sys
from pathlib import Path

import main
from migrations.study.processes import MAIN


def run() -> int:
    """Run a command, or what a part of the program starts with `sys.executable`."""
    words = sys.argv[1:]
    if words[:1] == ["-m"]:
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        return 0
    if words and Path(words[0]) == MAIN:
        sys.argv = [sys.argv[0], *words[1:]]
    return int(main.run())


if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(run())
