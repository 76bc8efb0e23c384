"""`python main.py performance`: how well readers read, and whether arms differ.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 stopped.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from trainer.analysis.performance.obuchowski_rockette import RANDOM
from trainer.analysis.performance.ratings_file import read_ratings
from trainer.analysis.performance.result import performance_of
from trainer.analysis.performance.write import write_performance
from trainer.errors import PerformanceError


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if not options.ratings.is_file():
        parser.error(f"--ratings {options.ratings}: there is no such file.")
    try:
        ratings = read_ratings(options.ratings)
        found = performance_of(ratings, options.random)
        console = Console(width=None if sys.stdout.isatty() else 120)
        _show(found, console)
        if options.out:
            names = write_performance(options.out, ratings, found)
            console.print(f"Written to {options.out}: {', '.join(names)}", soft_wrap=True)
    except PerformanceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return 3
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python main.py performance",
        description="ROC figures of readers, their agreement, and arms compared over readers and "
        "cases (Obuchowski-Rockette with Hillis' degrees of freedom). For research, not for "
        "diagnosis.",
        epilog="example: python main.py performance --ratings ratings.csv --out performance",
    )
    parser.add_argument(
        "--ratings", type=Path, required=True, metavar="FILE.csv",
        help="columns reader, treatment, case, truth (0 or 1), rating; others are passed over",
    )  # fmt: skip
    parser.add_argument(
        "--random", choices=RANDOM, default="both",
        help="what is a sample of a population: readers and cases, readers alone, cases alone "
        "(default: both)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write tables and figures there")
    return parser


def _show(found: Mapping[str, Any], console: Console) -> None:
    table = Table(title="Area under the ROC curve (empirical)")
    table.add_column("Reader")
    for arm in found["arms"]:
        table.add_column(f"Arm {arm}", justify="right")
    by_reader = {(row["arm"], row["reader"]): row["auc"] for row in found["auc_by_reader"]}
    for reader in found["readers"]:
        table.add_row(reader, *(f"{by_reader[arm, reader]:.3f}" for arm in found["arms"]))
    table.add_section()
    table.add_row("Mean", *(f"{value:.3f}" for value in found["auc"]))
    table.add_row("95 %", *(f"{low:.3f} to {high:.3f}" for low, high in found["auc_interval"]))
    console.print(table)
    console.print(f"Design: {found['design']}.", highlight=False)
    for line in _sentences(found):
        console.print(line, highlight=False)


def _sentences(found: Mapping[str, Any]) -> list[str]:
    if found["F"] is None:
        return ["One arm: nothing to compare."] if len(found["arms"]) < 2 else []
    ddf = "∞" if found["ddf"] is None else f"{found['ddf']:.1f}"
    lines = [
        f"Equal arms: F({len(found['arms']) - 1}, {ddf}) = {found['F']:.3f}, p = {found['p']:.4f} "
        f"(Obuchowski-Rockette, jackknife, {found['random']} random)."
    ]
    if len(found["arms"]) == 2:
        first, second = found["arms"]
        lines.append(
            f"Difference {first} less {second}: {found['difference']:.4f} "
            f"[{found['low']:.4f}, {found['high']:.4f}]."
        )
    return lines
