"""The measure of a run whose config leaves it to the evidence of its cohort."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from migrations.study.evidence import CohortEvidence, kept_evidence
from migrations.study.folder import Study
from migrations.study.schema import SimilarityRun
from trainer.config.config import RunConfig
from trainer.data.cohort import Cohort, Member
from trainer.similarity.comparison import ComparisonControl
from trainer.similarity.evidence.judge import Judging, PairRule, judge
from trainer.similarity.names import AUTO
from trainer.similarity.registry import MEASURES
from trainer.similarity.study_gaze import feature_cache, gaze_of_members, reader_names


def with_measure(
    study: Study,
    cohort: Cohort,
    members: Sequence[Member],
    config: RunConfig,
    cancelled: Callable[[], bool],
) -> tuple[RunConfig, CohortEvidence | None]:
    """Return the config with the measure that the evidence of its members recommends.

    Only what is trained on is judged. Evidence of the same members, labels and rule is not made
    twice.

    Raises
    ------
    Cancelled
        If the user asked to stop.
    """
    if config.measure != AUTO:
        return config, None
    basis = _basis(cohort, members, config)
    evidence = _kept(study, cohort.fingerprint, basis)
    if evidence is None:
        gaze = gaze_of_members(members, reader_names(study))
        judging = Judging(
            PairRule.of_options(config.threshold, config.positive_rate), config.measure_parameters
        )
        control = ComparisonControl(cancelled=cancelled, cache=feature_cache(study))
        found = judge(gaze, [m.label for m in members], judging, control)
        evidence = replace(found, basis=basis)
    return replace(config, measure=evidence.recommended), evidence


def basis_in(details: Mapping[str, Any]) -> str:
    """Return the basis of the evidence that a similarity run keeps, "" without."""
    kept = kept_evidence(details)
    return "" if kept is None else kept.basis


def _basis(cohort: Cohort, members: Sequence[Member], config: RunConfig) -> str:
    known = (
        cohort.fingerprint,
        [(m.image_id, m.label) for m in members],
        config.threshold,
        config.positive_rate,
        config.measure_parameters,
        list(MEASURES),
    )
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def _kept(study: Study, fingerprint: str, basis: str) -> CohortEvidence | None:
    query = (
        select(SimilarityRun.details)
        .where(SimilarityRun.cohort_fingerprint == fingerprint)
        .order_by(SimilarityRun.id.desc())
    )
    with study.database.read() as rows:
        found = [kept_evidence(details) for details in rows.scalars(query)]
    return next((e for e in found if e is not None and e.basis == basis), None)
