"""`python main.py db check --study FOLDER [--repair] [--accept WHY]`: what is damaged."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from migrations.study.audit import add_audit
from migrations.study.database import Database
from migrations.study.errors import NotAStudy, StudyError
from migrations.study.folder import backup_folder, is_writable
from migrations.study.processes import as_typed
from migrations.study.seal.server import ACCEPTED
from migrations.study.settings import StudySettings, read_settings
from migrations.study.soundness import (
    SET_ASIDE,
    Finding,
    database_findings,
    folder_findings,
    other_time_finding,
    set_aside,
)

_SHOWN = 100
_DAMAGED = as_typed(
    "Do not change the study. Copy it before you do anything else. Parts that are damaged here "
    "may be intact elsewhere: python main.py db restore replaces the database with the newest "
    "backup and keeps this one, and a server, if you use one, has its own copy. Exports and "
    "trainings continue without the damaged parts and list them."
)
_OTHER_TIME = as_typed(
    "If you know why the record here is a different one (a study was moved here, or restored "
    "on another computer), accept it with python main.py db check --accept REASON. The reason "
    "is recorded in the audit."
)
_LEFTOVERS = as_typed(
    "Leftovers do no harm but may contain images or gaze. python main.py db check --repair "
    f"moves them to the folder {SET_ASIDE} in the study. Delete them there once you are sure "
    "that nothing is missing."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that only this action has."""
    parser.add_argument(
        "--repair", action="store_true",
        help=f"move files that belong to no row into the folder {SET_ASIDE} in the study; "
             "nothing is deleted",
    )  # fmt: skip
    parser.add_argument(
        "--accept", metavar="REASON",
        help=("accept the record found here although this computer knows a different one in "
            "this place, and give the reason (the study was moved, or restored on another "
            "computer); it is recorded in the audit"),
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Check a study; 0 sound, 1 damaged.

    The study is checked as it is, without an upgrade: a check must not change what it checks.
    """
    with closing(_existing(arguments)) as database:
        revision = database.revision()
        findings = list(database_findings(database))
        if not arguments.database and revision is not None:
            backups = backup_folder(arguments.study, _settings(arguments.study))
            findings += folder_findings(arguments.study, database, backups)
            if arguments.accept is not None:
                findings = _accepted(database, revision, findings, arguments.accept.strip())
        moved = _repaired(arguments, database, findings)
        other = other_time_finding(database)
    _tell(database.name, revision, findings, is_server=bool(arguments.database))
    if other is not None:
        sys.stderr.write(f"{_OTHER_TIME}\n")
    if moved is not None:
        sys.stdout.write("".join(f"Moved to {path}\n" for path in moved) or "Nothing to move.\n")
    return int(any(f.severity == "damage" for f in findings))


def _accepted(
    database: Database, revision: str | None, findings: Sequence[Finding], reason: str
) -> list[Finding]:
    """Accept the record found here if nothing else is wrong; return the remaining findings."""
    other = other_time_finding(database)
    left = [f for f in findings if f != other]
    if other is None:
        raise StudyError("There is nothing to accept: this is the record known in this place.")
    if not reason:
        raise StudyError("Give a reason: --accept 'moved here from my-old-study'.")
    if revision != database.newest() or database.read_only:
        raise StudyError("Upgrade the study first with db upgrade, on a disk that can be written.")
    if any(f.severity == "damage" for f in left):
        raise StudyError(
            "The record was not accepted because the study has other faults. Run db check "
            "without --accept to see them."
        )
    with database.write() as rows:
        add_audit(rows, ACCEPTED, details={"instead": other.text}, reason=reason)
    database.remember_seal(anew=True)
    return left


def _repaired(
    arguments: argparse.Namespace, database: Database, findings: Sequence[Finding]
) -> list[Path] | None:
    if not arguments.repair or arguments.database:
        return None
    try:
        return set_aside(arguments.study, database, findings)
    except OSError as error:
        raise StudyError(
            f"{error.filename} cannot be moved: {error.strerror}. Close the program that is "
            "using it, then try again."
        ) from error


def _tell(name: str, revision: str | None, findings: Sequence[Finding], *, is_server: bool) -> None:
    damage = [f for f in findings if f.severity == "damage"]
    if damage:
        sys.stderr.write(f"{name} is damaged ({len(damage)} problems, schema {revision}):\n")
    else:
        read = "the files of each image exist, but their pixels were not read"
        sys.stdout.write(
            f"{name} is sound (schema {revision}): every chunk of gaze was decoded and counted"
            f"{'' if is_server else f'; {read}'}.\n"
        )
    for number, finding in enumerate(sorted(findings, key=lambda f: f.severity)):
        out = sys.stderr if finding.severity == "damage" else sys.stdout
        if number < _SHOWN or finding.severity == "damage":
            out.write(f"  {finding.severity}: {finding.text}\n")
    if damage:
        sys.stderr.write(f"{_DAMAGED}\n")
    if any(f.severity == "leftover" for f in findings):
        sys.stdout.write(f"{_LEFTOVERS}\n")


def _settings(study: Path) -> StudySettings:
    """Return the study's settings, or default ones: a check goes on without them."""
    with contextlib.suppress(StudyError, OSError):
        return read_settings(study / "study.toml")
    return StudySettings()


def _existing(arguments: argparse.Namespace) -> Database:
    if arguments.database:
        return Database(arguments.database)
    path = arguments.study / "foveate.sqlite"
    if not path.is_file():
        raise NotAStudy(f"{path} does not exist. Name a study's folder with --study.")
    return Database.at(path, read_only=not is_writable(arguments.study))
