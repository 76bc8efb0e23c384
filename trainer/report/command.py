"""`python main.py report`: write a study and its runs as one HTML file.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 stopped.
"""

import argparse
import contextlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from migrations.study.command_line import (
    CommandParser,
    existing_file,
    existing_folder,
    existing_study,
    file_to_write,
    shown_progress,
)
from migrations.study.errors import NotAStudy, StudyError
from migrations.study.folder import Study
from trainer.errors import TrainerError
from trainer.report.write import FILE_NAME, write_data, write_report

log = logging.getLogger("trainer")
BESIDE = ""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.study and (options.labels or options.splits or options.relation):
        parser.error(
            "--labels, --splits and --relation only work with --images; a study has its own"
        )
    try:
        path = _of_study(options) if options.study else _of_folder(options)
    except (TrainerError, StudyError) as error:
        log.debug("The report failed", exc_info=True)
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, NotAStudy) else 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. No report was written.\n")
        return 3
    sys.stdout.write(f"{path}\n")
    return 0


def _of_study(options: argparse.Namespace) -> Path:
    with contextlib.closing(Study.open(options.study, database_url=options.database)) as study:
        page = options.out or study.exports / FILE_NAME
        return write_report(
            study,
            options.runs,
            page,
            share=options.share,
            probes=options.probes,
            figures=_figures(options, page),
            progress=shown_progress("sections"),
        )


def _of_folder(options: argparse.Namespace) -> Path:
    from trainer.report.folder_data import FolderFiles, gather_folder  # torch takes seconds

    files = FolderFiles(options.images, options.labels, options.splits, options.relation)
    runs = [Path(run) for run in options.runs or ()]
    data = gather_folder(files, runs, probes=options.probes or (), share=options.share)
    page = options.out or Path(FILE_NAME)
    return write_data(
        data, page, figures=_figures(options, page), progress=shown_progress("sections")
    )


def _figures(options: argparse.Namespace, page: Path) -> Path | None:
    """Return where figures go: a folder beside the page, unless one is named."""
    if options.figures is None:
        return None
    if options.figures != BESIDE:
        return Path(options.figures)
    return page.with_name(f"{page.stem}-figures")


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py report",
        description="Write one HTML report of a study, or of a folder of images, and its runs. "
        "The file works offline and prints well. For research, not for diagnosis.",
        example="python main.py report --study my-study --out report.html",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--study", type=existing_study, metavar="FOLDER", help="the study's folder")
    source.add_argument(
        "--images",
        type=existing_folder,
        metavar="FOLDER",
        help="a folder of radiographs, without a study",
    )
    parser.add_argument(
        "--runs", nargs="+", metavar="RUN",
        help="runs to show: by name, ID or folder name for a study (default: all); by folder for "
             "images",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=file_to_write, metavar="FILE",
        help="the file to write (default: exports/report.html in the study, or report.html here)",
    )  # fmt: skip
    parser.add_argument(
        "--probes", nargs="+", type=existing_folder, metavar="FOLDER",
        help="results of `probe` to show (default: those in the study's exports)",
    )  # fmt: skip
    files = parser.add_argument_group("for a folder of images, as for `train`")
    files.add_argument(
        "--labels", type=existing_file, metavar="CSV", help="image, label, and patient, split"
    )
    files.add_argument(
        "--splits", type=existing_file, metavar="JSON", help="{train, val, test} lists"
    )
    files.add_argument(
        "--relation", type=existing_file, metavar="FILE", help="similarity of the images"
    )
    parser.add_argument(
        "--figures", nargs="?", const=BESIDE, metavar="FOLDER",
        help="also write each figure (SVG, PNG, JPEG) and table (CSV) to this folder (default: "
             "next to the report)",
    )  # fmt: skip
    parser.add_argument(
        "--share", action="store_true",
        help="leave out images, notes and the figures of individual readers",
    )  # fmt: skip
    parser.add_argument(
        "--database", metavar="URL", help="URL of a database other than the study's own"
    )
    return parser
