"""`python main.py db check --study FOLDER [--repair]`: what is damaged, and what to do."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from migrations.study.database import Database
from migrations.study.errors import NotAStudy, StudyError
from migrations.study.folder import backup_folder, is_writable
from migrations.study.settings import StudySettings, read_settings
from migrations.study.soundness import (
    SET_ASIDE,
    Finding,
    database_findings,
    folder_findings,
    set_aside,
)

_SHOWN = 100
_DAMAGED = (
    "Keep the study as it is, and copy it before anything else is done. What is damaged here may "
    "be whole in a copy: python main.py db restore puts the newest backup in its place and keeps "
    "this one; a server, if one is used, has its own. Exports and trainings go on without the "
    "damaged pieces and name them."
)
_LEFTOVERS = (
    "Leftovers harm nothing, but may hold images or gaze. python main.py db check --repair moves "
    f"them into the study's folder {SET_ASIDE}; delete them there when nothing is missed."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this action takes."""
    parser.add_argument(
        "--repair", action="store_true",
        help=f"move what belongs to nothing into the study's folder {SET_ASIDE}; deletes nothing",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Check a study; 0 sound, 1 damaged.

    It is looked at as it is, without an upgrade: a check must not change what it checks.
    """
    with closing(_existing(arguments)) as database:
        revision = database.revision()
        findings = list(database_findings(database))
        if not arguments.database and revision is not None:
            backups = backup_folder(arguments.study, _settings(arguments.study))
            findings += folder_findings(arguments.study, database, backups)
        moved = _repaired(arguments, database, findings)
    _tell(database.name, revision, findings, is_server=bool(arguments.database))
    if moved is not None:
        sys.stdout.write("".join(f"Moved to {path}\n" for path in moved) or "Nothing to move.\n")
    return int(any(f.severity == "damage" for f in findings))


def _repaired(
    arguments: argparse.Namespace, database: Database, findings: Sequence[Finding]
) -> list[Path] | None:
    if not arguments.repair or arguments.database:
        return None
    try:
        return set_aside(arguments.study, database, findings)
    except OSError as error:
        raise StudyError(
            f"{error.filename} cannot be moved: {error.strerror}. Close what uses it, then try "
            "again."
        ) from error


def _tell(name: str, revision: str | None, findings: Sequence[Finding], *, is_server: bool) -> None:
    damage = [f for f in findings if f.severity == "damage"]
    if damage:
        sys.stderr.write(f"{name} is damaged ({len(damage)} problems, schema {revision}):\n")
    else:
        read = "each image has its files, whose pixels were not read"
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
    """Return the study's settings, or those of a new one: a check goes on without them."""
    with contextlib.suppress(StudyError, OSError):
        return read_settings(study / "study.toml")
    return StudySettings()


def _existing(arguments: argparse.Namespace) -> Database:
    if arguments.database:
        return Database(arguments.database)
    path = arguments.study / "foveate.sqlite"
    if not path.is_file():
        raise NotAStudy(f"{path} does not exist; name the folder of a study with --study.")
    return Database.at(path, read_only=not is_writable(arguments.study))
