"""`python main.py similarity`: compare readings by gaze, with or without a study.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 stopped by the user.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from devices.gaze.errors import GazeError
from migrations.study.command_line import CommandParser, finite_number, require_there
from migrations.study.errors import StudyError
from migrations.study.stopping import WITHIN_S
from migrations.study.told_events import add_events
from trainer.errors import Cancelled, ConfigError, SimilarityError, TrainerError
from trainer.process.events import JsonReporter, RunFailed
from trainer.process.set_options import parse_settings
from trainer.process.stopping import StopRequest
from trainer.process.terminal import TerminalReporter
from trainer.similarity.job import run_job
from trainer.similarity.names import AUTO
from trainer.similarity.output import MATRIX_SUFFIXES
from trainer.similarity.pair_search import Part
from trainer.similarity.request import Job, Request

log = logging.getLogger("trainer")


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    require_there(parser, options, ("gaze", "order"))
    console = Console()
    stop, told = StopRequest(), options.events == "json"
    report = JsonReporter(sys.stdout) if told else TerminalReporter(console)
    if told:
        stop.listen(sys.stdin.fileno())
    try:
        request = _request(options)
        with stop.on_signals(within_s=WITHIN_S):
            run_job(Job(request, console, report, stop))
        return 0
    except (Cancelled, KeyboardInterrupt):
        report.close()
        console.print(
            "Stopped. No file was written. The study's features are kept for the next run."
        )
        return 3
    except ConfigError as error:
        report(RunFailed(str(error)))
        return 2
    except (TrainerError, StudyError, GazeError) as error:
        report(RunFailed(str(error)))
        return 1
    except MemoryError:
        report(
            RunFailed(
                "There is not enough memory for the matrix. Use --graph to write a sparse "
                "graph instead."
            )
        )
        return 1
    finally:
        report.close()


def read_request(argv: Sequence[str]) -> Request:
    """Return what a command line asks for; exits 2 where it is mistyped.

    Raises
    ------
    ConfigError
        Naming the option that cannot be.
    """
    return _request(_parser().parse_args(argv))


def _request(options: argparse.Namespace) -> Request:
    """Return what is asked for, checked as far as the command line tells.

    Raises
    ------
    ConfigError
        Naming the option.
    """
    settings = parse_settings(options.set)
    for name in ("canvas", "combine", "reader"):
        if getattr(options, name) is not None:
            settings[name] = getattr(options, name)
    canvas_size = _canvas(settings)
    request = Request(
        gaze=options.gaze,
        measure=options.measure,
        settings=settings,
        out=options.out,
        graph=options.graph,
        order=options.order,
        jobs=options.jobs,
        threshold=options.threshold,
        positive_rate=options.positive_rate,
        top_k=options.top_k,
        by_dimension=options.dimensions == "all",
        agreement=tuple(options.agreement),
        image_size=options.image_size or canvas_size,
        database=options.database,
        labels=options.labels,
        part=options.part,
        cohort=options.cohort,
        approximate=options.approximate,
    )
    _check(request)
    return request


def _canvas(settings: dict[str, Any]) -> tuple[float, float] | None:
    """Turn a canvas given as WIDTHxHEIGHT into the parameters for it; return its size."""
    text = str(settings.get("canvas", ""))
    if "x" not in text.lower():
        return None
    width, height = _size(text)
    settings |= {"canvas": int(max(width, height)), "proportions": "image"}
    return width, height


def _check(request: Request) -> None:
    # What is mistyped must not wait until the gaze is read.
    from trainer.similarity.evidence.settings import check_settings
    from trainer.similarity.registry import find_measure

    try:
        check_settings(request.measure, request.settings)
        for name in request.agreement:
            find_measure(name)
    except SimilarityError as error:
        raise ConfigError(str(error)) from error
    _check_files(request)
    if request.by_dimension and request.measure == AUTO:
        raise ConfigError(
            f"--dimensions all: choose a measure that has several dimensions, not {AUTO}."
        )
    if request.by_dimension and not find_measure(request.measure).dimensions:
        raise ConfigError(f"--dimensions all: {request.measure} has only one dimension.")
    rate = request.positive_rate
    if rate is not None and not 0 < rate < 1:
        raise ConfigError(f"--positive-rate {rate} is not between 0 and 1.")
    if request.jobs < 0:
        raise ConfigError(
            f"--jobs {request.jobs} is not a number of threads (0 means one per core)."
        )
    if request.top_k is not None and request.top_k < 1:
        raise ConfigError(f"--top-k {request.top_k} is below 1.")


def _check_files(request: Request) -> None:
    if request.labels is not None and not request.labels.is_file():
        raise ConfigError(f"--labels {request.labels} does not exist.")
    if request.out is not None and request.out.suffix not in MATRIX_SUFFIXES:
        raise ConfigError(f"--out {request.out}: its name must end in .npy or .npz.")
    if request.graph is not None and request.graph.suffix != ".npz":
        raise ConfigError(f"--graph {request.graph}: its name must end in .npz.")
    if request.cohort is not None and not request.cohort.is_file():
        raise ConfigError(f"--cohort {request.cohort} does not exist.")
    if request.part is not None and (request.graph is None or request.out is not None):
        raise ConfigError("--part only works with --graph FILE.npz, not with --out.")
    if request.approximate and (None in (request.graph, request.top_k) or request.part):
        raise ConfigError("--approximate only works with --graph and --top-k, without --part.")
    if request.out is not None and request.out == request.graph:
        raise ConfigError("--out and --graph are the same file.")
    if request.graph is not None and request.rule_count != 1:
        raise ConfigError("--graph needs one of --threshold, --positive-rate, --top-k.")


def _size(text: str) -> tuple[float, float]:
    width, _, height = text.lower().partition("x")
    try:
        size = finite_number(width), finite_number(height)
    except argparse.ArgumentTypeError as error:
        raise ConfigError(f"{text!r} is not a size. Write WIDTHxHEIGHT, e.g. 1920x1080.") from error
    if min(size) <= 0:
        raise ConfigError(f"{text!r}: both sides must be above 0.")
    return size


def _size_option(text: str) -> tuple[float, float]:
    try:
        return _size(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _part_option(text: str) -> Part:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a part. Write K/N, e.g. 2/8.")
    return Part(int(number), int(count))


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py similarity",
        description="Compare readings by gaze, from a study, a folder of gaze JSON files written "
        "by McGIP's code, or a MicEye csv. Points in files are in canvas pixels "
        "unless --image-size is given.",
        example="python main.py similarity --study my-study --measure tima --out relation.npz",
    )
    parser.add_argument(
        "--gaze", "--study", dest="gaze", type=Path, required=True, metavar="PATH",
        help="a study's folder, a folder of gaze JSON files, or a MicEye csv",
    )  # fmt: skip
    parser.add_argument(
        "--measure", default="tima",
        help="tima (default), moment, dhash, …; auto: evaluate each measure on these readings "
             "and choose the best",
    )  # fmt: skip
    parser.add_argument(
        "--labels", type=Path, metavar="FILE",
        help="csv with the columns image and label, used only for evaluation; it need not be "
             "complete (default: the study's labels)",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter of the measure, or combine and reader",
    )  # fmt: skip
    parser.add_argument("--canvas", help="canvas side in pixels (800), or WIDTHxHEIGHT")
    parser.add_argument(
        "--image-size", type=_size_option, metavar="WIDTHxHEIGHT",
        help="size of the frame in which points are given (default: the canvas)",
    )  # fmt: skip
    parser.add_argument(
        "--combine", help="how to combine several readings of an image: mean, max or first"
    )
    parser.add_argument("--reader", help="use only the readings of this reader (pseudonym)")
    parser.add_argument("--order", type=Path, help="file with one name per line (default: by name)")
    parser.add_argument(
        "--jobs", type=int, default=0, help="number of threads (default: one per core)"
    )
    parser.add_argument(
        "--out", type=Path, help="write the matrix: .npy, or .npz with validity and IDs"
    )
    parser.add_argument(
        "--dimensions", choices=("chosen", "all"), default="chosen",
        help="multimatch: `all` writes (N, N, 5)",
    )  # fmt: skip
    parser.add_argument(
        "--graph", type=Path, help="write a sparse graph: .npz for scipy.sparse.load_npz"
    )
    parser.add_argument(
        "--part", type=_part_option, metavar="K/N",
        help="search one part of a --graph, e.g. 2/8; `similarity merge` merges the parts",
    )  # fmt: skip
    parser.add_argument(
        "--cohort", type=Path, metavar="FILE.cohort.npz",
        help="file of what dwell, encoder or taught learned earlier, used instead of learning "
            "from this cohort",
    )  # fmt: skip
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument("--threshold", type=float, help="similarity above which a pair is positive")
    rule.add_argument(
        "--positive-rate", type=float, help="fraction of valid pairs that are positive"
    )
    rule.add_argument(
        "--top-k", type=int, metavar="K", help="keep the K most similar images of each image"
    )
    parser.add_argument(
        "--approximate", action="store_true",
        help="with --top-k: search approximately, for very large numbers of readings; needs "
            "faiss-cpu",
    )  # fmt: skip
    parser.add_argument(
        "--agreement", nargs="+", default=[], metavar="MEASURE",
        help="also report the rank correlation with other measures",
    )  # fmt: skip
    parser.add_argument("--database", help="URL of a database other than the study's own")
    add_events(parser)
    return parser
