"""From a cohort to its pair policy: similarity (computed or found again), threshold, relation."""

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from sqlalchemy import select

from devices.gaze.pair_rates import positive_rate, threshold_for_rate
from migrations.study.evidence import CohortEvidence
from migrations.study.folder import Study
from migrations.study.plurals import counted
from migrations.study.processes import as_typed
from migrations.study.schema import SimilarityRun
from trainer.config.config import RunConfig
from trainer.data.cohort import Cohort, Member
from trainer.errors import CohortError, ConfigError, SimilarityError
from trainer.pairs.chosen_measure import basis_in, with_measure
from trainer.pairs.nearest import nearest_of_graph, nearest_of_matrix
from trainer.pairs.policy import PairMatrix, PairPolicy, Related, SameLabel, SparsePairs
from trainer.pairs.soft import agreement_of, soft_pairs
from trainer.similarity.base import BoolArray, FloatArray
from trainer.similarity.between_readers import split_of
from trainer.similarity.comparison import Comparison, ComparisonControl, prepare
from trainer.similarity.evidence.halves import learns
from trainer.similarity.findings import describe
from trainer.similarity.graph import Graph
from trainer.similarity.items import settings_by_name, settings_of
from trainer.similarity.registry import find_measure
from trainer.similarity.store import load_matrix, store_run
from trainer.similarity.study_gaze import feature_cache, gaze_of_members, reader_names

LARGEST_MATRIX = 20_000
"""Images beyond which pairs are kept as a sparse graph: a matrix would take 3.6 GB and more."""


@dataclass(frozen=True, slots=True)
class ChosenPairs:
    """How pairs are made in a run.

    Attributes
    ----------
    policy
        Makes the masks.
    threshold, positive_rate
        In force, and the share of valid pairs above it; None where pairs need no gaze.
    similarity_run_id
        Row of the similarity; None where pairs need no gaze.
    evidence
        What chose the measure, where it was to be chosen.
    matrix, valid
        The similarity (N, N) that pairs come from; None where not all pairs are known.
    """

    policy: PairPolicy
    threshold: float | None = None
    positive_rate: float | None = None
    similarity_run_id: str | None = None
    evidence: CohortEvidence | None = None
    matrix: FloatArray | None = None
    valid: BoolArray | None = None


def choose_members(cohort: Cohort, config: RunConfig) -> tuple[Member, ...]:
    """Return the images that are trained on; those of the split "test" only if transductive.

    Raises
    ------
    CohortError
        If too few are left for what the config asks; says what is missing and how to get it.
    """
    members = trained_on(cohort.members, config)
    if len(members) < 2:
        held = len(cohort.members) - len(members)
        raise CohortError(
            as_typed(
                f"The study has {counted(len(members), 'image')} to train on; at least 2 are needed"
                + (f" ({held} belong to the test split)" if held else "")
                + ". Import images: python main.py import --study FOLDER FILES"
            )
        )
    read = sum(1 for m in members if m.readings)
    if config.uses_gaze and read < 2:
        raise CohortError(
            f"pairs is {config.pairs}, but only {read} of {len(members)} images have gaze from a "
            f"finished reading; at least 2 are needed.{cohort.readings_left_out()} Read some cases "
            "in the station, or train without gaze (pairs none)."
        )
    if config.pairs == "label" and not any(m.label is not None for m in members):
        raise CohortError("pairs is label, but no image has a label. Set pairs to none or gzpt.")
    return members


def trained_on(members: Sequence[Member], config: RunConfig) -> tuple[Member, ...]:
    """Return all images but those of the split "test", or all of them if transductive."""
    return tuple(m for m in members if config.transductive or m.split != "test")


def pairs_without_gaze(members: Sequence[Member], config: RunConfig) -> ChosenPairs | None:
    """Return the pairs of the policies `none` and `label`; None where pairs need gaze."""
    if config.pairs == "none":
        return ChosenPairs(PairPolicy())
    if config.pairs == "label":
        return ChosenPairs(PairPolicy(SameLabel.of([m.label for m in members])))
    return None


