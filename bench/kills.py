"""kill -9 of a command at every step of it, and what the next start finds: python -m bench.kills.

A step is a file opened for writing, renamed or removed, a folder made or removed, or one statement
of SQLite. The command runs in a forked process, which kills itself just before a step. Then
`db check` looks at the study, the command runs again, and `db check --repair` is the last.
POSIX only: it forks. Prints a table; exits 1 where a study was damaged or something stayed unnamed.
"""

import argparse
import contextlib
import io
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from app.images.importing.importer import import_paths
from migrations.study.audit import audit_row
from migrations.study.command import main as db
from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.schema import Audit
from migrations.study.settings import StudySettings
from migrations.study.soundness import UNFINISHED
from migrations.study.sync.push import push
from tests.app.interchange.gaze_files import picture
from tests.app.interchange.readings import add_readings

Run = Callable[[Path], int]
_EVENTS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.truncate")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is killed.

    Attributes
    ----------
    run
        Runs it, given the folder that holds the study `study`; returns its exit code.
    again
        Whether it must succeed when it is run again after a kill.
    proof
        The file whose rows must in the end be those of a run that nobody killed.
    """

    name: str
    run: Run
    again: bool = True
    proof: str = "study/foveate.sqlite"


@dataclass(slots=True)
class Outcome:
    """What became of the kills of one command."""

    name: str
    steps: int
    kills: int = 0
    left: int = 0
    named: int = 0
    problems: list[str] = field(default_factory=list)

    def row(self) -> str:
        """Return it as a row of the table."""
        survived = self.kills - len({p.partition(":")[0] for p in self.problems})
        cells = (self.name, self.steps, self.kills, survived, self.left, self.named)
        return f"| {' | '.join(map(str, cells))} |"


HEAD = (
    "| command | steps | killed | survived | left something | of these named or swept |\n"
    "|---|---|---|---|---|---|"
)


def killed_everywhere(command: Command, made: Path, work: Path, most: int) -> Outcome:
    """Kill a command before each of its steps, or before `most` of them, evenly spread.

    Parameters
    ----------
    made
        A folder with a study, which is copied for each kill into `work`.
    """
    whole = _copied(made, work)
    steps = _run(command, whole, kill_at=None)
    wanted = _counts(whole / command.proof)
    outcome = Outcome(command.name, steps)
    chosen = range(1, steps + 1) if steps <= most else [1 + k * steps // most for k in range(most)]
    for number in chosen:
        folder = _copied(made, work)
        if _run(command, folder, kill_at=number) >= 0:
            outcome.problems.append(f"{number}: it was not reached")
            continue
        outcome.kills += 1
        _look(command, folder, number, outcome)
        if command.again and _counts(folder / command.proof) != wanted:
            outcome.problems.append(f"{number}: other rows than without a kill")
    return outcome


def _counts(database: Path) -> dict[str, int]:
    """Return how many rows each table has."""
    with contextlib.closing(sqlite3.connect(database)) as rows:
        names = [r[0] for r in rows.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {n: rows.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0] for n in names}


def _look(command: Command, folder: Path, number: int, outcome: Outcome) -> None:
    """Look at the study as it was left, run the command again, and look once more."""
    study = folder / "study"
    code, said = _said(db, ["check", "--study", str(study)])
    if code:
        outcome.problems.append(f"{number}: damaged: {said}")
    left = _unfinished(folder)
    # Whoever died last is not living any more, so its unfinished things are named or swept.
    if left or "leftover:" in said:
        outcome.left += 1
    if command.again and _run(command, folder, kill_at=None) < 0:
        outcome.problems.append(f"{number}: the command failed when it was run again")
    code, said = _said(db, ["check", "--study", str(study), "--repair"])
    if code:
        outcome.problems.append(f"{number}: damaged after it ran again: {said}")
    still = [path for path in _unfinished(folder) if "set-aside" not in path.parts]
    if still:
        outcome.problems.append(f"{number}: not swept and not named: {still[0]}")
    elif left or "Moved to" in said:
        outcome.named += 1


def _unfinished(folder: Path) -> list[Path]:
    return sorted({path for pattern in UNFINISHED for path in folder.rglob(pattern)})


def _copied(made: Path, work: Path) -> Path:
    """Copy to a place of its own, for `db check` knows what was last sealed at a place."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    return shutil.copytree(made, Path(tempfile.mkdtemp(dir=work)) / "made")


def _said(main: Callable[[Sequence[str]], int], words: list[str]) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main(words)
    return code, out.getvalue()


