"""What the report shows, read from the study in short transactions."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select

from migrations.schema import (
    Calibration,
    CaseImage,
    Fixation,
    Image,
    Reader,
    Reading,
    Session,
    SimilarityRun,
    StudyCase,
    TrainingRun,
)
from migrations.study import Study
from trainer.cohort import Cohort, load_cohort
from trainer.errors import ReportError, SimilarityError
from trainer.report.probe_sections import ProbeFigures, find_probes, read_probe
from trainer.similarity.base import BoolArray, FloatArray
from trainer.similarity.store import load_matrix


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """One reading as the quality table shows it; None where the station wrote nothing."""

    id: str
    reader: str
    images: tuple[int, ...]
    state: str
    practice: bool
    seconds: float | None
    samples: int | None
    lost: int | None
    loss: float | None
    off_image: float | None
    fixations: int
    accuracy_deg: float | None
    verdict: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimilarityFigures:
    """A similarity run and its matrix; ids are those of images, in the order of both axes.

    `threshold` is that of the newest training run shown, else the one kept with the similarity.
    """

    run: SimilarityRun
    threshold: float | None
    matrix: FloatArray
    valid: BoolArray
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFigures:
    """A training run, its config.json, the rows of its metrics.jsonl, hashes of what it used."""

    run: TrainingRun
    config: dict[str, Any]
    metrics: list[dict[str, Any]]
    hashes: dict[str, str] = field(default_factory=dict)

    def column(self, name: str) -> FloatArray:
        """Return one figure of all rows (N,), NaN where it is missing."""
        values = [row.get(name) for row in self.metrics]
        numbers = [np.nan if v is None else float(v) for v in values]
        return np.array(numbers, np.float64)


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that the report shows.

    Attributes
    ----------
    setups, filters
        How gaze was recorded and how fixations were found, in words, each once.
    share
        Whether it leaves the house: then images, notes and figures of single readers stay out.
    """

    study: Study
    cohort: Cohort
    image_numbers: dict[str, int]
    case_count: int
    readings: list[ReadingRow]
    sittings: Counter[str]
    similarity: SimilarityFigures | None
    runs: list[RunFigures]
    problems: list[str] = field(default_factory=list)
    probes: list[ProbeFigures] = field(default_factory=list)
    setups: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    share: bool = False


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
    runs = _runs(study, run_ids, problems)
    with study.database.read() as session:
        numbers = {i: n for i, n in session.execute(select(Image.id, Image.import_number))}
        cases = session.scalar(select(func.count()).select_from(StudyCase)) or 0
        sessions = session.scalars(select(Session).order_by(Session.id)).all()
        filters = session.execute(
            select(Fixation.algorithm, Fixation.parameters_hash).distinct().order_by("algorithm")
        )
        filters_told = [f"{name} (parameters {text})" for name, text in filters]
    folders = find_probes(study.exports) if probes is None else probes
    return ReportData(
        study,
        load_cohort(study, cancelled=cancelled),
        numbers,
        cases,
        _readings(study, numbers),
        Counter(s.tracker_model for s in sessions),
        _similarity(study, runs, problems),
        runs,
        problems,
        [found for folder in folders if (found := read_probe(folder, problems)) is not None],
        list(dict.fromkeys(map(_setup, sessions))),
        filters_told,
        share,
    )


def _setup(session: Session) -> str:
    rate = f" at {session.tracker_rate_hz:g} Hz" if session.tracker_rate_hz else ""
    return (
        f"{session.tracker_model} ({session.tracker_kind}){rate}, a screen of "
        f"{session.screen_width_mm:g} × {session.screen_height_mm:g} mm seen from "
        f"{session.distance_mm:g} mm ({session.distance_source})"
    )


def _hashes(study: Study, row: TrainingRun, config: dict[str, Any]) -> dict[str, str]:
    """Return hashes of config, cohort, relation and encoder, as far as they are known."""
    found = {
        "config": str(config.get("config_hash") or ""),
        "cohort": row.cohort_fingerprint,
        "relation": str(config.get("relation") or ""),
    }
    path = study.folder / row.encoder_path if row.encoder_path else None
    if path is not None and path.is_file():
        with path.open("rb") as file:
            found["encoder"] = hashlib.file_digest(file, "sha256").hexdigest()
    return {name: text for name, text in found.items() if text}


def _readings(study: Study, numbers: dict[str, int]) -> list[ReadingRow]:
    fixations = select(Fixation.reading_id, func.count()).group_by(Fixation.reading_id)
    validations = (
        select(Calibration.session_id, Calibration.accuracy_deg)
        .where(Calibration.kind == "validation", Calibration.accuracy_deg.is_not(None))
        .order_by(Calibration.started_us)
    )
    readings = select(Reading, Reader.pseudonym).join(Reader, Reader.id == Reading.reader_id)
    with study.database.read() as session:
        counts = {r: n for r, n in session.execute(fixations)}
        accuracy = {s: a for s, a in session.execute(validations)}
        images: dict[str, list[int]] = {}
        for case_id, image_id in session.execute(select(CaseImage.case_id, CaseImage.image_id)):
            images.setdefault(case_id, []).append(numbers.get(image_id, 0))
        rows = session.execute(readings.order_by(Reading.id)).all()
        return [
            _reading_row(r, name, images.get(r.case_id, []), counts, accuracy) for r, name in rows
        ]


def _reading_row(
    r: Reading,
    reader: str,
    images: Sequence[int],
    fixations: dict[str, int],
    accuracy: dict[str, float | None],
) -> ReadingRow:
    return ReadingRow(
        r.id,
        reader,
        tuple(sorted(images)),
        r.state,
        r.practice,
        None if r.ended_us is None else (r.ended_us - r.started_us) / 1e6,
        r.sample_count,
        r.lost_count,
        r.loss,
        r.off_image,
        fixations.get(r.id, 0),
        accuracy.get(r.session_id),
        r.verdict,
        tuple(str(reason) for reason in r.verdict_reasons),
    )


def _runs(study: Study, run_ids: Sequence[str] | None, problems: list[str]) -> list[RunFigures]:
    with study.database.read() as session:
        rows = list(session.scalars(select(TrainingRun).order_by(TrainingRun.id)))
    if run_ids is not None:
        rows = [_named(rows, name) for name in run_ids]
    return [_run(study, row, problems) for row in rows]


def _named(rows: Sequence[TrainingRun], name: str) -> TrainingRun:
    for row in rows:
        if name in (row.id, Path(row.metrics_path).parent.name):
            return row
    known = ", ".join(Path(row.metrics_path).parent.name for row in rows) or "none yet"
    raise ReportError(f"The study has no run {name!r}; there are: {known}.")


def _run(study: Study, row: TrainingRun, problems: list[str]) -> RunFigures:
    path = study.folder / row.metrics_path
    config: dict[str, Any] = dict(row.config)
    try:
        config = json.loads((path.parent / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        problems.append(f"Run {row.name}: config.json cannot be read; settings are those stored.")
    metrics: list[dict[str, Any]] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        problems.append(f"Run {row.name}: there are no metrics at {row.metrics_path}.")
        lines = []
    for line in lines:
        try:
            metrics.append(json.loads(line))
        except ValueError:  # the last line of a run that was killed while writing it
            problems.append(f"Run {row.name}: a damaged line of {path.name} was skipped.")
    hashes = _hashes(study, row, config)
    return RunFigures(row, config, [m for m in metrics if "step" in m], hashes)


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
