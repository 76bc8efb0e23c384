"""Which run of a study is meant: by its name, as every page shows it, its folder or its id."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from migrations.study.errors import AmbiguousName, UnknownName
from migrations.study.folder import Study
from migrations.study.schema import TrainingRun


def folder_name(run: TrainingRun) -> str:
    """Return the name of a run's folder, which is unique."""
    return Path(run.metrics_path).parent.name


def runs_of(study: Study) -> list[TrainingRun]:
    """Return the runs of a study, oldest first."""
    with study.database.read() as session:
        return list(session.scalars(select(TrainingRun).order_by(TrainingRun.id)))


def find_run(runs: Sequence[TrainingRun], word: str) -> TrainingRun:
    """Return the run that a word means.

    Raises
    ------
    UnknownName
        If no run has this name; lists those there are.
    AmbiguousName
        If several have it; lists their folders to choose from.
    """
    exact = [run for run in runs if word in (run.id, folder_name(run))]
    found = exact or [run for run in runs if run.name == word]
    if not found:
        known = ", ".join(folder_name(run) for run in runs) or "none yet"
        raise UnknownName(f"The study has no run {word!r}; there are: {known}.")
    if len(found) > 1:
        folders = ", ".join(folder_name(run) for run in found)
        raise AmbiguousName(f"{len(found)} runs are called {word!r}; name one of {folders}.")
    return found[0]
