"""The second controlled study: more from gaze than pairs.

python bench/gaze_methods check [--seeds N]        can the phantoms carry the question?
python bench/gaze_methods run [--only TEXT …] [--minutes M] [--part 1/2]
python bench/gaze_methods write                    docs/gaze-methods.md from what is stored

Cells are stored in bench/gaze_methods/cells.jsonl as each ends; what is there is not run again.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: a cell takes one core
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from bench.gaze_methods.plan import all_cells  # noqa: E402

FOLDER = Path(__file__).resolve().parent
CELLS, CHECKS = FOLDER / "cells.jsonl", FOLDER / "checks.jsonl"


def main() -> int:
    """Do what the command says."""
    options = _parser().parse_args()
    return {"check": _check, "run": _run, "write": _write}[options.what](options)


def _check(options: argparse.Namespace) -> int:
    from bench.gaze_methods.cells import check

    for seed in range(options.seeds):
        _once(CHECKS, {"check": True, "seed": seed}, lambda s=seed: check(s))
    return 0


def _run(options: argparse.Namespace) -> int:
    from bench.gaze_methods.cells import run_cell

    begun, longest = time.monotonic(), 0.0
    part, parts = map(int, options.part.split("/"))
    wanted = [c for c in all_cells() if _is_meant(f"{c.name} seed={c.seed}", options.only)]
    for number, cell in enumerate(wanted[part - 1 :: parts], 1):
        started = time.monotonic()
        if options.minutes * 60 - (started - begun) < longest:
            print("The time is used up.")
            return 0
        print(f"[{number}/{len(wanted)}] {cell.name} seed {cell.seed}", flush=True)
        try:
            made = _once(CELLS, cell.key, lambda c=cell: run_cell(c))
        except ValueError as error:  # a method that is not written yet
            print(f"left out: {error}", flush=True)
            continue
        if made:
            longest = max(longest, time.monotonic() - started)
    return 0


def _write(options: argparse.Namespace) -> int:
    from bench.gaze_methods.pages import write_page

    print(write_page(read(CHECKS), read(CELLS)))
    return 0


def _is_meant(told: str, words: list[str]) -> bool:
    return not words or any(word in told for word in words)


def _once(path: Path, key: dict[str, Any], make: Callable[[], dict[str, Any]]) -> bool:
    """Make and store a line unless it is there; return whether it was made."""
    if any(line["key"] == key for line in read(path)):
        return False
    line = {**make(), "key": key, "code": _code()}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
    print(json.dumps({k: line[k] for k in ("cell", "linear", "seconds") if k in line}), flush=True)
    return True


def read(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file; one that a cut left half written is made again."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(text))
        except ValueError:
            print(f"A damaged line of {path.name} is skipped.")
    return lines


def _code() -> str:
    """Return the commit that a line was made with."""
    done = subprocess.run(
        ["git", "-C", str(FOLDER), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    )
    return done.stdout.strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("check", "run", "write"))
    parser.add_argument("--only", nargs="+", default=[], help="cells whose name has such a word")
    parser.add_argument("--seeds", type=int, default=2, help="seeds that are checked")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin none that does not fit")
    parser.add_argument("--part", default="1/1", help="2/3: every third cell from the second")
    return parser


if __name__ == "__main__":
    sys.exit(main())
