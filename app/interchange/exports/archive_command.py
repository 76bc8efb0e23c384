"""`python main.py import-archive FILE --study FOLDER`."""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from app.errors import AppError
from app.interchange.exports.archive import import_archive
from migrations.study.command_line import CommandParser, existing_file, shown_progress
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.outside_audit import tell_audit
from migrations.study.plurals import counted


def main(argv: Sequence[str]) -> int:
    """Unpack an archive into a new folder; 0 done, 1 it is damaged or cannot be written."""
    parser = CommandParser(
        prog="python main.py import-archive",
        description="Restore a study from an archive written by `export archive`. Every file is "
        "checked against its SHA-256; a damaged archive leaves nothing behind.",
        example="python main.py import-archive study.zip --study my-study",
    )
    parser.add_argument("archive", type=existing_file, metavar="FILE", help="the archive")
    parser.add_argument(
        "--study",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="a new folder for the study",
    )
    arguments = parser.parse_args(argv)
    try:
        count = import_archive(arguments.archive, arguments.study, shown_progress("files"))
        _tell(arguments.study, count)
    except (AppError, StudyError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{counted(count, 'file')} in {arguments.study}, all checksums correct\n")
    return 0


def _tell(folder: Path, files: int) -> None:
    """Record in the new study's audit where it comes from; this also upgrades its schema."""
    with closing(Study.open(folder)) as study:
        tell_audit(study, "archive imported", details={"files": files})