def _run(command: Command, folder: Path, kill_at: int | None) -> int:
    """Run a command in a fork; return how many steps it took, -1 if it was killed or failed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(command, folder, kill_at, writing)
    os.close(writing)
    with open(reading, "rb") as told:
        said = told.read()
    _, status = os.waitpid(pid, 0)
    return int(said) if status == 0 and said else -1


def _child(command: Command, folder: Path, kill_at: int | None, writing: int) -> None:
    code, taken = 1, [0]

    def step() -> None:
        taken[0] += 1
        if taken[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.stdout = sys.stderr = said = io.StringIO()
        _watch(step)
        code = command.run(folder)
        if code == 0:
            os.write(writing, str(taken[0]).encode())
        else:
            os.write(2, f"{command.name} failed: {said.getvalue()[-2000:]}\n".encode())
    except BaseException as error:  # told, for a fork must not go on in its parent's code
        os.write(2, f"{command.name}: {error!r}\n".encode())
    finally:
        os._exit(code)


def _watch(step: Callable[[], None]) -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _EVENTS or (event == "open" and _writes(arguments)):
            step()

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        made = plain(*arguments, **options)
        made.set_trace_callback(lambda _statement: step())
        return made

    plain = sqlite3.connect
    sqlite3.connect = sqlite3.dbapi2.connect = connect  # SQLAlchemy takes the second
    sys.addaudithook(hook)


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _line(*words: str, then: tuple[str, str] | None = None) -> Run:
    """Return what runs a line of `main.py`; `then` is an option and its place in the folder."""

    def run(folder: Path) -> int:
        more = [] if then is None else [then[0], str(folder / then[1])]
        return main_of(*words, "--study", str(folder / "study"), *[w for w in more if w])

    return run


def main_of(*words: str) -> int:
    """Run a line of `main.py`."""
    return int(import_module("main").main(words))


def _export_csv(folder: Path) -> int:
    out = folder / "study" / "exports"
    fresh = out / f"csv-{len(list(out.glob('*')))}"
    return main_of("export", "csv", "--study", str(folder / "study"), "--out", str(fresh))


def _push(folder: Path) -> int:
    """Push to a server that is a file: what is killed here is the station."""
    study, server = Study.open(folder / "study"), Database.at(folder / "server.sqlite")
    server.upgrade()
    push(study.database, server)
    return 0


def _seal(folder: Path) -> int:
    """Add three links to the chain, the last one signed, with what is known of it outside."""
    with contextlib.closing(Study.open(folder / "study")) as study:
        for number in range(3):
            with study.database.write(signed=number == 2) as rows:
                if rows.get(Audit, f"sealed-{number}") is None:
                    row = audit_row("noted", row_id=f"sealed-{number}", station="s", person="p")
                    rows.add(Audit(**row))
    return 0


def _first_seal(folder: Path) -> int:
    """Do the same with a key that is made for it, in a configuration of its own."""
    os.environ["FOVEATE_CONFIG_DIR"] = str(folder / "config")
    return _seal(folder)


COMMANDS = (
    Command("closing a seal", _seal),
    Command("the first seal, its key made", _first_seal),
    Command("import", _line("import", then=("", "more"))),
    Command("db backup", _line("db", "backup")),
    Command("db backup --to", _line("db", "backup", then=("--to", "study/backups"))),
    Command("db restore", _line("db", "restore")),
    Command("export csv", _export_csv),
    Command("export archive", _line("export", "archive", then=("--out", "study/exports"))),
    Command("db erase", _line("db", "erase", "--reader", "R-01"), again=False),
    Command("db push", _push, proof="server.sqlite"),
    Command("db upgrade", _line("db", "upgrade")),
)


def prepared(folder: Path) -> Iterator[tuple[Command, Path]]:
    """Yield each command with the folder that is made ready for it."""
    usual, older = folder / "usual", folder / "older"
    (usual / "more").mkdir(parents=True)
    study = Study.create(usual / "study", StudySettings())
    import_paths(study, [picture(folder / f"{k}.png", k) for k in range(2)])
    picture(usual / "more" / "3.png", 3)
    add_readings(study)
    study.backup()
    study.close()
    shutil.copytree(usual, older)
    database = Database.at(older / "study" / "foveate.sqlite")
    database.downgrade("0001")
    database.close()
    for command in COMMANDS:
        yield command, older if command.name == "db upgrade" else usual


def main() -> int:
    """Kill all commands; 0 if every study was whole and everything left was named or swept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=100, help="kills of one command")
    parser.add_argument("--only", help="one command")
    options = parser.parse_args()
    problems = 0
    sys.stdout.write(f"{HEAD}\n")
    with tempfile.TemporaryDirectory() as name:
        os.environ["FOVEATE_CONFIG_DIR"] = f"{name}/config"
        for command, made in prepared(Path(name)):
            if options.only in (None, command.name):
                outcome = killed_everywhere(command, made, Path(name) / "work", options.most)
                sys.stdout.write(f"{outcome.row()}\n")
                sys.stdout.flush()
                for problem in outcome.problems:
                    sys.stderr.write(f"{command.name}, step {problem}\n")
                problems += len(outcome.problems)
    return int(problems > 0)


if __name__ == "__main__":
    sys.exit(main())
