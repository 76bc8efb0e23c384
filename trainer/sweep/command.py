"""`python main.py sweep`: threshold or rate × drop × measure × seeds, and gaze against plain.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 stopped by the user; the same command goes on.
"""

import argparse
import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from migrations.study.command_line import (
    CommandParser,
    existing_file,
    existing_folder,
    existing_study,
)
from trainer.errors import ConfigError, TrainerError
from trainer.process.reporters import is_listened_to, reporter_of
from trainer.process.stopping import StopRequest
from trainer.sweep.origin import Origin, origin_of
from trainer.sweep.plan import Cell, cells, settings
from trainer.sweep.rows import Row, add_row, read_rows
from trainer.sweep.voice import StationVoice, TerminalVoice, Voice, finished

Command = Callable[[Sequence[str]], int]


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    options.train = [word for word in options.train if word != "--"]
    if not options.positive_rate and not options.threshold:
        options.positive_rate = [0.05]
    if options.seeds < 2:
        parser.error("--seeds must be at least 2: a single difference has no confidence interval")
    with contextlib.ExitStack() as stack:
        voice = _voice(options.events, stack)
        try:
            return run_sweep(options, origin_of(options), voice)
        except ConfigError as error:
            if options.events == "json":
                voice.fail(str(error))
            parser.error(str(error))
        except TrainerError as error:
            voice.fail(str(error))
            return 1
        except KeyboardInterrupt:
            voice.stopped()
            return 3


def _voice(events: str, stack: contextlib.ExitStack) -> Voice:
    if events != "json":
        return TerminalVoice(Console())
    stop = StopRequest()
    if is_listened_to(events):
        stop.listen(sys.stdin.fileno())
    return StationVoice(stack.enter_context(reporter_of(events)), stop)


def run_sweep(options: argparse.Namespace, origin: Origin, voice: Voice) -> int:
    """Run what is not done yet, then tell all; return the exit code."""
    out: Path = options.out or origin.out
    path, common = out / "sweep.jsonl", " ".join([*options.train, *origin.of_server])
    chosen = settings(origin.gaze, options.positive_rate, options.threshold, options.drop)
    wanted = list(cells(chosen, options.seeds))
    rows = {(r.setting, r.seed): r for r in read_rows(path) if r.options == common}
    for place, cell in enumerate(wanted, start=1):
        if (cell.setting.name, cell.seed) in rows:
            continue
        if voice.stop is not None and voice.stop():
            raise KeyboardInterrupt
        voice.begin(place, len(wanted), cell.name)
        code, row = _run(origin, cell, out, options.train, voice)
        if row is None:
            return code
        add_row(path, row)
        rows[cell.setting.name, cell.seed] = row
    names = [(cell.setting.name, cell.seed) for cell in wanted]
    voice.end(finished([rows[name] for name in names], str(path)))
    return 0


def _run(
    origin: Origin, cell: Cell, out: Path, options: Sequence[str], voice: Voice
) -> tuple[int, Row | None]:
    """Train and try one cell; return the exit code, and its row where both are done."""
    from trainer.command import run_train
    from trainer.probe.command import main as probe

    # Runs with other options must not be taken for these.
    common = " ".join([*options, *origin.of_server])
    digest = hashlib.sha256(common.encode()).hexdigest()[:6]
    folder, images = out / f"{cell.name}_{digest}", origin.words
    words = [*images, "--seed", str(cell.seed), "--out", str(folder), "--name", cell.name]
    if not (folder / "encoder.safetensors").is_file():  # written last: the training is done
        code = run_train([*words, *cell.setting.options, *options], voice.report, voice.stop)
        if code != 0:
            return code, None
    voice.probing()
    code = probe([*images, "--encoder", str(folder), "--probes", "linear", "--label-budget", "all",
                  "--seed", "0", "--out", str(folder / "probe")])  # fmt: skip
    if code != 0:
        return code, None
    metric, score = _score(folder / "probe" / "probe.json", folder.name)
    return 0, Row(cell.setting.name, cell.seed, common, metric, score)


def _score(path: Path, encoder: str) -> tuple[str, float]:
    """Return the first figure that the probe gives of an encoder, and what it is.

    Raises
    ------
    TrainerError
        If it gives none.
    """
    rows = json.loads(path.read_text(encoding="utf-8"))
    own = [row for row in rows if row["encoder"] == encoder and row["mean"] is not None]
    if not own:
        raise TrainerError(
            f"{path} has no result for {encoder}. There may be too few labelled test images."
        )
    return f"{own[0]['probe']}, {own[0]['metric']}", float(own[0]["mean"])


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py sweep",
        description="Pre-train on a study, or on a folder of images, with every combination of "
        "setting and seed, and with plain runs on the same cohort, split and seeds. Evaluate "
        "each encoder on the test split and compare the results. Run the same command to "
        "continue an interrupted sweep.",
        example="python main.py sweep --study my-study --positive-rate 0.02 0.05 --seeds 3",
    )
    parser.add_argument("--study", type=existing_study, metavar="FOLDER", help="a study's folder")
    parser.add_argument(
        "--measures", nargs="+", default=[], metavar="MEASURE",
        help="gaze similarity measures to try on a study (default: auto)",
    )  # fmt: skip
    parser.add_argument(
        "--database", metavar="URL", help="URL of a database other than the study's own"
    )
    files = parser.add_argument_group("without a study")
    files.add_argument("--images", type=existing_folder, metavar="FOLDER", help="the images")
    files.add_argument(
        "--relation", nargs="+", type=existing_file, default=[], metavar="FILE",
        help="similarity files of the images, one per measure",
    )  # fmt: skip
    files.add_argument(
        "--labels", type=existing_file, metavar="CSV", help="image, label, patient, split"
    )
    files.add_argument(
        "--splits", type=existing_file, metavar="JSON", help="{train, val, test} lists"
    )
    parser.add_argument(
        "--positive-rate", nargs="+", type=float, default=[], metavar="R",
        help="fractions of pairs that are positive (default: 0.05, unless thresholds are given)",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", nargs="+", type=float, default=[], metavar="T",
        help="similarity thresholds above which a pair is positive (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--drop", nargs="+", type=float, default=[0.5], metavar="P",
        help="probabilities of dropping a pair at a step (default: 0.5)",
    )  # fmt: skip
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="K", help="number of seeds (0 to K−1) for each"
    )
    parser.add_argument(
        "--events", choices=("text", "json"), default="text", help="json: print one object per line"
    )
    parser.add_argument(
        "--out", type=Path, help="output folder (default: exports/sweep in the study, or sweep)"
    )
    parser.add_argument(
        "train", nargs=argparse.REMAINDER, metavar="-- OPTIONS",
        help="options of `train` for all runs, after --: -- --epochs 50 --size 128",
    )  # fmt: skip
    return parser
