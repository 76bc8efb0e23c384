"""What a researcher changes about a run: name, tags and note, or its deletion.

Each change is recorded in `audit`. Name, tags and note belong to the run; what was learned does not
change.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from app.errors import AppError
from app.workspace.runs import NOTE, TAGS, RunRow
from migrations.study.audit import add_audit
from migrations.study.clean_text import clean
from migrations.study.folder import Study
from migrations.study.jobs import jobs
from migrations.study.processes import holder
from migrations.study.schema import TrainingRun

_LOCK = "running.json"
LONGEST_NAME = 80


class RunEditRefused(AppError):
    """A run cannot be changed or deleted this way; the message says why."""


def edit(study: Study, run_id: str, name: str, tags: Sequence[str], note: str) -> None:
    """Give a run another name, tags and note.

    Raises
    ------
    RunEditRefused
        If the name is empty or too long.
    """
    name = clean(name.strip())
    if not name or len(name) > LONGEST_NAME:
        raise RunEditRefused(f"A run needs a name of 1 to {LONGEST_NAME} characters.")
    with study.database.write() as session:
        row = session.get_one(TrainingRun, run_id)
        before = row.name
        row.name = name
        row.details = {**row.details, TAGS: _tags(tags), NOTE: clean(note.strip())}
        _record(session, "edit run", run_id, {"name": name, "name_before": before})


def in_use(study: Study, run: RunRow) -> str:
    """Return what uses a run now, in words; "" if nothing does."""
    if (process := holder(run.folder / _LOCK)) is not None:
        return f"{run.name} is being trained by process {process.pid}. Stop it first."
    words = (str(run.folder), run.folder.name, run.id, run.name)
    for job in jobs(study.folder):
        options = [word.rpartition("=")[2] for word in job.options]
        named = any(o in words or str(run.folder) in o for o in options)
        if not job.over and named:
            return f"A queued training starts from {run.name}. Remove it from the queue first."
    return ""


def delete(study: Study, run: RunRow) -> None:
    """Delete a run permanently: its row and its folder in the study.

    A folder outside the study stays where it is.

    Raises
    ------
    RunEditRefused
        If it is in use, or its folder cannot be deleted completely.
    """
    if why := in_use(study, run):
        raise RunEditRefused(f"{why} It was not deleted.")
    with study.database.write() as session:
        session.delete(session.get_one(TrainingRun, run.id))
        _record(session, "delete run", run.id, {"name": run.name, "folder": run.folder.name})
    if _is_within(study, run.folder):
        try:
            shutil.rmtree(run.folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunEditRefused(
                f"{run.name} is no longer in the study, but {error.filename} could not be deleted: "
                f"{error.strerror}. Delete {run.folder} by hand."
            ) from error


def _is_within(study: Study, folder: Path) -> bool:
    # A row may name any path: only what is below one of these two is a run's own folder.
    places = (study.runs.resolve(), study.exports.resolve())
    return any(place in folder.resolve().parents for place in places)


def _record(session: Session, action: str, run_id: str, details: dict[str, str]) -> None:
    add_audit(session, action, run_id, details)


def _tags(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(t for t in (clean(tag.strip()) for tag in tags) if t))
