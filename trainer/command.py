"""`python main.py train`: pre-train on a study, with a terminal or with a station listening.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 stopped by the user with a checkpoint.
"""

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrations.study.command_line import CommandParser, require_there
from migrations.study.errors import NotAStudy, StudyError
from migrations.study.folder import Study
from migrations.study.missing_library import missing_text
from migrations.study.unwritable import disk_full_text, is_disk_full
from trainer.config.config import ENCODERS, PAIRS, RunConfig
from trainer.config.encoder_description import describe_encoder, encoder_problem
from trainer.config.form_description import describe
from trainer.config.layers import make_config
from trainer.config.methods import METHODS
from trainer.config.recipes import RECIPES
from trainer.errors import ConfigError, EncoderError, TrainerError
from trainer.process.events import Emit, RunFailed, RunFinished, StageStarted
from trainer.process.reporters import is_listened_to, reporter_of
from trainer.process.set_options import parse_settings, read_config
from trainer.process.stopping import StopRequest
from trainer.proposed_size import size_option, with_size

if TYPE_CHECKING:
    from trainer.runs.source import Source

log = logging.getLogger("trainer")

_OPTIONS = (
    "method", "pairs", "measure", "threshold", "positive_rate", "drop", "encoder", "init", "recipe",
    "size", "batch", "epochs", "device", "seed", "name", "transductive",
)  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    return run_train(argv)


def run_train(
    argv: Sequence[str], report: Emit | None = None, stop: StopRequest | None = None
) -> int:
    """Train as a command line says and return the exit code.

    Parameters
    ----------
    report, stop
        Of another command that this training is a part of; None: its own, as the options say.
    """
    if "--describe" in argv:
        sys.stdout.write(describe() + "\n")
        return 0
    parser = _parser()
    options = parser.parse_args(argv)
    if options.describe_encoder:
        sys.stdout.write(_described_encoder(options) + "\n")
        return 0
    require_there(parser, options, ("images", "relation", "order", "labels", "splits", "config"))
    with contextlib.ExitStack() as stack:
        report = report or stack.enter_context(reporter_of(options.events))
        try:
            return _train(options, report, stop or _stop_request(options.events))
        except (ConfigError, NotAStudy, EncoderError) as error:
            _fail(report, str(error))
            return 2
        except (TrainerError, StudyError) as error:
            _fail(report, str(error))
            return 1
        except KeyboardInterrupt:
            report(
                RunFailed(
                    "Stopped. Start the same training again to continue from the last checkpoint."
                )
            )
            return 3
        except Exception as error:
            if isinstance(error, ImportError) and (text := missing_text(error)):
                _fail(report, text)
                return 1
            if isinstance(error, OSError) and is_disk_full(error):
                _fail(report, disk_full_text(error))
                return 1
            log.exception("Unexpected error")
            report(RunFailed(f"Unexpected {type(error).__name__}: {error}. This is a bug in "
                             "Foveate; the traceback is in the run's log.txt."))  # fmt: skip
            return 1


def _described_encoder(options: argparse.Namespace) -> str:
    try:
        return describe_encoder(_config(options)[0])
    except TrainerError as error:
        return encoder_problem(str(error))


def _stop_request(events: str) -> StopRequest:
    stop = StopRequest()
    if is_listened_to(events):
        stop.listen(sys.stdin.fileno())
    return stop


def _fail(report: Emit, message: str) -> None:
    """Say why a run failed; of several processes, which one it was, unless it was the first."""
    number = os.environ.get("RANK", "0")
    report(RunFailed(message if number == "0" else f"Process {number}: {message}"))


def read_options(argv: Sequence[str]) -> tuple[argparse.Namespace, RunConfig]:
    """Return what a command line asks for, and the settings; exits 2 where it is mistyped.

    Raises
    ------
    ConfigError
        If a setting cannot be understood, or it is not said where images come from.
    """
    options = _parser().parse_args(argv)
    _require_one_source(options)
    return options, _config(options)[0]


def _config(options: argparse.Namespace) -> tuple[RunConfig, str]:
    """Return the settings, and what a proposed size is based on; empty if none was asked for."""
    given = {n: getattr(options, n) for n in _OPTIONS if getattr(options, n) is not None}
    layers: list[dict[str, Any]] = [read_config(options.config)] if options.config else []
    layers, proposed = with_size(options, [*layers, parse_settings(options.set), given])
    return make_config(*layers), proposed


def _require_one_source(options: argparse.Namespace) -> None:
    if (options.study is None) == (options.images is None):
        raise ConfigError("Use either --study FOLDER or --images FOLDER.")


def _train(options: argparse.Namespace, report: Emit, stop: StopRequest) -> int:
    config, proposed = _config(options)
    if proposed:
        report(StageStarted("cohort", proposed))
    _share_the_cores()
    with contextlib.closing(_source(options, config)) as source, stop.on_signals():
        from trainer.process.distributed import joined, rank
        from trainer.runs.run import run_training
        from trainer.runs.stages import Run

        with joined(config.device, alone=config.ddp):
            run = Run(source, config, report, stop, fresh=options.fresh, out=options.out)
            ended = run_training(run)
            first = rank() == 0
    if first:
        report(ended)
    return 0 if isinstance(ended, RunFinished) else 3


