"""Whole runs on a study by what is experimental: fixations in order, pairs with weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Fixation, Reading
from tests.trainer.runs.test_run import CONFIG, StopAfter, train
from tests.trainer.tiny_study import HEIGHT, WIDTH, make_study
from trainer.encoders.nets import make_encoder
from trainer.errors import CohortError, SimilarityError
from trainer.process.events import Notice, RunFinished, RunStopped, StageStarted

pytestmark = pytest.mark.usefixtures("tiny_encoder")
TRAJECTORY = replace(CONFIG, method="trajectory", pairs="none")


@pytest.fixture
def study(tmp_path: Path):
    study = make_study(tmp_path / "study", read=6)
    yield study
    study.close()


def add_fixations(study: Study) -> None:
    """Write twelve fixations of each reading, as the station's filter does."""
    rng = np.random.default_rng(0)
    with study.database.write() as session:
        for reading in session.scalars(select(Reading)).all():
            case = session.query(CaseImage).filter_by(case_id=reading.case_id).one()
            for number, (x, y) in enumerate(rng.random((12, 2)) * (WIDTH, HEIGHT)):
                session.add(
                    Fixation(
                        reading_id=reading.id, image_id=case.image_id, x_image=float(x),
                        y_image=float(y),
                        start_us=reading.started_us + number * 80_000, duration_us=70_000,
                        x_deg=0, y_deg=0, dispersion_deg=0.1, sample_count=7, algorithm="velocity",
                        parameters_hash="test",
                    )
                )  # fmt: skip


def test_fixations_of_a_study_teach_an_encoder_that_needs_none(study: Study) -> None:
    add_fixations(study)
    ended, events = train(study, TRAJECTORY)
    assert isinstance(ended, RunFinished)
    said = [e.message for e in events if isinstance(e, StageStarted | Notice)]
    assert "Fixations in order: 6 of 8 images" in said
    assert any("trajectory is experimental" in text for text in said)
    net, _ = make_encoder("resnet18")
    net.load_state_dict(load_file(ended.encoder), strict=True)


def test_such_a_run_stops_and_goes_on_bit_for_bit(tmp_path: Path) -> None:
    found = []
    for name, stop in (("straight", None), ("broken", StopAfter(3))):
        study = make_study(tmp_path / name, read=6)
        add_fixations(study)
        if stop is not None:
            ended, _ = train(study, TRAJECTORY, stop)
            assert isinstance(ended, RunStopped)
        ended, _ = train(study, TRAJECTORY)
        found.append(load_file(ended.encoder))
        study.close()
    assert all(torch.equal(value, found[1][key]) for key, value in found[0].items())


def test_without_fixations_it_is_refused(study: Study) -> None:
    with pytest.raises(CohortError, match="learns from fixations"):
        train(study, TRAJECTORY)


def test_pairs_of_a_study_have_weights(study: Study) -> None:
    config = replace(CONFIG, softness=0.5, measure="moment")
    ended, _ = train(study, config)
    assert isinstance(ended, RunFinished)
    with pytest.raises(SimilarityError, match="read by two"):
        train(study, replace(config, agreement=True))
