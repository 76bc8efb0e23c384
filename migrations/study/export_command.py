"""What the export commands of both sides share: arguments, folder, errors, the end of an export."""

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from migrations.study.command_line import FAILED, STOPPED, WRONG, existing_study
from migrations.study.errors import FolderNotEmpty, IncompleteExport, StudyError
from migrations.study.folder import Study
from migrations.study.outside_audit import tell_audit
from migrations.study.processes import as_typed
from migrations.study.stopping import listened
from migrations.study.told_events import add_events
from migrations.study.unwritable import is_disk_full, unwritable_text

UNFINISHED = "foveate-unfinished.txt"
"""The file that marks the export around it as unfinished."""


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for where an export comes from and where it goes."""
    parser.add_argument(
        "--study", type=existing_study, required=True, metavar="FOLDER", help="the study's folder"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="output folder (default: a folder in the study's exports)",
    )
    parser.add_argument(
        "--database", metavar="URL", help="a server instead of the study's own database"
    )
    add_events(parser)


def run_export(
    arguments: argparse.Namespace,
    export: Callable[[Study, Path], str],
    expected: type[Exception],
    wrong: tuple[type[Exception], ...] = (),
) -> int:
    """Export the study named; 0 done, 1 it failed, 3 stopped: files written so far are removed.

    Parameters
    ----------
    export
        Takes the study and where to write; returns the final message.
    expected
        The errors of the caller's room, which are told without a traceback.
    wrong
        Those that mean a wrong argument: exit code 2.
    """
    out: Path | None = arguments.out
    try:
        with (
            listened(arguments.events),
            closing(Study.open(arguments.study, database_url=arguments.database)) as study,
        ):
            out = out or study.exports / arguments.format
            said = _told(study, out, arguments.format, export)
    except (StudyError, expected) as error:
        if isinstance(error, IncompleteExport):  # all that the study still has was written
            _mark_whole(out)
        sys.stderr.write(f"{error}\n")
        return WRONG if isinstance(error, wrong) else FAILED
    except OSError as error:
        sys.stderr.write(f"{_unwritten(out or arguments.study, error)}\n")
    except KeyboardInterrupt:
        sys.stderr.write(f"\nStopped.{_removed(out)}\n")
        return STOPPED
    else:
        _mark_whole(out)
        sys.stdout.write(f"{said}\n")
        return 0
    return 1


def _unwritten(out: Path, error: OSError) -> str:
    """Return what could not be read or written: an export also reads the study's files."""
    name = str(error.filename or "")
    is_read = bool(name) and not Path(name).absolute().is_relative_to(out.absolute())
    if is_read and not is_disk_full(error):
        return f"{name}: {error.strerror}."
    return unwritable_text(out, error, "name another folder with --out")


def _told(study: Study, out: Path, kind: str, export: Callable[[Study, Path], str]) -> str:
    """Export, and record in the audit what left the study and which database was read."""
    details = {"format": kind, "out": out.name}
    if study.reads_server:
        details["server"] = study.database.name
    try:
        said = export(study, out)
    except IncompleteExport:
        _note(study, details | {"lacks": "damaged gaze"})
        raise
    _note(study, details)
    return said


def _note(study: Study, details: dict[str, str]) -> None:
    if untold := tell_audit(study, "exported", details=details):
        sys.stderr.write(f"{untold}\n")


def _mark_whole(out: Path | None) -> None:
    if out is not None and out.is_dir():
        (out / UNFINISHED).unlink(missing_ok=True)


def _removed(out: Path | None) -> str:
    """Remove what a stopped export wrote so far."""
    if out is None or not (out / UNFINISHED).is_file():
        return " Nothing was written."
    shutil.rmtree(out, ignore_errors=True)
    return f" Files already written to {out} were removed."


def require_whole(said: str, missing: Sequence[str]) -> str:
    """Return the final message of an export in which nothing is missing.

    Raises
    ------
    IncompleteExport
        Naming what is missing.
    """
    if not missing:
        return said
    lines = "\n".join(f"  {line}" for line in missing)
    raise IncompleteExport(
        as_typed(
            f"{said}\nSome gaze is damaged in the study and missing from this export; everything "
            f"else was written:\n{lines}\nFor details and what to do, run python main.py db check."
        )
    )


def make_empty(out: Path) -> None:
    """Make the folder of an export; refuse one that is not empty.

    While the export is being written, a file marks it. The remains of a killed export are removed.

    Raises
    ------
    FolderNotEmpty
        Naming the folder.
    OSError
        If it cannot be made.
    """
    if (out / UNFINISHED).is_file():
        shutil.rmtree(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FolderNotEmpty(f"{out} is not empty. Choose a new folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    (out / UNFINISHED).write_text(
        "This export is in progress or was interrupted. The next export to this folder replaces "
        "it.\n",
        encoding="utf-8",
    )
