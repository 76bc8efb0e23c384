"""`python main.py db upgrade|check|backup|assign|sheets|progress --study FOLDER`."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from migrations.study import check_command
from migrations.study.assignments import assign_from_csv, plan_warning
from migrations.study.case_sheets import read_sheets
from migrations.study.command_line import CommandParser, existing_file, existing_folder
from migrations.study.errors import NotAStudy, StudyError, UnknownReaders
from migrations.study.folder import Study
from migrations.study.plurals import counted
from migrations.study.progress import progress_of


def main(argv: Sequence[str]) -> int:
    """Run one database command; 0 done, 1 it failed or found damage, 2 there is no such study."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except StudyError as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, NotAStudy) else 1


def _upgrade(arguments: argparse.Namespace) -> int:
    with closing(Study.open(arguments.study, database_url=arguments.database)) as study:
        sys.stdout.write(f"{study.database.name} has schema {study.database.revision()}.\n")
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    with closing(Study.open(arguments.study, database_url=arguments.database)) as study:
        copy = study.database.backup(arguments.to) if arguments.to else study.backup()
    sys.stdout.write(f"Copied to {copy}.\n")
    return 0


def _assign(arguments: argparse.Namespace) -> int:
    opened = Study.open(arguments.study, database_url=arguments.database)
    try:
        with closing(opened) as study, study.database.write() as session:
            made = assign_from_csv(session, study.settings, arguments.plan, arguments.new_reader)
            warning = plan_warning(study.settings)
    except UnknownReaders as error:
        words = " ".join(f"--new-reader {reader}" for reader in error.readers)
        raise StudyError(f"{error} If this is a new reader, add {words}.") from error
    for pseudonym, count in made.items():
        sys.stdout.write(f"{pseudonym}: {counted(count, 'reading')} planned.\n")
    if warning:
        sys.stderr.write(f"{warning}\n")
    return 0


def _sheets(arguments: argparse.Namespace) -> int:
    opened = Study.open(arguments.study, database_url=arguments.database)
    with closing(opened) as study, study.database.write() as session:
        count = read_sheets(session, arguments.table)
    sys.stdout.write(f"{counted(count, 'case sheet')} read.\n")
    return 0


def _progress(arguments: argparse.Namespace) -> int:
    opened = Study.open(arguments.study, database_url=arguments.database)
    with closing(opened) as study, study.database.read() as session:
        for p in progress_of(session, study.settings):
            arm = f", {p.arm}" if p.arm else ""
            sys.stdout.write(f"{p.reader}{arm}: {p.read} of {p.planned} cases read.\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py db",
        description="Maintain a study's database.",
        listed="more actions, each with --help: restore, push, erase",
        example="python main.py db check --study my-study",
    )
    actions = parser.add_subparsers(
        dest="action",
        required=True,
        metavar="upgrade|check|backup|assign|sheets|restore|push|erase",
    )
    for name, run, text in (
        ("upgrade", _upgrade, "upgrade the schema to this version (after a backup)"),
        ("check", check_command.run, "check for damage; changes nothing without --repair"),
        ("backup", _backup, "back up the database, even while it is in use"),
        ("progress", _progress, "show how far each reader is, by arm; for researchers only"),
        (
            "assign",
            _assign,
            "assign cases to readers from a csv with the columns reader, case, order, arm",
        ),
        (
            "sheets",
            _sheets,
            "read case sheets from a csv with the columns case, age_group, sex, question, priors",
        ),
    ):
        action = actions.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.",
            example=f"python main.py db {name} --study my-study",
        )  # fmt: skip
        action.add_argument(
            "--study", type=existing_folder, required=True, metavar="FOLDER", help="its folder"
        )
        action.add_argument("--database", metavar="URL", help="a server instead of the study's own")
        action.set_defaults(run=run)
        if name == "backup":
            action.add_argument(
                "--to", type=Path, metavar="FOLDER", help="make one complete copy in this folder"
            )
        if name == "assign":
            action.add_argument("plan", type=existing_file, metavar="CSV", help="the plan")
            action.add_argument(
                "--new-reader", action="append", default=[], metavar="PSEUDONYM",
                help="a reader in the plan whom the study does not have yet (in a study without "
                     "readers all may be new)",
            )  # fmt: skip
        if name == "sheets":
            action.add_argument("table", type=existing_file, metavar="CSV", help="the sheets")
        if name == "check":
            check_command.add_arguments(action)
    return parser
