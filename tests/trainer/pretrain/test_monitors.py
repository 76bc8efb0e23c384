"""What is looked at while training: RankMe, online kNN, early stop, TensorBoard, words."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.trainer.pretrain.test_loop import CONFIG, job_in, run
from trainer.pairs.policy import PairPolicy
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
    assert any("early_stop is 3" in e.message for e in events if isinstance(e, Notice))


@pytest.mark.usefixtures("tiny_encoder")
def test_collapse_is_said_in_words_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("trainer.pretrain.signals.feature_spread", lambda _: 0.01)
    _, events = run(job_in(tmp_path))
    said = [e.message for e in events if isinstance(e, Notice)]
    assert len([m for m in said if "collapse" in m]) == 1


class Looks:
    """Stands in for what features are worth: one figure after the other."""

    def __init__(self, *figures: float) -> None:
        self.left = list(figures)
        self.asked = 0

    def __call__(self, _: torch.Tensor) -> float:
        self.asked += 1
        return self.left.pop(0) if self.left else 1.0


QUEUED = replace(CONFIG, method="mocov2", epochs=30, queue=40, early_stop=3, knn_every=1)


@pytest.mark.usefixtures("tiny_encoder")
def test_early_stop_judges_a_queue_only_once_it_is_full(tmp_path: Path, monkeypatch) -> None:
    # 40 keys by 4 a step, 2 steps an epoch: full after epoch 5. The best look of all is the first.
    looks = Looks(99, 98, 97, 96, 95, 1.0, 2.0, 3.0, 4.0, 3.0, 3.0, 3.0, 5.0)
    monkeypatch.setattr("trainer.pretrain.monitors.rank_me", looks)
    outcome, events = run(job_in(tmp_path, QUEUED))
    assert outcome.step == 12 * 2
    said = [e.message for e in events if isinstance(e, Notice)]
    assert (
        "RankMe has not improved for 3 epochs. Training ends here, because early_stop is 3." in said
    )


@pytest.mark.usefixtures("tiny_encoder")
def test_the_first_loss_is_that_of_the_first_epoch_with_a_full_queue(
    tmp_path: Path, monkeypatch
) -> None:
    config = replace(QUEUED, early_stop=0, epochs=8, lr=1e-12)
    outcome, events = run(job_in(tmp_path, config, policy=PairPolicy()))
    losses = [e.loss for e in events if isinstance(e, Metrics)]
    assert losses[0] == 0  # nothing to be told from
    assert outcome.loss_first == pytest.approx(sum(losses[10:12]) / 2)
    assert outcome.loss_last == pytest.approx(sum(losses[14:]) / 2)


@pytest.mark.usefixtures("tiny_encoder")
def test_without_labels_no_loss_however_low_counts_as_better(tmp_path: Path, monkeypatch) -> None:
    """A collapsing BYOL: its loss falls to the last, its features are worth less and less."""
    looks = Looks(*(9 - 0.1 * n for n in range(40)))
    monkeypatch.setattr("trainer.pretrain.monitors.rank_me", looks)
    config = replace(CONFIG, epochs=40, early_stop=3, knn_every=1, lr=1e-3)
    outcome, events = run(job_in(tmp_path, config))
    assert outcome.step == 4 * 2
    assert any("RankMe has not improved" in e.message for e in events if isinstance(e, Notice))


@pytest.mark.usefixtures("tiny_encoder")
def test_early_stop_looks_as_often_as_it_judges(tmp_path: Path, monkeypatch) -> None:
    looks = Looks()
    monkeypatch.setattr("trainer.pretrain.monitors.rank_me", looks)
    config = replace(CONFIG, epochs=200, early_stop=4, lr=1e-12)
    outcome, _ = run(job_in(tmp_path, config))
    assert (outcome.step, looks.asked) == (8 * 2, 2)  # at epochs 4 and 8, not every tenth only


@pytest.mark.usefixtures("tiny_encoder")
def test_a_queue_that_is_never_full_says_that_early_stop_judges_nothing(tmp_path: Path) -> None:
    outcome, events = run(job_in(tmp_path, replace(QUEUED, epochs=6, queue=400)))
    assert outcome.step == 12
    said = next(e.message for e in events if isinstance(e, Notice))
    assert "the queue fills after 100 steps, but the run has 12" in said