def choose_pairs(
    study: Study,
    cohort: Cohort,
    members: Sequence[Member],
    config: RunConfig,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> ChosenPairs:
    """Return the pairs of a run; similarity of the same cohort and parameters is not made twice.

    Raises
    ------
    SimilarityError
        If no pair of images can be compared.
    Cancelled
        If the user asked to stop.
    """
    plain = pairs_without_gaze(members, config)
    if plain is not None:
        return plain
    drop = config.drop if config.pairs == "gzpt" else 0.0
    config, evidence = with_measure(study, cohort, members, config, cancelled)
    if len(members) > LARGEST_MATRIX:
        _require_yes_and_no(config, len(members))
        graph = _graph(study, members, config, progress, cancelled)
        related, rate = _sparse(graph, config)
        policy = PairPolicy(related, drop)
        return ChosenPairs(policy, graph.threshold, rate, evidence=evidence)
    run_id, matrix, valid = _similarity(
        study, cohort, members, config, evidence, progress, cancelled
    )
    if not valid.any():
        raise SimilarityError(
            f"{config.measure} gives no value for any pair of images, because their gaze is too "
            "short. Try another measure, or read more cases."
        )
    agreement = None
    if config.weighs_pairs and config.agreement:
        gaze = gaze_of_members(members, reader_names(study))
        control = ComparisonControl(cancelled=cancelled, cache=feature_cache(study))
        agreement = agreement_of(gaze, config.measure, config.measure_parameters, control)
    relation, threshold, rate = related_by(config, matrix, valid, agreement)
    policy = PairPolicy(relation, drop)
    return ChosenPairs(policy, threshold, rate, run_id, evidence, matrix, valid)


def _require_yes_and_no(config: RunConfig, images: int) -> None:
    if config.weighs_pairs:
        raise ConfigError(
            f"softness and agreement work with up to {LARGEST_MATRIX:,} images, but there are "
            f"{images:,}. Set softness to 0 and agreement to false."
        )


def related_by(
    config: RunConfig, matrix: FloatArray, valid: BoolArray, agreement: FloatArray | None = None
) -> tuple[Related, float | None, float]:
    """Return the relation of matrices (N, N) by the rule of a config, its threshold and rate.

    `agreement` (N,) of the readers of each image, where it weighs pairs.
    """
    if config.neighbours:
        table, rate = nearest_of_matrix(matrix, valid, config.neighbours, mutual=config.mutual)
        return PairMatrix(torch.from_numpy(table)), None, rate
    threshold = _threshold(config, matrix, valid)
    rate = positive_rate(matrix, valid, threshold)
    if config.weighs_pairs:
        return soft_pairs(matrix, valid, rate, config.softness, agreement), threshold, rate
    return PairMatrix.of(matrix, valid, threshold), threshold, rate


def _similarity(
    study: Study,
    cohort: Cohort,
    members: Sequence[Member],
    config: RunConfig,
    evidence: CohortEvidence | None,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> tuple[str, FloatArray, BoolArray]:
    """Return the id of the similarity's row, its matrix and which pairs are valid."""
    ids = tuple(m.image_id for m in members)
    wanted = settings_by_name(
        find_measure(config.measure), *settings_of(config.measure, config.measure_parameters)
    )
    basis = "" if evidence is None else evidence.basis
    found = None
    if basis or not learns(config.measure):  # labels may have changed since, and say nothing here
        found = _stored(study, cohort.fingerprint, config.measure, wanted, ids, basis)
    if found is not None:
        return found
    comparison = _compared(study, members, config, progress, cancelled)
    made = comparison.matrix()
    threshold = _threshold(config, made.matrix, made.valid)
    findings = describe(made, ids, threshold, split_of(comparison))
    run_id = store_run(
        study,
        made,
        ids,
        cohort_fingerprint=cohort.fingerprint,
        threshold=threshold,
        findings=findings.as_dict(),
        evidence=evidence,
        fitted=comparison.fitted,
    )
    return run_id, made.matrix, made.valid


def _compared(
    study: Study,
    members: Sequence[Member],
    config: RunConfig,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> Comparison:
    """Return the comparison of members; features are half of the progress, pairs the other."""
    gaze = gaze_of_members(members, reader_names(study))
    readings = len(gaze.gazes)

    def pairs_progress(done: int, total: int) -> None:
        progress(readings + readings * done // max(total, 1), 2 * readings)

    control = ComparisonControl(
        features_progress=lambda done, total: progress(readings - total + done, 2 * readings),
        pairs_progress=pairs_progress,
        cancelled=cancelled,
        cache=feature_cache(study),
    )
    return prepare(config.measure, gaze, config.measure_parameters, control)


def _graph(
    study: Study,
    members: Sequence[Member],
    config: RunConfig,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> Graph:
    """Return the pairs of a cohort whose matrix would not fit."""
    comparison = _compared(study, members, config, progress, cancelled)
    if config.neighbours:
        return comparison.nearest(config.neighbours)
    if config.threshold is not None:
        return comparison.above(config.threshold)
    return comparison.above_rate(config.positive_rate or 0.0)


def _sparse(graph: Graph, config: RunConfig) -> tuple[SparsePairs, float]:
    """Return the pairs of a graph, and the share of the valid pairs that they are."""
    count = graph.matrix.shape[0]
    if config.neighbours:
        rows, columns, rate = nearest_of_graph(
            graph.matrix, graph.valid, config.neighbours, mutual=config.mutual
        )
        return SparsePairs.of_edges(rows, columns, count), rate
    pairs = graph.matrix.tocoo()
    return SparsePairs.of_edges(pairs.row, pairs.col, count), graph.positive_rate


def _threshold(config: RunConfig, matrix: FloatArray, valid: BoolArray) -> float:
    if config.threshold is not None:
        return config.threshold
    return threshold_for_rate(matrix, valid, config.positive_rate or 0.0)


def _stored(
    study: Study,
    fingerprint: str,
    measure: str,
    wanted: dict[str, Any],
    ids: tuple[str, ...],
    basis: str,
) -> tuple[str, FloatArray, BoolArray] | None:
    query = (
        select(SimilarityRun)
        .where(
            SimilarityRun.cohort_fingerprint == fingerprint,
            SimilarityRun.measure == measure,
            SimilarityRun.image_count == len(ids),
            SimilarityRun.matrix_path.is_not(None),
        )
        .order_by(SimilarityRun.id.desc())
    )
    with study.database.read() as session:
        rows = [
            (r.id, r.parameters, r.matrix_path)
            for r in session.scalars(query)
            if basis in ("", basis_in(r.details))
        ]
    plain = json.loads(json.dumps(wanted))
    for run_id, parameters, path in rows:
        if parameters == plain and path and (study.folder / path).exists():
            with contextlib.suppress(SimilarityError):  # damaged: made again
                stored = load_matrix(study.folder / path)
                if stored.ids == ids:
                    return run_id, stored.similarity, stored.valid
    return None
