"""`python main.py read --study FOLDER [--autopilot]`: read the cases of a study.

With --autopilot, no person is needed: a simulated reader with its own pseudonym and consent
operates the real station by mouse and keys, resumes interrupted readings, and closes the session.
Without it, the command opens the station for a person, at the next case.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app import command
from app.command import logged, qt_problem
from app.errors import AppError, StoppedByUser
from app.ui.offscreen import choose_screen
from devices.gaze.errors import GazeError
from migrations.study.command_line import CommandParser, existing_study
from migrations.study.errors import StudyError

STOPPED = 3


def main(argv: Sequence[str]) -> int:
    """Read; 0 done, 1 it failed, 3 stopped by the user (the open case is shown again)."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    _check(parser, arguments)
    if not arguments.autopilot:
        return _by_hand(arguments)
    problem = qt_problem()
    if problem:
        sys.stderr.write(problem)
        return 1
    with logged(), tempfile.TemporaryDirectory(prefix="foveate-") as folder:
        choose_screen(Path(folder) / "screen.json", headless=arguments.headless)
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    from app.autopilot.drive import AutopilotOptions, drive

    options = AutopilotOptions(
        arguments.study,
        arguments.device or "simulated",
        arguments.cases,
        arguments.speed,
        arguments.rate,
        arguments.reader,
        arguments.seed,
    )
    try:
        sys.stdout.write("\n".join(drive(options)) + "\n")
    except StoppedByUser as stopped:
        sys.stderr.write(f"\n{stopped}\n")
        return STOPPED
    except (AppError, GazeError, StudyError, OSError) as error:
        sys.stderr.write(f"\nReading stopped: {error}\n")
        return 1
    return 0


def _by_hand(arguments: argparse.Namespace) -> int:
    words = ["--study", str(arguments.study), "--device", arguments.device or ""]
    words += ["--speed", str(arguments.speed)]
    words += ["--reader", arguments.reader] if arguments.reader else []
    words += ["--rate", str(arguments.rate)] if arguments.rate else []
    return command.main(words)


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    is_simulated = arguments.device == "simulated" or (
        arguments.autopilot and arguments.device is None
    )
    if arguments.speed != 1 and not is_simulated:
        parser.error(
            "--speed only works with the simulated reader; a real tracker runs in real time."
        )
    if not arguments.autopilot and arguments.cases is not None:
        parser.error("--cases only works with --autopilot; a person stops with Esc.")


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py read",
        description=__doc__.partition("\n\n")[2],
        example="python main.py read --study my-study --autopilot --cases 5",
        listed="The autopilot reads every case of the study. Images still awaiting "
        "de-identification review are read too, because no person sees them; they still "
        "await review.",
    )
    parser.add_argument(
        "--study", type=existing_study, required=True, metavar="FOLDER", help="the study's folder"
    )
    parser.add_argument(
        "--device",
        metavar="ID",
        help="tracker ID (see python main.py devices; default: the simulated reader with "
        "--autopilot, otherwise the tracker last used at this station)",
    )
    parser.add_argument(
        "--autopilot",
        action="store_true",
        help="read with no one at the station, for trials and tests",
    )
    parser.add_argument(
        "--cases", type=_count, metavar="N", help="stop after this many cases (default: all)"
    )
    parser.add_argument(
        "--speed", type=_positive, default=1.0, metavar="X",
        help="run the clock at X times real time (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--rate", type=_positive, metavar="HZ", help="sampling rate (default: the tracker's own)"
    )
    parser.add_argument(
        "--reader",
        metavar="PSEUDONYM",
        help="who reads; the autopilot generates its own: AUTO-1, …",
    )
    parser.add_argument(
        "--seed", type=int, metavar="S", help="seed for the simulated reader's habits"
    )
    parser.add_argument("--headless", action="store_true", help="run without showing a window")
    return parser


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdecimal() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return count


def _positive(text: str) -> float:
    try:
        value = 0.0 if "_" in text else float(text)  # float() takes 1_0 for 10
    except ValueError:
        value = 0.0
    if not 0 < value < 2000:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0 and below 2000")
    return value
