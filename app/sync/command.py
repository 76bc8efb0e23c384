"""`python main.py db push|erase …`: push to the laboratory's server, and the right to erasure."""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

import psutil

from app.errors import AppError, StationBusy
from app.recording.lock import StationLock
from app.recording.recovery import close_open_rows
from app.sync import URL_VARIABLE
from app.sync.erase import Erasure, erase
from migrations.study.audit import add_audit
from migrations.study.command_line import CommandParser, existing_study, shown_progress
from migrations.study.database import Database
from migrations.study.errors import DatabaseError, StudyError
from migrations.study.folder import Study
from migrations.study.plurals import counted
from migrations.study.processes import as_typed
from migrations.study.schema import utc_now
from migrations.study.sync.push import PushReport, push


def main(argv: Sequence[str]) -> int:
    """Run `push` or `erase`; 0 done, 1 it failed or the server refused something, 3 stopped."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (AppError, StudyError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Run the same command to continue from here.\n")
        return 3


def _push(arguments: argparse.Namespace) -> int:
    study = Study.open(arguments.study)
    with contextlib.closing(study), contextlib.closing(server_of(arguments.database)) as server:
        if arguments.background:
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else 10)
        else:  # a running station does that itself, and needs its lock
            _recover(study)
        compare = arguments.compare
        report = push(
            study.database, server, shown_progress("sessions"), compare=compare,
            accept=arguments.accept,
        )  # fmt: skip
        if report.readings or report.chunks or report.changed or report.erased:
            _note(study, server.name)
    if arguments.json:
        sys.stdout.write(json.dumps(asdict(report)) + "\n")
    else:
        sys.stdout.write(_said(report, server.name))
    if report.refused:
        sys.stderr.write("The server did not accept:\n  " + "\n  ".join(report.refused) + "\n")
    return 1 if report.refused else 0


def server_of(url: str | None) -> Database:
    """Return a server's database, its schema upgraded to this program's.

    Raises
    ------
    DatabaseError
        If it cannot be reached, or the URL is not PostgreSQL's.
    """
    url = url or os.environ.get(URL_VARIABLE, "")
    if not url.startswith("postgresql"):
        raise DatabaseError(
            "Specify the server: --database postgresql+psycopg://user@host/database (or set "
            f"{URL_VARIABLE})."
        )
    server = Database(url)
    try:
        server.upgrade()
    except BaseException:
        server.close()
        raise
    return server


def _recover(study: Study) -> None:
    """Close what a crash left open, unless a station is recording at the moment."""
    lock = StationLock(study.folder)
    with contextlib.suppress(StationBusy):
        lock.acquire()
        try:
            close_open_rows(study.database)
        finally:
            lock.release()


def _note(study: Study, server: str) -> None:
    with study.database.write() as session:
        add_audit(session, "pushed", details={"server": server, "time_utc": utc_now()})


def _said(report: PushReport, server: str) -> str:
    lines = [
        f"{counted(report.readings, 'reading')} and {counted(report.chunks, 'chunk')} of gaze from "
        f"{counted(report.sessions, 'session')} "
        f"sent to {server}; {counted(report.known, 'session')} already there."
    ]
    if report.waiting:
        lines.append(
            f"{report.waiting} sessions are still open here and will be sent when they end."
        )
    if report.barred:
        lines.append(f"{report.barred} sessions of erased readers were not sent.")
    if report.changed:
        lines.append(f"{report.changed} rows on the server were updated with changes made here.")
    if report.left:
        lines.append(
            f"{report.left} changes to rows that another station sent first were not made; that "
            "station, or a researcher's role, must make them."
        )
    if report.erasures_waiting:
        lines.append(
            as_typed(
                f"{report.erasures_waiting} erasures made here are waiting for the server's owner: "
                "python main.py db server --erase."
            )
        )
    if report.erased:
        lines.append(f"Erased on the server: {_counts(report.erased)}.")
    return "\n".join(lines) + "\n"


def _erase(arguments: argparse.Namespace) -> int:
    named = arguments.reader or ", ".join(arguments.patient)
    if not arguments.yes and sys.stdin.isatty():
        sys.stderr.write(
            f"All data of {named} will be permanently erased. Type the name again to confirm: "
        )
        sys.stderr.flush()
        if sys.stdin.readline().strip() != named:
            sys.stderr.write("Nothing was erased.\n")
            return 1
    study = Study.open(arguments.study)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(study))
        server = None
        if arguments.database or os.environ.get(URL_VARIABLE):
            server = stack.enter_context(contextlib.closing(server_of(arguments.database)))
        done = erase(
            study, reader=arguments.reader, patients=arguments.patient or (), server=server
        )
    if arguments.json:
        sys.stdout.write(json.dumps(done.as_dict()) + "\n")
    else:
        sys.stdout.write(_erased(done))
    return int(done.failed)


def _erased(done: Erasure) -> str:
    images = counted(done.images, "image")
    lines = [f"Erased here: {_counts(done.rows)}; {images}; the cache was emptied."]
    if done.server_rows:
        lines.append(f"Erased on the server: {_counts(done.server_rows)}.")
    lines += [
        f"The study was pushed to {name}. Use --database to erase there now; otherwise the next "
        "push will."
        for name in done.servers
    ]
    if done.leftovers:
        lines.append(f"Removed the remains of killed imports: {done.leftovers} folders.")
    left = [t for t in done.traces if t.kind == "left"]
    if left:
        lines.append(
            "NOT ERASED. Remove these by hand, or run the command again when they can be removed:"
        )
        lines += [f"  {t.path} ({t.reason})" for t in left]
    if traces := [t for t in done.traces if t.kind != "left"]:
        lines.append("These still contain traces; delete whatever must not be kept:")
        lines += [f"  {t.kind:7s} {t.path} ({t.reason})" for t in traces]
    lines.append("A record without personal data prevents re-import.")
    return "\n".join(lines) + "\n"


def _counts(rows: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in rows.items()) or "nothing"


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="python main.py db",
        description="Send finished sessions to the laboratory's server, or erase a reader or a "
        "patient.",
        example="python main.py db push --study my-study --database URL",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="push|erase")
    send = actions.add_parser(
        "push",
        help="send finished sessions to the laboratory's server",
        example="python main.py db push --study my-study --database URL",
    )
    send.set_defaults(run=_push)
    send.add_argument(
        "--background", action="store_true", help="run at low priority, alongside a running station"
    )
    send.add_argument(
        "--compare", action="store_true", help="check all rows again, whatever the server has"
    )
    send.add_argument(
        "--accept", metavar="REASON",
        help="accept this study although the server knows a later record of it, and give the "
             "reason (a backup was restored); it is recorded in the audit",
    )  # fmt: skip
    gone = actions.add_parser(
        "erase",
        help="permanently erase a reader or a patient",
        example="python main.py db erase --study my-study --reader R1",
    )
    gone.set_defaults(run=_erase)
    for action in (send, gone):
        action.add_argument(
            "--study", type=existing_study, required=True, metavar="FOLDER",
            help="the study's folder",
        )  # fmt: skip
        action.add_argument(
            "--database", metavar="URL", help=f"the server (default: {URL_VARIABLE})"
        )
        action.add_argument("--json", action="store_true", help="print one JSON object")
    whom = gone.add_mutually_exclusive_group(required=True)
    whom.add_argument("--reader", metavar="PSEUDONYM", help="this reader's sessions and gaze")
    whom.add_argument(
        "--patient", nargs="+", metavar="GROUP|IMAGE",
        help="source group, image (name, id or sha256) or case (name or id); or the patient's "
             "identifier, if the groups were made with this computer's key",
    )  # fmt: skip
    gone.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    return parser
