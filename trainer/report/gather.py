"""Reads from a study what the report shows, in short transactions."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import func, select

from migrations.study.case_sheets import counted_sheets
from migrations.study.cohort_rules import badge_of
from migrations.study.design_tables import DESIGNED
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.reader_attributes import attributes_of
from migrations.study.schema import Fixation, Reader, Session, SimilarityRun, StudyCase
from trainer.data.cohort import load_cohort
from trainer.errors import SimilarityError
from trainer.report.answer_counts import count_answers
from trainer.report.answer_figures import drawn_figures
from trainer.report.checklist import checklist_of
from trainer.report.data import ReportData, RunFigures, SimilarityFigures
from trainer.report.probe_sections import find_probes, read_probes
from trainer.report.reading_rows import reading_rows
from trainer.report.run_files import runs_of
from trainer.similarity.store import load_matrix

_UNTOLD = ("consent", "backup_folder", *DESIGNED)
"""Settings of a study that are nobody else's business."""


def gather(
    study: Study,
    run_ids: Sequence[str] | None,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    probes: Sequence[Path] | None = None,
    share: bool = False,
) -> ReportData:
    """Read everything; `run_ids` names training runs (row id or folder name), None all of them.

    `probes` names folders of probe results, None all of the study's exports.

    Raises
    ------
    Cancelled
        If `cancelled` said so while readings were read.
    ReportError
        If a named run does not exist.
    """
    problems: list[str] = []
    runs = runs_of(study, run_ids, problems)
    with study.database.read() as session:
        names = names_of(session, "image")
        cases = session.scalar(select(func.count()).select_from(StudyCase)) or 0
        sessions = session.scalars(select(Session).order_by(Session.id)).all()
        filters = session.execute(
            select(Fixation.algorithm, Fixation.parameters_hash).distinct().order_by("algorithm")
        )
        answers = count_answers(session)
        checklist = checklist_of(session, study.settings)
        readers = session.execute(select(Reader.pseudonym, Reader.details))
        attributes = {name: attributes_of(details) for name, details in readers}
        sheets = counted_sheets(session)
        filters_told = [f"{name} (parameters {text})" for name, text in filters]
    folders = find_probes(study.exports) if probes is None else probes
    settings = {n: getattr(study.settings, n) for n in study.settings.__slots__}
    return ReportData(
        name=study.settings.name,
        question=study.settings.question,
        hint=f"--study {study.folder.name}",
        cohort=load_cohort(study, cancelled=cancelled),
        image_names=names,
        similarity=_similarity(study, runs, problems),
        runs=runs,
        case_count=cases,
        readings=reading_rows(study, names),
        sittings=Counter(map(_tracker, sessions)),
        settings={n: value for n, value in settings.items() if n not in _UNTOLD},
        schema=study.database.revision(),
        problems=problems,
        probes=read_probes(folders, problems),
        setups=list(dict.fromkeys(map(_setup, sessions))),
        filters=filters_told,
        share=share,
        answers=answers,
        looked=drawn_figures(study.exports / "analysis", problems),
        performed=drawn_figures(study.exports / "performance", problems),
        checklist=checklist,
        attributes=attributes,
        sheets=sheets,
    )


def _tracker(session: Session) -> str:
    """Return what recorded a session, with its badge where that is no person's gaze."""
    badge = badge_of(session.tracker_kind)
    name = f"{session.tracker_model} ({session.tracker_kind})"
    return f"{name}, {badge}" if badge else name


def _setup(session: Session) -> str:
    rate = f" at {session.tracker_rate_hz:g} Hz" if session.tracker_rate_hz else ""
    return (
        f"{_tracker(session)}{rate}, on a screen of {session.screen_width_mm:.0f} × "
        f"{session.screen_height_mm:.0f} mm seen from {session.distance_mm:.0f} mm "
        f"({session.distance_source})"
    )


def _similarity(
    study: Study, runs: Sequence[RunFigures], problems: list[str]
) -> SimilarityFigures | None:
    """Return the similarity of the newest run shown, else the study's newest."""
    wanted = [r.run for r in runs if r.run.similarity_run_id]
    query = select(SimilarityRun).order_by(SimilarityRun.id.desc())
    if wanted:
        query = query.where(SimilarityRun.id == wanted[-1].similarity_run_id)
    with study.database.read() as session:
        run = session.scalars(query.limit(1)).first()
    if run is None or run.matrix_path is None:
        return None
    try:
        stored = load_matrix(study.folder / run.matrix_path)
    except SimilarityError as error:
        problems.append(str(error))
        return None
    used = wanted[-1].details.get("threshold") if wanted else None
    threshold = run.threshold if used is None else float(used)
    return SimilarityFigures(run, threshold, stored.similarity, stored.valid, stored.ids)
