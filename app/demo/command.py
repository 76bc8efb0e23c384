"""`python main.py --demo`: the full pipeline once, from eye to encoder, as in real use.

A cohort is made and imported, a simulated reader calibrates and reads it in the real station, and
the trainer learns from the gaze. The result is an encoder and a report.
"""

import argparse
import contextlib
import logging
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from app.command import PYSIDE_MISSING, qt_problem
from app.demo.folder import demo_folder
from app.demo.result import last_lines
from app.errors import AppError
from app.ui.offscreen import choose_screen
from devices.gaze.errors import GazeError
from migrations.study.command_line import (
    CommandParser,
    folder_to_write,
    not_negative,
    whole_number,
)
from migrations.study.errors import StudyError
from migrations.study.missing_library import missing_text
from migrations.study.processes import as_typed
from migrations.study.stopping import end_children, ending_together
from migrations.study.unwritable import unwritable_text

LOG = "demo.log"
DEFAULT_CASES, DEFAULT_SPEED = 24, 15.0
_FEWEST_CASES = 4


def main(argv: Sequence[str]) -> int:
    """Run the demo; 0 done, 1 a stage failed, 3 stopped."""
    arguments = _parser().parse_args(argv)
    problem = qt_problem()
    if problem:
        sys.stderr.write(problem if problem != PYSIDE_MISSING else _EXTRA_MISSING)
        return 1
    if find_spec("torch") is None:
        lacking = missing_text(ModuleNotFoundError(name="torch"))
        sys.stderr.write(f"The demo trains an encoder at its end. {lacking}\n")
        return 1
    from app.demo.tour import Tour, TourOptions

    log_is_ours = False
    options = TourOptions(arguments.out, arguments.cases, arguments.seed, arguments.speed)
    try:
        with demo_folder(arguments.out):
            choose_screen(arguments.out / "screen.json", headless=arguments.headless)
            log_is_ours = True
            with ending_together(), logged_in(arguments.out / LOG):
                summary = list(Tour(options).run())
    except (AppError, GazeError, StudyError, OSError) as error:
        why = unwritable_text(arguments.out, error) if isinstance(error, OSError) else error
        said = last_lines(arguments.out / LOG) if log_is_ours else ""
        log = f"The last lines of {arguments.out / LOG}:\n{said}\n" if said else ""
        sys.stderr.write(f"\nThe demo failed: {why}\n{log}")
        return 1
    except KeyboardInterrupt:
        end_children()
        sys.stderr.write(f"\nStopped. The next demo will empty {arguments.out}.\n")
        return 3
    sys.stdout.write("\n" + "\n".join(summary) + "\n")
    return 0


_EXTRA_MISSING = as_typed('The demo needs additional packages: pip install -e ".[demo]"\n')


@contextlib.contextmanager
def logged_in(path: Path) -> Iterator[None]:
    """Write the log of the station and its parts to a file of the demo."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py --demo",
        description=__doc__.partition("\n\n")[2],
        example="python main.py --demo --cases 6 --headless",
    )
    parser.add_argument(
        "--out", type=folder_to_write, default=Path("foveate-demo"), metavar="FOLDER",
        help="output folder (default: foveate-demo)",
    )  # fmt: skip
    parser.add_argument(
        "--cases", type=_cases, default=DEFAULT_CASES, metavar="N",
        help=f"number of images to create and read (default: {DEFAULT_CASES})",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed for the images and the reader"
    )
    parser.add_argument(
        "--speed", type=_speed, default=DEFAULT_SPEED, metavar="X",
        help=f"speed, in multiples of real time (default: {DEFAULT_SPEED:g})",
    )  # fmt: skip
    parser.add_argument("--headless", action="store_true", help="run without showing a window")
    return parser


def _cases(text: str) -> int:
    if whole_number(text) < _FEWEST_CASES:
        raise argparse.ArgumentTypeError(f"at least {_FEWEST_CASES} cases are needed, not {text}")
    return int(text)


def _speed(text: str) -> float:
    speed = not_negative(text)
    if not 0 < speed <= 60:
        raise argparse.ArgumentTypeError(f"{text} is not a speed above 0 and up to 60")
    return speed
