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
from trainer.report.write import write_report

log = logging.getLogger("trainer")


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(argv)
    try:
        with contextlib.closing(Study.open(options.study, database_url=options.database)) as study:
            path = write_report(study, options.runs, options.out)
    except (TrainerError, StudyError) as error:
        log.debug("The report failed", exc_info=True)
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, NotAStudy) else 1
    sys.stdout.write(f"{path}\n")
    return 0


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
    parser.add_argument("--database", metavar="URL", help="another database than the study's own")
    return parser
