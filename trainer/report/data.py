"""What the report shows, read from the study in short transactions."""

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select

from devices.gaze.pair_rates import pairs_among, positive_rate
from migrations.study.case_sheets import counted_sheets
from migrations.study.cohort_rules import badge_of
from migrations.study.design_tables import DESIGNED
from migrations.study.errors import AmbiguousName, UnknownName
from migrations.study.folder import Study
from migrations.study.names import names_of, short_name, split_item
from migrations.study.reader_attributes import attributes_of
from migrations.study.run_names import find_run
from migrations.study.schema import (
    Calibration,
    CaseImage,
    Fixation,
    Reader,
    Reading,
    Session,
    SimilarityRun,
    StudyCase,
    TrainingRun,
)
from trainer.data.cohort import Cohort, load_cohort
from trainer.errors import ReportError, SimilarityError
from trainer.report.answer_counts import AnswerCount, count_answers
from trainer.report.answer_figures import DrawnFigure, drawn_figures
from trainer.report.checklist import Item, checklist_of
from trainer.report.probe_sections import ProbeFigures, find_probes, read_probes
from trainer.similarity.base import BoolArray, FloatArray
from trainer.similarity.store import load_matrix

_UNTOLD = ("consent", "backup_folder", *DESIGNED)
"""Settings of a study that are nobody else's business."""


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """One reading as the quality table shows it; None where the station wrote nothing.

    `name` and `images` are what it and the images of its case are called everywhere.
    """

    id: str
    name: str
    reader: str
    images: tuple[str, ...]
    state: str
    practice: bool
    seconds: float | None
    samples: int | None
    missing: int | None
    invalid: int | None
    loss: float | None
    off_image: float | None
    fixations: int
    fixations_on_images: int
    accuracy_deg: float | None
    verdict: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimilarityFigures:
    """A similarity run and its matrix; ids are those of images, in the order of both axes.

    Attributes
    ----------
    threshold
        That of the newest training run shown, else the one kept with the similarity.
    matrix, valid
        Shape (N, N): similarity, and the pairs whose value is known here.
    comparable
        Shape (N,), of a graph: images that have a value. A pair of them that is not among `valid`
        has one too, below those that the graph stores; None: `valid` has them all.
    """

    run: SimilarityRun
    threshold: float | None
    matrix: FloatArray
    valid: BoolArray
    ids: tuple[str, ...]
    comparable: BoolArray | None = None

    @property
    def valid_pairs(self) -> int:
        """How many pairs have a value, known here or not."""
        if self.comparable is None:
            return int(np.triu(self.valid, 1).sum())
        return pairs_among(int(np.count_nonzero(self.comparable)))

    def positive_rate(self, threshold: float) -> float:
        """Return the share of valid pairs above a threshold."""
        return positive_rate(self.matrix, self.valid, threshold, self.valid_pairs)


