"""`python main.py probe`: how well encoders tell classes apart, beside honest baselines.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 stopped.
"""

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from migrations.study.command_line import (
    CommandParser,
    existing_file,
    existing_folder,
    existing_study,
    one_or_more,
)
from migrations.study.errors import NotAStudy, StudyError
from migrations.study.folder import Study
from migrations.study.incomplete import stopped_text
from migrations.study.stopping import listened
from migrations.study.told_events import ToldProgress, add_events, is_told, tell
from trainer.encoders.files import existing_encoder
from trainer.errors import ConfigError, EncoderError, NoSuchEncoder, TrainerError

log = logging.getLogger("trainer")


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    problem = _misused(options)
    if problem:
        parser.error(problem)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see trainer.command
    try:
        with listened(options.events):
            return _probe(options)
    except (TrainerError, StudyError) as error:
        log.debug("The probe failed", exc_info=True)
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, NotAStudy | ConfigError | NoSuchEncoder | EncoderError) else 1
    except KeyboardInterrupt:
        out = options.out or (options.study and options.study / "exports" / "probe")
        sys.stderr.write(f"\n{stopped_text(out, 'Stopped. Nothing was written.')}\n")
        return 3


def _probe(options: argparse.Namespace) -> int:
    from trainer.probe.prepare import prepare
    from trainer.probe.provenance import provenance_of
    from trainer.probe.run import answer
    from trainer.probe.tables import show
    from trainer.probe.write import write_results

    console = Console(width=None if sys.stdout.isatty() else 160)
    with contextlib.ExitStack() as stack:
        study = None
        if options.study:
            study = Study.open(options.study, database_url=options.database)
            stack.enter_context(contextlib.closing(study))
        question = prepare(options, study)
        with _stages() as stage:
            found = answer(question, stage)
        show(found, console)
        out = options.out or (study.exports / "probe" if study else None)
        if out is not None:
            write_results(out, found, provenance_of(question, found, options))
            tell("result", out=str(out))
            console.print(f"Written to {out}", markup=False, highlight=False, soft_wrap=True)
    return 0


@contextlib.contextmanager
def _stages() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """Give what announces stages on standard error, each with rate and time left."""
    if is_told():
        yield lambda name: ToldProgress(name, "")
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def stage(name: str) -> Callable[[int, int], None]:
            task = progress.add_task(name, total=None, rate="")

            def show_progress(done: int, total: int) -> None:
                speed = progress.tasks[task].speed
                rate = f"{speed:.1f}/s" if speed else ""
                progress.update(task, completed=done, total=total, rate=rate)

            return show_progress

        yield stage


def _misused(options: argparse.Namespace) -> str | None:
    if options.images and not (options.labels or options.splits):
        return "--images needs --labels, or --splits in which names start with the class"
    if options.labels and not options.images:
        return "--labels only works with --images; a study has its own labels"
    if options.repeats < 1:
        return "--repeats must be at least 1"
    return None


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py probe",
        description="Test encoders on labelled images by linear probe, nearest neighbours and, "
        "optionally, fine-tuning, against raw pixels and an untrained network. "
        "Splits are by patient, and test images never affect any choice. For "
        "research, not for diagnosis.",
        example="python main.py probe --study my-study --encoder gaze-run plain-run",
    )
    parser.add_argument(
        "--encoder", nargs="+", action="extend", default=[], metavar="FILE|RUN", required=True,
        help="encoder files, run folders, or names of the study's runs",
    )  # fmt: skip
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--study",
        type=existing_study,
        metavar="FOLDER",
        help="use the labelled images of this study",
    )
    source.add_argument(
        "--images",
        type=existing_folder,
        metavar="FOLDER",
        help="use this folder of PNG or JPEG radiographs",
    )
    parser.add_argument(
        "--labels",
        type=existing_file,
        metavar="CSV",
        help="csv with the columns image, label and, optionally, patient and split",
    )
    parser.add_argument(
        "--database", metavar="URL", help="URL of a database other than the study's own"
    )
    parser.add_argument(
        "--splits", type=existing_file, metavar="JSON",
        help="JSON lists of images {train, val, test}, or the splits.json of a probe or run",
    )  # fmt: skip
    parser.add_argument(
        "--label-budget", default="10,25,100,all", metavar="N,…",
        help="numbers of labelled images, and/or all (default: 10,25,100,all)",
    )  # fmt: skip
    parser.add_argument(
        "--probes", default="linear,knn", help="any of linear, knn, finetune (default: linear,knn)"
    )
    parser.add_argument(
        "--init", "--imagenet", type=existing_encoder, metavar="FILE", dest="imagenet",
        help="weights for an additional baseline, imagenet",
    )  # fmt: skip
    parser.add_argument(
        "--transductive", action="store_true",
        help="allow encoders that were trained on test images; every figure will say so",
    )  # fmt: skip
    parser.add_argument(
        "--repeats", type=int, default=10, help="number of splits or draws (default: 10)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed for splits, draws and the untrained network"
    )
    parser.add_argument(
        "--size", type=one_or_more, help="input size in pixels (default: as each was pre-trained)"
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="device to compute on"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER",
        help="output folder (default for a study: exports/probe)",
    )  # fmt: skip
    add_events(parser)
    return parser
