"""The controlled study of whether gaze helps, where the truth is known.

python bench/study check                 can the phantoms carry the question at all?
python bench/study purity                how pure are the pairs of each measure?
python bench/study run [--only TEXT …] [--seeds N] [--minutes M] [--part 1/2] [--commit]
python bench/study write                 docs/study.md and its figure, from what is stored

Cells are stored in bench/study/cells.jsonl as each ends; what is there is not run again. With
--commit the file is committed once, when the command ends, however it ends: one commit a table.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# Before torch. One thread a cell: two cells side by side finish sooner than one after the other,
# and neither waits for the other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from bench.stored_lines import once, read  # noqa: E402
from bench.study.plan import SEEDS, Cell, all_cells  # noqa: E402

FOLDER = Path(__file__).resolve().parent
CELLS, PURITY, CHECKS = FOLDER / "cells.jsonl", FOLDER / "purity.jsonl", FOLDER / "checks.jsonl"


def main() -> int:
    """Do what the command says."""
    options = _parser().parse_args()
    FOLDER.mkdir(exist_ok=True)
    work = {"check": _check, "purity": _purity, "run": _run, "write": _write}[options.what]
    table = {"check": CHECKS, "purity": PURITY, "run": CELLS}.get(options.what)
    before = len(read(table)) if table else 0
    try:
        return work(options)
    finally:
        if options.commit and table:
            _commit(table, read(table)[before:])


def _check(options: argparse.Namespace) -> int:
    from bench.study.cells import supervised, untrained

    for seed in range(options.seeds):
        for make in (supervised, untrained):
            once(CHECKS, {make.__name__: True, "seed": seed}, lambda m=make, s=seed: m(s))
    failed = [c for c in read(CHECKS) if c["cell"] == "supervised" and c["auc"] <= 0.95]
    return 1 if failed else 0


def _purity(options: argparse.Namespace) -> int:
    from bench.study.purity import MEASURES, purities

    for seed in range(options.seeds):
        for measure in MEASURES:
            if options.only and measure not in options.only:
                continue
            key = {"measure": measure, "seed": seed}
            once(PURITY, key, lambda m=measure, s=seed: purities(m, s))
    return 0


def _run(options: argparse.Namespace) -> int:
    from bench.study.cells import run_cell

    begun, longest = time.monotonic(), 0.0
    part, parts = map(int, options.part.split("/"))
    wanted = [c for c in all_cells(options.seeds) if _is_meant(c, options.only)][part - 1 :: parts]
    for number, cell in enumerate(wanted, 1):
        left = options.minutes * 60 - (time.monotonic() - begun)
        if left < longest:
            print(f"{len(wanted) - number + 1} cells are left; the time is used up.")
            return 0
        started = time.monotonic()
        print(f"[{number}/{len(wanted)}] {cell.name} seed {cell.seed}", flush=True)
        if once(CELLS, cell.key, lambda c=cell: run_cell(c)):
            longest = max(longest, time.monotonic() - started)
    return 0


def _write(options: argparse.Namespace) -> int:
    from bench.study.pages import write_page

    for path in write_page(read(CHECKS), read(PURITY), read(CELLS)):
        print(path)
    return 0


def _is_meant(cell: Cell, words: Iterable[str]) -> bool:
    words = list(words)
    told = f"{cell.table}/{cell.name} seed={cell.seed}"
    return not words or any(word in told for word in words)


def _commit(path: Path, made: Sequence[dict[str, Any]]) -> None:
    """Commit a table with the lines that were made, all at once."""
    if not made:
        return
    kinds = sorted({str(line.get("cell", path.stem)) for line in made})
    git = ["git", "-C", str(FOLDER)]
    subprocess.run([*git, "add", path.name], check=True)
    said = f"Study: {len(made)} lines of {path.name}\n\n{', '.join(kinds)}"
    subprocess.run([*git, "commit", "-q", "-m", said, "--", path.name], check=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("check", "purity", "run", "write"))
    parser.add_argument(
        "--only", nargs="+", default=[], help="cells whose name holds one of these words; measures"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument(
        "--minutes", type=float, default=1e9, help="begin no cell that would not fit"
    )
    parser.add_argument(
        "--part", default="1/1", help="2/3: every third cell from the second; one for each process"
    )
    parser.add_argument("--commit", action="store_true", help="commit the table, once, at the end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
