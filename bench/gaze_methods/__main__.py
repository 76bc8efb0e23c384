"""The second controlled study: more from gaze than pairs.

python bench/gaze_methods check [--seeds N]        can the phantoms carry the question?
python bench/gaze_methods run [--only TEXT …] [--minutes M] [--part 1/2]
python bench/gaze_methods write                    docs/gaze-methods.md from what is stored

Cells are stored in bench/gaze_methods/cells.jsonl as each ends; what is there is not run again.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: a cell takes one core
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from bench.gaze_methods.plan import all_cells  # noqa: E402
from bench.stored_lines import once, read  # noqa: E402

FOLDER = Path(__file__).resolve().parent
CELLS, CHECKS = FOLDER / "cells.jsonl", FOLDER / "checks.jsonl"


def main() -> int:
    """Do what the command says."""
    options = _parser().parse_args()
    return {"check": _check, "run": _run, "write": _write}[options.what](options)


def _check(options: argparse.Namespace) -> int:
    from bench.gaze_methods.cells import check

    for seed in range(options.seeds):
        once(CHECKS, {"check": True, "seed": seed}, lambda s=seed: check(s))
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
            made = once(CELLS, cell.key, lambda c=cell: run_cell(c))
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
