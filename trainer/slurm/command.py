"""`python main.py slurm train|similarity …`: write the batch script of a command.

Exit codes: 0 done, 1 the script cannot be written, 2 wrong arguments.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from migrations.study.command_line import CommandParser, whole_number
from migrations.study.processes import MAIN
from migrations.study.unwritable import unwritable_text
from trainer.command import read_options as read_train
from trainer.errors import ConfigError, RunFolderError, TrainerError
from trainer.process.events import RunFailed
from trainer.process.terminal import TerminalReporter
from trainer.similarity.command import read_request
from trainer.slurm.resources import Resources
from trainer.slurm.scripts import similarity_script, train_script

KINDS = ("train", "similarity")
_TIME = re.compile(r"\d+(-\d+)?(:\d+){0,2}")


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options, words = parser.parse_known_args(argv)
    if options.time and not _TIME.fullmatch(options.time):
        parser.error(f"--time {options.time} is not MINUTES, HH:MM:SS or DAYS-HH:MM:SS")
    console = Console()
    try:
        script, text, submit = _SCRIPTS[options.kind](options, words)
        _write(script, text)
    except ConfigError as error:
        TerminalReporter(console)(RunFailed(str(error)))
        return 2
    except TrainerError as error:
        TerminalReporter(console)(RunFailed(str(error)))
        return 1
    console.print(f"Batch script: {script}. Submit it: {submit}", highlight=False, soft_wrap=True)
    return 0


def _train(options: argparse.Namespace, words: list[str]) -> tuple[Path, str, str]:
    asked, config = read_train(words)  # what is mistyped must not wait in a queue
    if asked.fresh:
        raise ConfigError(
            "--fresh: a requeued job would start over each time. Choose a new run folder with "
            "--out instead."
        )
    if options.parts is not None:
        raise ConfigError("--parts only works with similarity; for train, use --nodes and --gpus.")
    script = _script(options, "foveate-train.sbatch")
    gpus = 0 if config.device == "cpu" else options.gpus
    resources = _resources(options, options.processes or max(gpus, 1), gpus)
    text = train_script(script, Path.cwd(), _program(options, "train", *words), resources)
    return script, text, f"sbatch {script}"


def _similarity(options: argparse.Namespace, words: list[str]) -> tuple[Path, str, str]:
    request = read_request(words)
    if request.graph is None:
        raise ConfigError("--graph FILE.npz is missing; only a graph can be computed in parts.")
    if request.part is not None:
        raise ConfigError(
            "The script sets --part itself. Choose the number of parts with --parts N."
        )
    if request.out is not None or request.approximate:
        raise ConfigError("--out and --approximate cannot be split into parts.")
    if options.nodes > 1 or options.processes:
        raise ConfigError(
            "--nodes and --processes only work with train; for similarity, use --parts."
        )
    script = _script(options, "foveate-similarity.sh")
    kept = _without(words, "--graph")
    if not request.jobs:
        kept += ["--jobs", str(options.cpus)]
    text = similarity_script(
        script,
        Path.cwd(),
        _program(options, "similarity", *kept),
        _program(options, "similarity", "merge"),
        request.graph,
        options.parts or 8,
        _resources(options, 1, 0),
    )
    return script, text, f"bash {script}"


_SCRIPTS = {"train": _train, "similarity": _similarity}


def _program(options: argparse.Namespace, *words: str) -> list[str]:
    return [options.python, str(MAIN), *words]


def _script(options: argparse.Namespace, default: str) -> Path:
    """Return the file that is to be written.

    Raises
    ------
    ConfigError
        If it is there, perhaps with changes of the user's.
    """
    script = Path(options.script or default).absolute()
    if script.exists():
        raise ConfigError(f"{script} already exists. Choose another with --script, or delete it.")
    return script


def _write(script: Path, text: str) -> None:
    try:
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise RunFolderError(unwritable_text(script, error)) from error


def _without(words: list[str], option: str) -> list[str]:
    """Return the words without an option and its value."""
    kept, skip = [], False
    for word in words:
        if skip or word.startswith(f"{option}="):
            skip = False
        elif word == option:
            skip = True
        else:
            kept.append(word)
    return kept


def _resources(options: argparse.Namespace, processes: int, gpus: int) -> Resources:
    return Resources(
        nodes=options.nodes,
        processes=processes,
        gpus=gpus,
        cpus=options.cpus,
        memory=options.memory,
        time=options.time,
        partition=options.partition,
        account=options.account,
        notice_s=options.notice,
        directives=tuple(options.directive),
        setup=tuple(options.setup),
    )


def _count(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        value = whole_number(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is too small; it must be at least {least}.")
        return value

    return count


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py slurm",
        allow_abbrev=False,
        description="Write a batch script for a training, which is requeued until it is done, or "
        "for a search for pairs in parts, which are then merged. All other options "
        "are passed to the command and are checked now.",
        example="python main.py slurm train --gpus 4 --time 12:00:00 --study my-study",
    )
    parser.add_argument("kind", choices=KINDS, help="the command to run")
    parser.add_argument(
        "--script",
        metavar="FILE",
        help="the script to write (default: foveate-train.sbatch and so on)",
    )
    parser.add_argument(
        "--parts", type=_count(1), metavar="N", help="similarity: number of parts (default: 8)"
    )
    parser.add_argument(
        "--nodes", type=_count(1), default=1, help="train: number of machines (default: 1)"
    )
    parser.add_argument(
        "--gpus", type=_count(0), default=1, help="train: GPUs per machine (default: 1)"
    )
    parser.add_argument(
        "--processes", type=_count(1), help="train: processes per machine (default: one per GPU)"
    )
    parser.add_argument(
        "--cpus", type=_count(1), default=4, help="CPU cores per process (default: 4)"
    )
    parser.add_argument("--memory", default="", metavar="32G", help="memory of each machine")
    parser.add_argument("--time", default="", metavar="HH:MM:SS", help="time limit of each start")
    parser.add_argument(
        "--partition", default="", help="partition of the cluster (default: the cluster's own)"
    )
    parser.add_argument("--account", default="", help="account to charge (default: your own)")
    parser.add_argument(
        "--notice", type=_count(1), default=120, metavar="S",
        help="train: seconds before the limit to stop with a checkpoint (default: 120)",
    )  # fmt: skip
    parser.add_argument(
        "--setup", action="append", default=[], metavar="LINE",
        help="shell line to run first: --setup 'module load cuda'",
    )  # fmt: skip
    parser.add_argument(
        "--directive", action="append", default=[], metavar="OPTION",
        help="an additional sbatch option: --directive=--constraint=a100",
    )  # fmt: skip
    parser.add_argument(
        "--python", default=sys.executable, help="Python to use (default: the one running now)"
    )
    return parser
