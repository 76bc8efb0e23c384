"""`python main.py analyse`: how readers looked, as tables for a paper.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 stopped.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from migrations.study.command_line import (
    CommandParser,
    existing_file,
    existing_study,
    not_negative,
    whole_number,
)
from migrations.study.errors import NotAStudy, StudyError
from migrations.study.folder import Study
from migrations.study.incomplete import stopped_text
from migrations.study.stopping import listened
from migrations.study.told_events import ToldProgress, add_events, is_told, tell
from trainer.analysis.kundel import CLASSES, Thresholds
from trainer.analysis.run import PLAIN, Analysis, Question, analyse, write_analysis
from trainer.analysis.tables import Settings
from trainer.errors import TrainerError


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(argv)
    try:
        with listened(options.events):
            _work(options)
    except (TrainerError, StudyError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, NotAStudy) else 1
    except KeyboardInterrupt:
        sys.stderr.write(f"{stopped_text(options.out or options.study / 'exports' / 'analysis')}\n")
        return 3
    return 0


def _work(options: argparse.Namespace) -> None:
    question = _question(options)
    with contextlib.closing(Study.open(options.study)) as study:
        with _shown() as progress:
            found = analyse(study, question, progress)
        out = options.out or study.exports / "analysis"
        tell("stage", stage="export", message="Writing tables and figures.")
        names = write_analysis(out, found, question)
    tell("result", folder=str(out.absolute()), files=names)
    if is_told():
        return
    console = Console(width=None if sys.stdout.isatty() else 120, markup=False, emoji=False)
    for line in (*_lines(found), f"Written to {out}: {', '.join(names)}"):
        console.print(line, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def _shown() -> Iterator[Callable[[str, int, int], None]]:
    """Show progress to whoever watches: a station by events, a person by bars."""
    if is_told():
        told: dict[str, ToldProgress] = {}
        yield lambda stage, done, total: told.setdefault(stage, ToldProgress(stage, stage))(
            done, total
        )
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TimeRemainingColumn(), console=Console(stderr=True),
    ) as progress:  # fmt: skip
        tasks = {name: progress.add_task(name, total=None) for name in ("readings", "images")}
        yield lambda stage, done, total: progress.update(tasks[stage], completed=done, total=total)


def _question(options: argparse.Namespace) -> Question:
    thresholds = Thresholds(options.radius_deg, options.dwell_ms)
    settings = Settings(options.margin_deg, options.useful_field_deg, thresholds, options.seed)
    return Question(options.areas, options.plain, options.mark_radius_deg, settings)


def _lines(found: Analysis) -> list[str]:
    """Return what is said of an analysis, a sentence each."""
    tables = found.tables
    readings = len({row["reading"] for row in tables.readings})
    images = len({row["image"] for row in tables.readings})
    lines = [
        f"{readings} readings of {images} images; {len(tables.areas)} rows of areas, "
        f"{len(tables.pairs)} pairs of readings."
    ]
    for error in dict.fromkeys(row["error"] for row in tables.misses):
        own = [row for row in tables.misses if row["error"] == error]
        counts = {kind: sum(row["class"] == kind for row in own) for kind in CLASSES}
        words = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        lines.append(f"{error}s: {len(own)} ({words}).")
    return [*lines, *(f"Note: {note}" for note in found.notes)]


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py analyse",
        description="Measure how readers looked at images: dwell on areas, first fixations, scan "
        "paths, coverage, similarity between readers, and why lesions were missed. "
        "Everything is recomputed from the stored gaze. For research, not for "
        "diagnosis.",
        example="python main.py analyse --study study --areas lesions.csv --out analysis",
    )
    add = parser.add_argument
    add(
        "--study", type=existing_study, required=True, metavar="FOLDER", help="the study to analyse"
    )
    add("--areas", type=existing_file, metavar="FILE", help="csv: image, area, kind, frame, x, y, "
        "width, height or points, lesion (docs/analysis.md)")  # fmt: skip
    add("--plain", choices=PLAIN, default="none",
        help="areas on every image, in addition to those of --areas")  # fmt: skip
    add("--margin-deg", type=not_negative, metavar="DEG",
        help="margin around every area (default: each reader's validated accuracy)")  # fmt: skip
    add("--useful-field-deg", type=not_negative, default=2.5, metavar="DEG",
        help="radius of the useful field of view, used for coverage")  # fmt: skip
    add("--radius-deg", type=not_negative, default=2.5, metavar="DEG",
        help="fixations within this distance count as looking at a missed lesion")  # fmt: skip
    add("--dwell-ms", type=not_negative, default=1000.0, metavar="MS",
        help="with at least this dwell, a miss is a decision error")  # fmt: skip
    add("--mark-radius-deg", type=not_negative, default=1.0, metavar="DEG",
        help="a mark within this distance finds a lesion")  # fmt: skip
    add("--seed", type=whole_number, default=0, help="seed for simulating the tracker's error")
    add("--out", type=Path, metavar="FOLDER",
        help="output folder (default: exports/analysis in the study)")  # fmt: skip
    add_events(parser)
    return parser