@dataclass(frozen=True, slots=True)
class RunFigures:
    """A training run, its folder, its config.json and metrics.jsonl, hashes of what it used.

    `held_back` is the number of test images in its splits.json, None where it does not say;
    `encoder` its file of weights, if it is there.
    """

    run: TrainingRun
    folder: Path
    config: dict[str, Any]
    metrics: list[dict[str, Any]]
    hashes: dict[str, str] = field(default_factory=dict)
    held_back: int | None = None
    encoder: Path | None = None

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
    name, question
        Head of the page.
    hint
        How the images are named on the command line.
    image_names
        What each image is called everywhere, by its id; the name of a file without a study.
    settings, schema
        Of the study; None and nothing where the images come from a plain folder.
    setups, filters
        How gaze was recorded and how fixations were found, in words, each once.
    share
        Whether it leaves the house: then images, notes and figures of single readers stay out.
    answers
        How often each question was answered how, by arm.
    looked, performed
        What `analyse` and `performance` drew.
    checklist
        The reporting guideline for eye tracking, filled from the study.
    attributes
        What readers said of themselves, by pseudonym; nothing where it was not asked.
    sheets
        Of how many cases the sheet says which class, by part; "" where it does not say.
    """

    name: str
    question: str
    hint: str
    cohort: Cohort
    image_names: Mapping[str, str]
    similarity: SimilarityFigures | None
    runs: list[RunFigures]
    case_count: int = 0
    readings: list[ReadingRow] = field(default_factory=list)
    sittings: Counter[str] = field(default_factory=Counter)
    settings: dict[str, Any] | None = None
    schema: str | None = None
    problems: list[str] = field(default_factory=list)
    probes: list[ProbeFigures] = field(default_factory=list)
    setups: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    share: bool = False
    answers: list[AnswerCount] = field(default_factory=list)
    looked: list[DrawnFigure] = field(default_factory=list)
    performed: list[DrawnFigure] = field(default_factory=list)
    checklist: list[Item] = field(default_factory=list)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    sheets: dict[str, Counter[str]] = field(default_factory=dict)

    def called(self, image_id: str) -> str:
        """Return what an image is called on the page."""
        whole, frame = split_item(image_id)
        name = self.image_names.get(whole) or short_name(whole)
        return name if frame is None else f"{name}, frame {frame}"


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
        readings=_readings(study, names),
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


def _hashes(row: TrainingRun, config: dict[str, Any], encoder: Path | None) -> dict[str, str]:
    """Return hashes of config, cohort, relation and encoder, as far as they are known."""
    found = {
        "config": str(config.get("config_hash") or ""),
        "cohort": row.cohort_fingerprint,
        "relation": str(config.get("relation") or ""),
    }
    if encoder is not None:
        with encoder.open("rb") as file:
            found["encoder"] = hashlib.file_digest(file, "sha256").hexdigest()
    return {name: text for name, text in found.items() if text}


def _readings(study: Study, image_names: Mapping[str, str]) -> list[ReadingRow]:
    on_images = func.count(Fixation.image_id)  # counts no row without an image
    fixations = select(Fixation.reading_id, func.count(), on_images).group_by(Fixation.reading_id)
    validations = (
        select(Calibration.session_id, Calibration.accuracy_deg)
        .where(Calibration.kind == "validation", Calibration.accuracy_deg.is_not(None))
        .order_by(Calibration.started_us)
    )
    readings = select(Reading, Reader.pseudonym).join(Reader, Reader.id == Reading.reader_id)
    with study.database.read() as session:
        counts = {r: (n, on) for r, n, on in session.execute(fixations)}
        accuracy = {s: a for s, a in session.execute(validations)}
        images: dict[str, list[str]] = {}
        for case_id, image_id in session.execute(select(CaseImage.case_id, CaseImage.image_id)):
            images.setdefault(case_id, []).append(image_names[image_id])
        names = names_of(session, "reading")
        rows = session.execute(readings.order_by(Reading.id)).all()
        return [
            _reading_row(r, names[r.id], who, images.get(r.case_id, []), counts, accuracy)
            for r, who in rows
        ]


def _reading_row(
    r: Reading,
    name: str,
    reader: str,
    images: Sequence[str],
    fixations: dict[str, tuple[int, int]],
    accuracy: dict[str, float | None],
) -> ReadingRow:
    return ReadingRow(
        r.id,
        name,
        reader,
        tuple(sorted(images)),
        r.state,
        r.practice,
        None if r.ended_us is None else (r.ended_us - r.started_us) / 1e6,
        r.sample_count,
        r.missing_count,
        r.invalid_count,
        r.loss,
        r.off_image,
        *fixations.get(r.id, (0, 0)),
        accuracy.get(r.session_id),
        r.verdict,
        tuple(str(reason) for reason in r.verdict_reasons),
    )


def _runs(study: Study, run_ids: Sequence[str] | None, problems: list[str]) -> list[RunFigures]:
    with study.database.read() as session:
        rows = list(session.scalars(select(TrainingRun).order_by(TrainingRun.id)))
    if run_ids is not None:
        try:
            rows = [find_run(rows, name) for name in run_ids]
        except (UnknownName, AmbiguousName) as error:
            raise ReportError(str(error)) from error
    return [run_figures(row, study.folder, problems) for row in rows]


def run_figures(row: TrainingRun, root: Path, problems: list[str]) -> RunFigures:
    """Return what the folder of a run tells; the paths of its row begin at `root`."""
    path = root / row.metrics_path
    config: dict[str, Any] = dict(row.config)
    try:
        config = json.loads((path.parent / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        problems.append(
            f"Run {row.name}: config.json cannot be read; the stored settings are shown."
        )
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
    encoder = root / row.encoder_path if row.encoder_path else None
    if encoder is not None and not encoder.is_file():
        encoder = None
    return RunFigures(
        row,
        path.parent,
        config,
        [m for m in metrics if "step" in m],
        _hashes(row, config, encoder),
        _held_back(path.parent / "splits.json"),
        encoder,
    )


def _held_back(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and isinstance(content.get("test"), list):
            return len(content["test"])
    return None


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
