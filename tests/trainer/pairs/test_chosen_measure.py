from pathlib import Path

import pytest
from sqlalchemy import select

from migrations.study.evidence import kept_evidence
from migrations.study.schema import SimilarityRun
from tests.trainer.tiny_study import make_study
from trainer.config.config import RunConfig
from trainer.config.layers import make_config
from trainer.data.cohort import load_cohort
from trainer.pairs import chosen_measure
from trainer.pairs.choose import choose_members, choose_pairs
from trainer.report.gather import gather
from trainer.report.gaze_sections import similarity_section
from trainer.similarity.task_runner import never, no_progress


@pytest.fixture
def study(tmp_path: Path):
    study = make_study(tmp_path / "s", images=26, test_images=2)
    yield study
    study.close()


def pairs_of(study, config: RunConfig):
    cohort = load_cohort(study, no_progress, never)
    members = choose_members(cohort, config)
    return choose_pairs(study, cohort, members, config, no_progress, never)


def test_a_run_that_names_no_measure_takes_the_one_that_carries_the_label(study) -> None:
    chosen = pairs_of(study, RunConfig())
    assert chosen.evidence is not None
    assert chosen.evidence.carries
    assert chosen.evidence.judged_by == "purity"
    with study.database.read() as rows:
        run = rows.scalars(select(SimilarityRun)).one()
    assert run.id == chosen.similarity_run_id
    assert run.measure == chosen.evidence.recommended
    assert kept_evidence(run.details) == chosen.evidence


def test_only_images_that_are_trained_on_are_judged(study) -> None:
    chosen = pairs_of(study, RunConfig())
    assert chosen.evidence is not None
    assert (chosen.evidence.items, chosen.evidence.labelled_images) == (24, 24)


def test_evidence_of_the_same_cohort_and_rule_is_not_made_twice(study, monkeypatch) -> None:
    first = pairs_of(study, RunConfig())

    def again(*_):
        raise AssertionError("judged again")

    monkeypatch.setattr(chosen_measure, "judge", again)
    second = pairs_of(study, RunConfig())
    assert (second.evidence, second.similarity_run_id) == (first.evidence, first.similarity_run_id)
    with pytest.raises(AssertionError, match="judged again"):
        pairs_of(study, RunConfig(positive_rate=0.1))


def test_a_named_measure_is_taken_without_evidence(study) -> None:
    assert pairs_of(study, RunConfig(measure="moment")).evidence is None


@pytest.mark.parametrize("recipe", ["mammo", "knee", "dental"])
@pytest.mark.parametrize("method", ["byol", "mocov2"])
def test_recipes_of_the_papers_keep_their_measure_and_ours_is_chosen(recipe, method) -> None:
    assert make_config({"recipe": recipe, "method": method}).measure == "tima"
    assert make_config({"recipe": recipe, "measure": "auto"}).measure == "auto"
    assert make_config({}).measure == "auto"


def test_the_report_shows_what_each_measure_carries(study) -> None:
    chosen = pairs_of(study, RunConfig())
    html = similarity_section(gather(study, None)).html
    assert chosen.evidence is not None
    assert chosen.evidence.reason.split(":")[0] in html
    assert "purity over chance" in html
    assert "moment_sequence" in html
