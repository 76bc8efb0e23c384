"""`python main.py db restore --study FOLDER [--from FILE]`: a backup becomes the database."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from app.errors import AppError
from app.recording.lock import StationLock
from migrations.study.command_line import CommandParser, existing_file, existing_study
from migrations.study.database import Database
from migrations.study.erasure import erase_as
from migrations.study.errors import StudyError
from migrations.study.plurals import counted
from migrations.study.processes import as_typed
from migrations.study.restore import Restored, restore


def main(argv: Sequence[str]) -> int:
    """Run the command; 0 done, 1 it failed or some gaze is in no backup."""
    words = [word for word in argv if word != "restore"]
    arguments = _parser().parse_args(words)
    try:
        with StationLock(arguments.study):
            done = restore(arguments.study, arguments.backup)
            again = _forgotten_again(arguments.study, done)
    except (StudyError, AppError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(
        f"Restored from {done.backup}. Anything recorded after that backup is only in the "
        f"replaced database, now {done.replaced}.\n"
    )
    if again is None:
        sys.stderr.write(
            as_typed(
                "The replaced database cannot be read to find out whether anyone was erased after "
                "that backup. If so, erase them again: python main.py db erase.\n"
            )
        )
    elif again:
        erasures = counted(
            again, "erasure made after the backup was", "erasures made after it were"
        )
        sys.stdout.write(f"{erasures} repeated.\n")
    if done.lacking:
        sys.stderr.write(
            f"{done.lacking} chunks of gaze are missing from every backup; db check lists them.\n"
        )
    return int(done.lacking > 0 or again is None)


def _forgotten_again(study: Path, done: Restored) -> int | None:
    """Erase what was erased since the backup; return how many times, None if unknown."""
    database = Database.at(study / "foveate.sqlite")
    try:
        database.upgrade()
        if not done.replaced.exists():
            return 0
        replaced = Database.at(done.replaced, read_only=True)
        try:
            return erase_as(database, replaced)
        finally:
            replaced.close()
    except (StudyError, SQLAlchemyError):
        return None
    finally:
        database.close()


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py db restore",
        description="Replace the database with a backup; the replaced database is kept.",
        example="python main.py db restore --study my-study",
    )
    parser.add_argument(
        "--study", type=existing_study, required=True, metavar="FOLDER", help="the study's folder"
    )
    parser.add_argument(
        "--from", dest="backup", type=existing_file, metavar="FILE",
        help="the backup to restore (default: the newest in the study's backup folder)",
    )  # fmt: skip
    return parser
