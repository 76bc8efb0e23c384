"""Foveate's one command: each sub-command imports its room, and only that one.

Exit codes: 0 done; 1 the work failed; 2 wrong arguments, also a study, folder or file that is not
there; 3 stopped by the user. SIGINT ends every command within 5 s (`migrations.study.stopping`).
"""

import argparse
import faulthandler
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from devices.plugins import installed
from migrations.study.command_line import did_you_mean
from migrations.study.processes import as_typed
from migrations.study.stopping import run_command

# A command's room and what it does. An action that another room does has a row of its own.
COMMANDS = {
    "station": ("app.command", "open the reading station (also without any command)"),
    "read": (
        "app.autopilot.command",
        "read a study's cases; --autopilot: with no one at the station",
    ),
    "demo": (
        "app.demo.command",
        "the full pipeline, end to end: phantoms, reading, training, report",
    ),
    "import": ("app.hanging.import_command", "add images to a study"),
    "receive": ("app.hanging.receive_command", "listen for images that an archive sends (C-STORE)"),
    "import-gaze": ("app.interchange.import_command", "add gaze recorded by other systems"),
    "devices": ("devices.command", "list the attached trackers and what is missing"),
    "similarity": ("trainer.similarity.command", "compare readings by gaze"),
    "similarity merge": ("trainer.similarity.merge_command", "merge the parts of a graph"),
    "train": ("trainer.command", "compute similarity and pre-train an encoder; needs no screen"),
    "sweep": ("trainer.sweep.command", "compare gaze with plain training over several seeds"),
    "slurm": ("trainer.slurm.command", "write SLURM batch scripts for train or similarity"),
    "encode": ("trainer.encode", "compute features of a folder of images with an encoder"),
    "probe": (
        "trainer.probe.command",
        "test how well encoders separate classes, against baselines",
    ),
    "analyse": (
        "trainer.analysis.command",
        "measure how readers looked: areas, scan paths, misses",
    ),
    "performance": (
        "trainer.analysis.performance.command",
        "measure how well readers read and whether arms differ",
    ),
    "queue": ("trainer.queue", "run a study's queued trainings"),
    "report": ("trainer.report.command", "write a study and its runs as one HTML file"),
    "export": ("app.interchange.exports.command", "export a study: BIDS, tables, npz, archive"),
    "export mcgip": (
        "trainer.exports.command",
        "images, gaze and relation in the layout of the released code",
    ),
    "export relation": ("trainer.exports.command", "gaze similarity of the study's images"),
    "export features": ("trainer.exports.command", "features of the images from an encoder"),
    "import-archive": (
        "app.interchange.exports.archive_command",
        "restore a study from an archive",
    ),
    "db": (
        "migrations.study.command",
        "upgrade, check, back up, restore, push, erase a reader or patient",
    ),
    "db restore": ("app.recording.restore_command", "replace the database with a backup"),
    "db push": ("app.sync.command", "send finished sessions to the laboratory's server"),
    "db server": (
        "app.sync.server_command",
        "set up a server: a role and password for each station",
    ),
    "db erase": ("app.sync.command", "permanently erase a reader or a patient"),
}
_EXAMPLE = "example:\n  python main.py --demo"
ALIASES = {"--demo": "demo", "--train": "train"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # 0600 and 0700 for all that is made from here on, by the programs started from here, too.
    os.umask(0o077)
    words = list(sys.argv[1:] if argv is None else argv)
    command, rest = _split(words)
    if command is None:
        return _without_command(words)
    room, _ = COMMANDS.get(" ".join([command, *rest[:1]]), COMMANDS[command])
    return int(import_module(room).main(rest))


def _without_command(words: list[str]) -> int:
    """Print version, help or what is wrong with the first word; a wrong one exits with 2."""
    if words[0] in ("--version", "-V"):
        from migrations.study.program_version import version_text  # SQLAlchemy takes a while

        sys.stdout.write("\n".join([version_text(), *installed()]) + "\n")
        return 0
    parser = _usage()
    if words[0] in ("--help", "-h", "help"):
        parser.print_help()
        return 0
    meant = did_you_mean(words[0], [*_first_words(), *ALIASES, "--study", "--version", "--help"])
    parser.error(f"{words[0]} is not a command.{meant} Use --help to list all commands.")


def run() -> int:
    """Run the command line as a process: a signal ends it with exit code 3."""
    return run_command(main)


def _split(words: list[str]) -> tuple[str | None, list[str]]:
    """Return the command and its own arguments; no command at all opens the station."""
    alias = next((w for w in words if w in ALIASES), None)
    if alias is not None:
        return ALIASES[alias], [w for w in words if w != alias]
    if words and words[0] in _first_words():
        return words[0], words[1:]
    if not words or words[0] in ("--study", "--database"):
        return "station", words
    return None, words


def _first_words() -> list[str]:
    return [name for name in COMMANDS if " " not in name]


def _usage() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:14s} {COMMANDS[name][1]}" for name in _first_words())
    parser = argparse.ArgumentParser(
        prog=as_typed("python main.py"),
        usage=as_typed("python main.py [--study FOLDER] | COMMAND … | --version | --help"),
        description="Foveate: record how images are read, and learn from it. For research, not "
        "for diagnosis.",
        epilog=as_typed(f"commands (use COMMAND --help for details):\n{lines}\n\n{_EXAMPLE}"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


if __name__ == "__main__":
    if sys.stderr is not None:  # Windows without a console has none
        faulthandler.enable()  # where it died in native code; the station keeps it in a file
    sys.exit(run())
