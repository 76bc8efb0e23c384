"""What every command of the program shares: options, input from its caller, exit codes.

`CommandParser` explains each option with its default, gives an example and guesses what a mistyped
option meant; `existing_study`, `existing_file` and `existing_folder` refuse what is not there as a
wrong argument, so that no command makes a folder for a name that was mistyped.
"""

import argparse
import difflib
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from migrations.study.processes import as_typed
from migrations.study.told_events import ToldProgress, is_told

DONE, FAILED, WRONG, STOPPED = 0, 1, 2, 3
"""Exit codes: done, the work failed, wrong arguments, stopped by the user."""

_SILENT_S, _TERMINAL_EVERY_S, _PIPE_EVERY_S = 2.0, 0.2, 10.0
_NO_DEFAULT = (None, False, "", argparse.SUPPRESS)


class CommandParser(argparse.ArgumentParser):
    """An `ArgumentParser` with defaults in its help and guesses in its errors.

    Parameters
    ----------
    example
        One line that works, as it is typed.
    listed
        Further lines for the end of the help: formats, actions.
    """

    def __init__(self, *, example: str = "", listed: str = "", **options: Any) -> None:
        shown = f"example:\n  {example}" if example else ""
        epilog = "\n\n".join(part for part in (listed, shown) if part)
        if options.get("prog"):  # now: it is what later lines of the usage are indented by
            options["prog"] = as_typed(options["prog"])
        super().__init__(epilog=epilog, formatter_class=_Formatter, **options)
        self.register("type", int, _integer)
        self.register("type", float, finite_number)
        self._words: list[str] = []

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; what was typed is kept for the guess in `error`."""
        self._words = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and what may have been meant, and exit with 2."""
        super().error(self._guess() or message)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help, usage or an error, showing the program's name as it is typed here."""
        super()._print_message(as_typed(message), file)

    def _guess(self) -> str:
        known = [o for o in self._all_options() if o.startswith("--")]
        for word in self._words:
            if word == "--":
                break
            name = word.partition("=")[0]
            if not name.startswith("--") or any(o.startswith(name) for o in known):
                continue
            close = did_you_mean(name, known)
            if close:
                return f"{name} is not an option.{close}"
        return ""

    def _all_options(self) -> list[str]:
        found = list(self._option_string_actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    found += parser._option_string_actions
        return found


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Adds the default to the help of an option, unless the help already mentions one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text, default = action.help, action.default
        is_plain = not action.option_strings or default in _NO_DEFAULT or default in ([], (), {})
        if text is None or is_plain or "default" in text or action.required:
            return text
        return f"{text} (default: %(default)s)"

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Wrap paragraphs; leave lines that are indented or follow a heading unchanged."""
        parts = text.strip().split("\n\n")
        filled = [
            part
            if "\n" in part and any(line.startswith("  ") for line in part.split("\n"))
            else argparse.HelpFormatter._fill_text(self, part, width, indent)
            for part in parts
        ]
        return "\n\n".join(filled)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a question with the closest name, or nothing where none is close."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""


def existing_study(text: str) -> Path:
    """Accept a study's folder on the command line; anything else is a wrong argument."""
    folder = Path(text)
    if not folder.exists():
        raise argparse.ArgumentTypeError(f"{text} does not exist. Name a study's folder.")
    if not (folder / "study.toml").is_file():
        raise argparse.ArgumentTypeError(
            f"{text} is not a Foveate study (it has no study.toml). Name a study's folder."
        )
    return folder


def existing_file(text: str) -> Path:
    """Accept an existing file on the command line; anything else is a wrong argument."""
    path = Path(text)
    if not path.is_file():
        what = "is a folder, not a file." if path.is_dir() else "does not exist."
        raise argparse.ArgumentTypeError(f"{text} {what}")
    return path


def existing_folder(text: str) -> Path:
    """Accept an existing folder on the command line; anything else is a wrong argument."""
    path = Path(text)
    if not path.is_dir():
        what = "is a file, not a folder." if path.exists() else "does not exist."
        raise argparse.ArgumentTypeError(f"{text} {what}")
    return path


def folder_to_write(text: str) -> Path:
    """Take a folder that may be new from the command line; a file is a wrong argument."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file, not a folder.")
    return path


def file_to_write(text: str) -> Path:
    """Take a file that may be new from the command line; a folder is a wrong argument."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder, not a file. Name a file in it.")
    return path


def existing_path(text: str) -> Path:
    """Accept an existing file or folder on the command line; anything else is a wrong argument."""
    path = Path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{text} does not exist.")
    return path


def _integer(text: str) -> int:
    """Take a whole number; `int` would also take 1_0 for 10."""
    try:
        if "_" not in text:
            return int(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} is not a whole number.")


def finite_number(text: str) -> float:
    """Take a finite number; `float` would also take 1_0, nan and inf."""
    try:
        number = math.nan if "_" in text else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text} is not a number.")
    return number


def not_negative(text: str) -> float:
    """Accept a number of 0 or more; a negative one, NaN and infinity are wrong arguments."""
    try:
        number = math.nan if "_" in text else float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of 0 or more.")
    return number


def whole_number(text: str) -> int:
    """Accept a whole number of 0 or more."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 0 or more.")
    return int(text)


def one_or_more(text: str) -> int:
    """Take a whole number of 1 or more."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more.")
    return int(text)


def require_there(
    parser: argparse.ArgumentParser, options: argparse.Namespace, names: Sequence[str]
) -> None:
    """Refuse options that name missing files; for options that may be parsed on another machine.

    `slurm` reads the options of a training without having the files that the training will find.
    """
    for name in names:
        path = getattr(options, name)
        if path is not None and not path.exists():
            parser.error(f"--{name} {path} does not exist.")
        if path is not None and name == "images" and not path.is_dir():
            parser.error(f"--{name} {path} is a file, not a folder.")


def shown_progress(unit: str) -> Callable[[int, int], None]:
    """Return a progress display on standard error: count, rate and time left of work over 2 s.

    On a terminal, one line is overwritten; elsewhere a line is printed every 10 s. A station that
    listens is told every fifth of a second.
    """
    return ToldProgress("", unit) if is_told() else _Shown(unit)


class _Shown:
    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._began = self._said_at = time.monotonic()
        self._has_spoken = False
        self._on_terminal = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Report progress, if it is time to."""
        now = time.monotonic()
        every_s = _TERMINAL_EVERY_S if self._on_terminal else _PIPE_EVERY_S
        is_last = done >= total and self._has_spoken and self._on_terminal
        is_due = now - self._began >= _SILENT_S and now - self._said_at >= every_s
        if not (is_due or is_last):
            return
        self._said_at, self._has_spoken = now, True
        end = "\r" if self._on_terminal and done < total else "\n"
        sys.stderr.write(f"{progress_text(done, total, self._unit, now - self._began)}   {end}")
        sys.stderr.flush()


def progress_text(done: int, total: int, unit: str, seconds: float) -> str:
    """Return count, rate and time left in words."""
    rate = done / max(seconds, 1e-9)
    left = f"{(total - done) / rate:.0f} s left" if rate > 0 else "time left unknown"
    return f"{done} of {total} {unit}, {rate:.1f}/s, {left}"
