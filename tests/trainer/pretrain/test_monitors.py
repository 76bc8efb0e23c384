"""What is looked at while training: RankMe, online kNN, early stop, TensorBoard, words."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.trainer.pretrain.test_loop import CONFIG, job_in, run
from trainer.pretrain.monitors import knn_accuracy, rank_me
from trainer.process.events import Metrics, Notice

DRAWS = torch.Generator().manual_seed(0)


def test_rank_me_counts_the_directions_that_features_take() -> None:
    basis = torch.linalg.qr(torch.randn(60, 8, generator=DRAWS))[0]
    assert rank_me(basis) == pytest.approx(8, abs=0.01)
    assert rank_me(torch.ones(60, 8)) == pytest.approx(1, abs=0.01)


def test_knn_follows_the_nearest_other_patients_only() -> None:
    features = torch.tensor([[1.0, 0], [1, 0.1], [0.9, 0], [0, 1.0], [0.1, 1], [0, 0.9]])
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    assert knn_accuracy(features, labels, None, 2) == 1
    # Of one patient each pair of features: their own images do not vote, so the rest decides.
    alone = torch.tensor([0, 0, 0, 1, 1, 1])
    assert knn_accuracy(features, labels, alone, 2) == 0
    assert knn_accuracy(features, torch.zeros(6).long(), None) is None
    assert knn_accuracy(features, torch.tensor([0, -1, 0, 1, -1, 1]), None, 1) == 1


@pytest.mark.usefixtures("tiny_encoder")
def test_a_run_says_and_draws_rank_and_knn(tmp_path: Path) -> None:
    job = job_in(tmp_path, labels=torch.arange(10) % 2)
    outcome, events = run(job)
    last = [e for e in events if isinstance(e, Metrics)][-1]
    assert 1 <= last.rank_me <= 10
    assert 0 <= last.knn <= 1
    assert outcome.last_signals == {"rank_me": last.rank_me, "knn": last.knn}
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert {"loss", "rank_me", "knn", "data_wait"} <= set(board.Tags()["scalars"])
    assert board.Scalars("loss")[-1].step == 8


@pytest.mark.usefixtures("tiny_encoder")
def test_a_look_changes_nothing_of_what_is_learnt(tmp_path: Path) -> None:
    weights = []
    for every in (1, 4):
        job = job_in(tmp_path / str(every), replace(CONFIG, knn_every=every))
        weights.append(run(job)[0].method.state_dict())
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


@pytest.mark.usefixtures("tiny_encoder")
def test_a_run_that_stands_still_ends_if_asked(tmp_path: Path) -> None:
    config = replace(CONFIG, epochs=40, lr=1e-12, early_stop=3, knn_every=1)
    outcome, events = run(job_in(tmp_path, config, labels=torch.arange(10) % 2))
    assert outcome.finished
    assert outcome.step < 80
    assert any("early_stop = 3" in e.message for e in events if isinstance(e, Notice))


@pytest.mark.usefixtures("tiny_encoder")
def test_collapse_is_said_in_words_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("trainer.pretrain.signals.feature_spread", lambda _: 0.01)
    _, events = run(job_in(tmp_path))
    said = [e.message for e in events if isinstance(e, Notice)]
    assert len([m for m in said if "collapse" in m]) == 1
