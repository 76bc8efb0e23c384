"""`python main.py db upgrade|check|backup --study FOLDER`."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from migrations.study.database import Database
from migrations.study.errors import DatabaseDamaged, NotAStudy, StudyError
from migrations.study.folder import Study


def main(argv: Sequence[str]) -> int:
    """Run one database command; 0 done, 1 it failed or the check found something."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except StudyError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _upgrade(arguments: argparse.Namespace) -> int:
    with closing(Study.open(arguments.study, database_url=arguments.database)) as study:
        sys.stdout.write(f"{study.database.name} has schema {study.database.revision()}.\n")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    # Looked at as it is, without an upgrade: a check must not change what it checks.
    with closing(_existing(arguments)) as database:
        problems, revision = database.check(), database.revision()
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems[:20])
        raise DatabaseDamaged(
            f"{database.name} is damaged ({len(problems)} problems):\n{lines}\nKeep the file; "
            "restore the newest one of the study's folder `backups`."
        )
    sys.stdout.write(f"{database.name} is sound (schema {revision}).\n")
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    with closing(Study.open(arguments.study, database_url=arguments.database)) as study:
        copy = study.database.backup(arguments.to) if arguments.to else study.backup()
    sys.stdout.write(f"Copied to {copy}.\n")
    return 0


def _existing(arguments: argparse.Namespace) -> Database:
    if arguments.database:
        return Database(arguments.database)
    path = arguments.study / "foveate.sqlite"
    if not path.is_file():
        raise NotAStudy(f"{path} does not exist; name the folder of a study with --study.")
    return Database.at(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python main.py db", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="upgrade|check|backup")
    for name, run, text in (
        ("upgrade", _upgrade, "bring the schema to this program's (after a backup)"),
        ("check", _check, "look for damage; changes nothing"),
        ("backup", _backup, "copy the database, also while it is written to"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("--study", type=Path, required=True, metavar="FOLDER")
        action.add_argument(
            "--database", metavar="URL", help="a server instead of the folder's own"
        )
        action.set_defaults(run=run)
        if name == "backup":
            action.add_argument("--to", type=Path, metavar="FOLDER")
    return parser
