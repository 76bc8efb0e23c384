"""`python main.py report`: one HTML file of a study and its runs.

Exit codes: 0 done, 1 failed, 2 wrong arguments.
"""

import argparse
import contextlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from migrations.errors import NotAStudy, StudyError
from migrations.study import Study
from trainer.errors import TrainerError
from trainer.report.write import FILE_NAME, write_report

log = logging.getLogger("trainer")
BESIDE = ""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(argv)
    try:
        with contextlib.closing(Study.open(options.study, database_url=options.database)) as study:
            path = write_report(
                study,
                options.runs,
                options.out,
                share=options.share,
                probes=options.probes,
                figures=_figures(options, study),
            )
    except (TrainerError, StudyError) as error:
        log.debug("The report failed", exc_info=True)
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, NotAStudy) else 1
    sys.stdout.write(f"{path}\n")
    return 0


def _figures(options: argparse.Namespace, study: Study) -> Path | None:
    """Return where figures go: a folder beside the page, unless one is named."""
    if options.figures is None:
        return None
    if options.figures != BESIDE:
        return Path(options.figures)
    page: Path = options.out or study.exports / FILE_NAME
    return page.with_name(f"{page.stem}-figures")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python main.py report",
        description="Write one HTML file of a study and its runs; it opens offline and prints "
        "well. For research, not for diagnosis.",
    )
    parser.add_argument("--study", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--runs", nargs="+", metavar="ID", help="runs to show, by id or folder name; else all"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="else exports/report.html of the study"
    )
    parser.add_argument(
        "--probes", nargs="+", type=Path, metavar="FOLDER",
        help="results of `probe` to show; else those in the study's exports",
    )  # fmt: skip
    parser.add_argument(
        "--figures", nargs="?", const=BESIDE, metavar="FOLDER",
        help="also write each figure (SVG, PNG, JPEG) and table (CSV); else beside the page",
    )  # fmt: skip
    parser.add_argument(
        "--share", action="store_true",
        help="leave out images, notes and figures of single readers",
    )  # fmt: skip
    parser.add_argument("--database", metavar="URL", help="another database than the study's own")
    return parser
