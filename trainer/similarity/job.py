"""What the similarity command does: gaze, features, pairs, files, findings, rows of the study."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from devices.gaze.errors import GazeFileError
from devices.gaze.foreign_values import read_text
from devices.gaze.pair_rates import threshold_for_rate
from migrations.study.evidence import DETAILS_KEY, CohortEvidence
from migrations.study.folder import Study
from migrations.study.names import Names, names_of
from migrations.study.plurals import counted
from trainer.data.cohort import Cohort, damage_text, load_cohort
from trainer.errors import SimilarityError
from trainer.process.events import Meter, StageStarted
from trainer.similarity.base import Similarity
from trainer.similarity.between_readers import split_of
from trainer.similarity.cohort_pass import beside, read_fitted, write_fitted
from trainer.similarity.comparison import Comparison, ComparisonControl, prepare
from trainer.similarity.evidence.judge import Judging, PairRule, judge
from trainer.similarity.evidence.labels import labels_of_file, labels_of_members
from trainer.similarity.findings import (
    Findings,
    describe,
    rank_correlation,
)
from trainer.similarity.graph_job import make_graph
from trainer.similarity.names import AUTO
from trainer.similarity.output import matrix_facts, write_json, write_matrix
from trainer.similarity.request import DEFAULT_THRESHOLD, Job, Request
from trainer.similarity.sources import GazeList, in_order, read_json_folder, read_miceye
from trainer.similarity.store import store_run
from trainer.similarity.study_gaze import feature_cache, gaze_of_members, reader_names
from trainer.similarity.tables import print_evidence, print_findings


@dataclass(frozen=True, slots=True)
class _Source:
    """The gaze, what its items are called, its study and cohort, and what measures carry on it."""

    gaze: GazeList
    names: Names
    study: Study | None = None
    cohort: Cohort | None = None
    evidence: CohortEvidence | None = None


def run_job(job: Job) -> None:
    """Compare, write and tell.

    Raises
    ------
    TrainerError, StudyError, GazeError
        If it cannot be done.
    Cancelled
        If the user asked to stop.
    """
    with _source(job) as source:
        request = job.request
        _require_two(source.gaze, request)
        if source.gaze.note:
            job.console.print(source.gaze.note, highlight=False, soft_wrap=True)
        control = ComparisonControl(
            request.jobs,
            Meter(job.report, "features", "readings"),
            Meter(job.report, "pairs", "pairs"),
            job.stop,
            feature_cache(source.study) if source.study else None,
        )
        if request.measure == AUTO or request.labels is not None:
            source = _labelled(request, source)
            source = replace(source, evidence=_judged(job, source))
            request = _chosen(request, source.evidence)
            job = replace(job, request=request)
        if request.cohort is not None:
            fitted = read_fitted(request.cohort, request.measure)
            control = replace(control, fitted=fitted)
        comparison = prepare(request.measure, source.gaze, request.settings, control)
        written = request.graph if request.out is None else request.out
        if comparison.fitted is not None and written is not None:
            write_fitted(beside(written), request.measure, comparison.fitted)
        if request.graph is not None:
            make_graph(job, comparison, request.graph, _facts(comparison, source))
        if request.out is not None or request.graph is None:
            _make_matrix(job, comparison, source)


def _require_two(gaze: GazeList, request: Request) -> None:
    """Refuse gaze in which nothing can be compared with anything else."""
    seen = len(set(gaze.owners.tolist()))
    if seen < 2:
        raise SimilarityError(
            f"{request.gaze} has gaze on {counted(seen, 'image')}; a comparison needs at least 2."
        )


def _labelled(request: Request, source: _Source) -> _Source:
    """Return the source with the labels of the user's table, else with those of its study."""
    if request.labels is not None:
        labels = labels_of_file(request.labels, source.gaze, source.names)
    else:
        labels = labels_of_members(source.gaze, source.cohort.members if source.cohort else ())
    known = tuple(label or "" for label in labels)
    return replace(source, gaze=replace(source.gaze, labels=known))


def _judged(job: Job, source: _Source) -> CohortEvidence:
    """Return what the measures carry on the gaze at hand, and tell it."""
    request = job.request
    judging = Judging(
        PairRule.of_options(request.threshold, request.positive_rate),
        request.settings,
        () if request.measure == AUTO else (request.measure,),
        lambda measure: job.report(StageStarted("evidence", measure)),
    )
    cache = feature_cache(source.study) if source.study else None
    control = ComparisonControl(request.jobs, cancelled=job.stop, cache=cache)
    evidence = judge(source.gaze, source.gaze.labels, judging, control)
    job.report.close()
    print_evidence(job.console, evidence, recommends=request.measure == AUTO)
    return evidence


def _chosen(request: Request, evidence: CohortEvidence | None) -> Request:
    """Return the request with the recommended measure, where it was to be chosen."""
    if request.measure != AUTO or evidence is None:
        return request
    return replace(request, measure=evidence.recommended)