def _source(options: argparse.Namespace, config: RunConfig) -> "Source":
    """Return where the images come from: a study, or a folder of files."""
    _require_one_source(options)
    if options.images is not None:
        from trainer.runs.folder_source import FolderSource

        out = options.out
        return FolderSource(
            options.images,
            options.relation,
            options.order,
            options.labels,
            options.splits,
            runs=out.absolute().parent if out else Path("runs"),
            cache_folder=options.cache,
        )
    if options.order or options.labels or options.splits:
        raise ConfigError(
            "--order, --labels and --splits only work with --images; a study has its own data."
        )
    from trainer.report.write import write_report
    from trainer.runs.study_source import StudySource

    study = Study.open(options.study, database_url=options.database)
    return StudySource(study, options.relation, write_report)


def _share_the_cores() -> None:
    """Let torch's idle threads sleep, unless the user set otherwise; before torch is imported.

    OpenMP's threads wait by spinning. Beside a recording station, or anything else that takes a
    core, a step then takes 2 to 8 times as long (measured on 2 cores); asleep they cost nothing.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py train",
        description="Pre-train an encoder on the images and gaze of a study, or on a folder of "
        "images and a relation file. Run the same command to continue a stopped run.",
        example="python main.py train --study my-study --epochs 200 --size 224 --batch 64",
    )
    parser.add_argument("--study", type=Path, metavar="FOLDER", help="the study's folder")
    parser.add_argument("--database", help="URL of a database other than the study's own")
    files = parser.add_argument_group("without a study")
    files.add_argument(
        "--images",
        type=Path,
        metavar="FOLDER",
        help="folder of images, optionally with one sub-folder per class",
    )
    files.add_argument(
        "--relation", type=Path, metavar="FILE",
        help="similarity of the images: .npy (N, N) in the order of names, .npz, or a sparse "
             "graph",
    )  # fmt: skip
    files.add_argument(
        "--order",
        type=Path,
        metavar="FILE",
        help="file of image names, one per line, in order",
    )
    files.add_argument(
        "--labels", type=Path, metavar="FILE",
        help="csv with the columns image and label, patient, split (default: the parent folder)",
    )  # fmt: skip
    files.add_argument(
        "--splits", type=Path, metavar="JSON",
        help="JSON lists of images {train, val, test}; test images are held out",
    )  # fmt: skip
    files.add_argument("--cache", type=Path, metavar="FOLDER", help="folder for decoded images")
    parser.add_argument("--config", type=Path, help="TOML file of settings")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change any setting by name",
    )
    parser.add_argument(
        "--out", type=Path, help="the run's folder (default: one in the study's runs)"
    )
    parser.add_argument("--fresh", action="store_true", help="start over")
    parser.add_argument(
        "--events",
        choices=("text", "json"),
        default="text",
        help="json: print one JSON object per line",
    )
    parser.add_argument(
        "--describe-encoder", action="store_true",
        help="train nothing: print, as JSON, what the encoder and its weights file take",
    )  # fmt: skip
    _add_settings(parser)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings (set others with --config and --set)")
    group.add_argument("--name", help="name of the run")
    group.add_argument("--method", help=", ".join(METHODS))
    group.add_argument("--pairs", choices=PAIRS, help="where positive pairs come from")
    group.add_argument("--measure", help="gaze similarity, e.g. tima")
    rule = group.add_mutually_exclusive_group()
    rule.add_argument("--threshold", type=float, help="similarity above which images are a pair")
    rule.add_argument(
        "--positive-rate", type=float, help="fraction of valid pairs that are positive"
    )
    group.add_argument(
        "--drop", type=float, help="gzpt: probability of dropping a pair in each step"
    )
    group.add_argument("--encoder", help=", ".join(ENCODERS))
    group.add_argument(
        "--init", metavar="FILE", help="file of initial weights (torchvision, timm, released .pth)"
    )
    group.add_argument("--recipe", choices=RECIPES, help="use the settings of a paper")
    group.add_argument(
        "--size", type=size_option, metavar="PX",
        help="image size in pixels; auto: large enough for what readers marked or looked at",
    )  # fmt: skip
    group.add_argument("--batch", type=int, help="images per step")
    group.add_argument("--epochs", type=int, help="number of passes over the images")
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), help="device to compute on")
    group.add_argument("--seed", type=int, help="seed for weights, views, batches and the split")
    group.add_argument(
        "--transductive", action="store_true", default=None,
        help="also train on test images; the run, probe and report will say so",
    )  # fmt: skip
    _say_defaults(group)


def _say_defaults(group: argparse._ArgumentGroup) -> None:
    """Let help say what a setting is where neither option nor --config names it."""
    config = RunConfig()
    for action in group._group_actions:
        value = getattr(config, action.dest, None)
        if value not in (None, "", False):
            action.help = f"{action.help} (default: {value})"
