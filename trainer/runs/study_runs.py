"""A run on disk and in the database: its folder, its row, and who is at work in it."""

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select

from migrations.study.audit import add_audit
from migrations.study.folder import Study
from migrations.study.processes import only_one
from migrations.study.schema import TrainingRun, new_id
from migrations.study.unwritable import unwritable_text
from trainer.errors import CheckpointError, RunBusy, RunFolderError
from trainer.pretrain.checkpoint import Identity, checkpoints, require_same

_LOCK = "running.json"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run: the id of its row and its folder; `continued` if it was there before."""

    study: Study
    run_id: str
    folder: Path
    continued: bool

    def update(self, **values: Any) -> None:
        """Change columns of the row; `details` are added to those there."""
        with self.study.database.write() as session:
            row = session.get_one(TrainingRun, self.run_id)
            details = values.pop("details", {})
            row.details = {**row.details, **details}
            for name, value in values.items():
                setattr(row, name, value)

    def stored(self, path: Path) -> str:
        """Return the path of a file as rows keep it."""
        return stored_path(self.study, path)


def stored_path(study: Study, path: Path) -> str:
    """Return a path within the study relative to it, others in full; with forward slashes."""
    with contextlib.suppress(ValueError):
        return path.resolve().relative_to(study.folder.resolve()).as_posix()
    return path.resolve().as_posix()


def open_run(
    study: Study,
    identity: Identity,
    similarity_run_id: str | None,
    *,
    fresh: bool,
    out: Path | None,
) -> RunRecord:
    """Return the newest unfinished run of the same config, cohort and pairs, or a new one.

    Parameters
    ----------
    study, identity, similarity_run_id
        What the run belongs to.
    fresh
        Start anew whatever there is.
    out
        The run folder; None: one of the study's `runs`.

    Raises
    ------
    CheckpointError
        If `out` holds a finished run, or any run while `fresh`.
    RunFolderError
        If the folder cannot be made.
    """
    known = None if fresh else _unfinished(study, identity, out)
    if known is not None:
        record = RunRecord(study, known.id, _folder_of(study, known), continued=True)
        record.update(state="running", ended_utc=None, message=None)
        return record
    folder = made_folder(out, fresh, identity) if out else new_folder(study.runs, identity)
    record = RunRecord(study, new_id(), folder, continued=bool(checkpoints(folder)))
    _insert(record, identity, similarity_run_id)
    return record


def _unfinished(study: Study, identity: Identity, out: Path | None) -> TrainingRun | None:
    query = (
        select(TrainingRun)
        .where(
            TrainingRun.state != "finished",
            TrainingRun.cohort_fingerprint == identity.cohort,
        )
        .order_by(TrainingRun.id.desc())
    )
    with study.database.read() as session:
        rows = session.scalars(query).all()
        session.expunge_all()
    for row in rows:
        folder = _folder_of(study, row)
        same_place = out is None or folder.resolve() == out.resolve()
        if same_place and folder.is_dir() and _is_same(row.details, identity):
            return row
    return None


def _is_same(details: Mapping[str, Any], identity: Identity) -> bool:
    return (
        details.get("config_hash") == identity.config.hash()
        and details.get("relation_hash") == identity.relation
        and details.get("images") == identity.images
        and details.get("init", "") == identity.init
    )


def _folder_of(study: Study, row: TrainingRun) -> Path:
    return (study.folder / row.metrics_path).parent


def new_folder(runs: Path, identity: Identity) -> Path:
    """Make a run folder named by time and run.

    Raises
    ------
    RunFolderError
        If it cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = f"{stamp}-{identity.config.run_name}"
    folder, number = runs / name, 2
    with _writable(runs):
        while True:
            try:
                folder.mkdir(parents=True)
                return folder
            except FileExistsError:  # two runs begun within a second
                folder, number = runs / f"{name}-{number}", number + 1


def made_folder(folder: Path, fresh: bool, identity: Identity) -> Path:
    """Make the run folder that the user named.

    Raises
    ------
    CheckpointError
        If it holds a finished run, another run, or any run while `fresh`.
    RunFolderError
        If it cannot be made.
    """
    if (folder / "encoder.safetensors").exists():
        raise CheckpointError(
            f"{folder} contains a finished run. Choose another folder with --out."
        )
    if fresh and checkpoints(folder):
        raise CheckpointError(
            f"{folder} contains a run with checkpoints. Choose another folder with --out, or omit "
            "--fresh to continue it."
        )
    if checkpoints(folder):  # before its config.json is written over
        with contextlib.suppress(OSError, ValueError, KeyError):
            theirs = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            require_same(folder, identity, theirs)
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Say of a folder that cannot be written what to do; a full disk is no fault of ours."""
    try:
        yield
    except OSError as error:
        raise RunFolderError(
            unwritable_text(folder, error, "name a folder that can be written with --out")
        ) from error


def write_config(folder: Path, identity: Identity) -> None:
    """Write `config.json` into a run folder.

    Raises
    ------
    RunFolderError
        If it cannot be written.
    """
    text = json.dumps({"name": identity.config.run_name, **identity.as_dict()}, indent=2)
    with _writable(folder):
        (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def _insert(record: RunRecord, identity: Identity, similarity_run_id: str | None) -> None:
    config = identity.config
    write_config(record.folder, identity)
    row = TrainingRun(
        id=record.run_id,
        name=config.run_name,
        config=config.shaping(),
        state="running",
        cohort_fingerprint=identity.cohort,
        similarity_run_id=similarity_run_id,
        metrics_path=record.stored(record.folder / "metrics.jsonl"),
        details={
            "config_hash": config.hash(),
            "relation_hash": identity.relation,
            "images": identity.images,
            "init": identity.init,
        },
    )
    with record.study.database.write() as session:
        session.add(row)
        session.flush()
        add_audit(session, "training started", record.run_id, {"name": config.run_name})


class _AtWork(Protocol):
    @property
    def folder(self) -> Path: ...


@contextlib.contextmanager
def at_work(record: _AtWork) -> Iterator[None]:
    """Keep other processes out of a run folder, and log into its `log.txt`.

    Raises
    ------
    RunBusy
        If a living process trains there.
    RunFolderError
        If the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with _writable(record.folder):
            other = stack.enter_context(only_one(record.folder / _LOCK))
            if other is not None:
                raise RunBusy(
                    f"{record.folder} is being trained by process {other.pid}. Wait for it, stop "
                    "it, or start another run with --fresh."
                )
            stack.enter_context(_logged_into(record.folder / "log.txt"))
        yield


@contextlib.contextmanager
def _logged_into(file: Path) -> Iterator[None]:
    """Write what the trainer logs into a file, too.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("trainer")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()