@contextlib.contextmanager
def _source(job: Job) -> Iterator[_Source]:
    path = job.request.gaze
    with contextlib.ExitStack() as stack:
        if (path / "study.toml").is_file():
            study = Study.open(path, database_url=job.request.database)
            stack.enter_context(contextlib.closing(study))
            cohort = load_cohort(study, Meter(job.report, "cohort", "readings"), job.stop)
            for line in damage_text(cohort):
                job.console.print(f"Damaged gaze: {line}", markup=False)
            gaze = gaze_of_members(cohort.members, reader_names(study))
            with study.database.read() as rows:
                names = names_of(rows, "image")
            yield _Source(_ordered(job.request, gaze, names), names, study, cohort)
        else:
            gaze = _from_files(job)
            names = Names(gaze.ids)
            yield _Source(_ordered(job.request, gaze, names), names)


def _from_files(job: Job) -> GazeList:
    """Return the gaze of a folder or csv; its points lie on the canvas unless said otherwise."""
    request, path = job.request, job.request.gaze
    side = float(request.settings.get("canvas", 800))
    size = request.image_size or (side, side)
    meter = Meter(job.report, "gaze", "files" if path.is_dir() else "lines")
    if path.is_dir():
        gaze = read_json_folder(path, size, meter)
    elif path.is_file():
        gaze = read_miceye(path, size, meter)
    else:
        raise GazeFileError(
            f"{path} does not exist. Name a study, a folder of gaze or a MicEye csv."
        )
    frame = "the canvas" if request.image_size is None else "an image"
    return replace(
        gaze, note=f"Points are interpreted as pixels of {frame} of {size[0]:g} × {size[1]:g}."
    )


def _ordered(request: Request, gaze: GazeList, names: Names) -> GazeList:
    """Return the items that the file of an order names, all of them without one."""
    if request.order is None:
        return gaze
    lines = read_text(request.order).splitlines()
    wanted = [line.strip() for line in lines if line.strip()]
    return in_order(gaze, [names.meant(name) or name for name in wanted])


def _facts(comparison: Comparison, source: _Source) -> dict[str, Any]:
    names = source.names
    evidence = {} if source.evidence is None else {DETAILS_KEY: source.evidence.as_dict()}
    return evidence | {
        "measure": comparison.measure.name,
        "parameters": comparison.settings,
        "note": comparison.gaze.note,
        "ids": list(comparison.gaze.ids),
        "names": [names[id_] for id_ in comparison.gaze.ids],
        "readings": len(comparison.gaze.gazes),
    }


def _make_matrix(job: Job, comparison: Comparison, source: _Source) -> None:
    request, ids = job.request, comparison.gaze.ids
    similarity = comparison.matrix()
    threshold = _threshold(request, similarity)
    findings = describe(
        similarity,
        ids,
        threshold,
        split_of(comparison),
        _agreement(job, source, similarity),
    )
    if request.out is not None:
        _write(request, comparison, similarity, findings, source)
    job.report.close()
    print_findings(job.console, findings, source.names)
    if source.study is not None and source.cohort is not None and request.order is None:
        store_run(
            source.study, similarity, ids, cohort_fingerprint=source.cohort.fingerprint,
            threshold=threshold, findings=findings.as_dict(), evidence=source.evidence,
            fitted=comparison.fitted,
        )  # fmt: skip


def _write(
    request: Request,
    comparison: Comparison,
    similarity: Similarity,
    findings: Findings,
    source: _Source,
) -> None:
    out = request.out
    assert out is not None
    written = similarity
    if request.by_dimension:
        written = comparison.matrix(by_dimension=True)
    write_matrix(out, written, comparison.gaze.ids)
    facts = _facts(comparison, source) | matrix_facts(similarity)
    facts["dimensions"] = list(comparison.measure.dimensions) if request.by_dimension else None
    facts["seconds"] = round(similarity.seconds, 3)
    write_json(out, facts | {"findings": findings.as_dict()})


def _threshold(request: Request, similarity: Similarity) -> float:
    if request.positive_rate is not None:
        return threshold_for_rate(similarity.matrix, similarity.valid, request.positive_rate)
    return DEFAULT_THRESHOLD if request.threshold is None else request.threshold


def _agreement(job: Job, source: _Source, similarity: Similarity) -> dict[str, float]:
    """Return the rank correlation with other measures, made with their released parameters."""
    found = {}
    shared = ("canvas", "proportions", "off_canvas", "combine", "reader")
    settings = {k: v for k, v in job.request.settings.items() if k in shared}
    for name in job.request.agreement:
        if name == similarity.measure:
            continue
        job.report(StageStarted("agreement", name))
        cache = feature_cache(source.study) if source.study else None
        control = ComparisonControl(job.request.jobs, cancelled=job.stop, cache=cache)
        other = prepare(name, source.gaze, settings, control).matrix()
        rho = rank_correlation(similarity, other)
        if rho is not None:
            found[name] = rho
    return found
