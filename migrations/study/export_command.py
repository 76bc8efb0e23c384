"""What the export commands of both sides have alike: arguments, folder, errors, the ending."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from migrations.study.errors import FolderNotEmpty, IncompleteExport, StudyError
from migrations.study.folder import Study


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where an export comes from and where it goes."""
    parser.add_argument("--study", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="default: a folder of the study's exports"
    )
    parser.add_argument("--database", metavar="URL", help="a server instead of the folder's own")


def run_export(
    arguments: argparse.Namespace,
    export: Callable[[Study, Path], str],
    expected: type[Exception],
) -> int:
    """Export the study that was named; 0 done, 1 it failed.

    Parameters
    ----------
    export
        Takes the study and where to write; returns what to say at the end.
    expected
        The errors of the caller's room, which are told without a traceback.
    """
    out: Path | None = arguments.out
    try:
        with closing(Study.open(arguments.study, database_url=arguments.database)) as study:
            out = out or study.exports / arguments.format
            said = export(study, out)
    except (StudyError, expected) as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{out or arguments.study} cannot be written: {error.strerror}. Free some "
                         "space, or name another folder with --out.\n")  # fmt: skip
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; the export is not complete.\n")
    else:
        sys.stdout.write(f"{said}\n")
        return 0
    return 1


def require_whole(said: str, missing: Sequence[str]) -> str:
    """Return what is said of an export in which nothing is missing.

    Raises
    ------
    IncompleteExport
        Naming what is.
    """
    if not missing:
        return said
    lines = "\n".join(f"  {line}" for line in missing)
    raise IncompleteExport(
        f"{said}\nThis export lacks gaze that is damaged in the study; all else was written:\n"
        f"{lines}\npython main.py db check says more, and what to do."
    )


def make_empty(out: Path) -> None:
    """Make the folder of an export; refuse one that holds something.

    Raises
    ------
    FolderNotEmpty
        Naming the folder.
    OSError
        If it cannot be made.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FolderNotEmpty(f"{out} is not empty; name a new folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
