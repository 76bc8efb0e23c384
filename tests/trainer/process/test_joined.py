"""One process that goes the way of several, on request; which card is whose; who sums what."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from tests.trainer.pretrain.test_loop import CONFIG, job_in, run, weights
from trainer.errors import ConfigError
from trainer.pretrain import learner as learners
from trainer.pretrain.batches import make_batch
from trainer.pretrain.learner import make_learner
from trainer.pretrain.loop import take_step
from trainer.process import distributed

pytestmark = pytest.mark.usefixtures("tiny_encoder")


@pytest.mark.parametrize("method", ["byol", "mocov2", "simclr"])
def test_a_process_alone_learns_the_same_by_the_way_of_several(method: str, tmp_path: Path) -> None:
    config = replace(CONFIG, method=method, accumulate=3)
    plain, _ = run(job_in(tmp_path / "plain", config))
    with distributed.joined("cpu", alone=True):
        assert distributed.is_joined()
        assert make_learner(job_in(tmp_path / "shared", config)).call is not None
        shared, _ = run(job_in(tmp_path / "shared", config))
    assert not distributed.is_joined()
    for name, value in weights(plain).items():
        torch.testing.assert_close(weights(shared)[name], value, rtol=1e-5, atol=1e-6)


def test_gradients_are_exchanged_once_for_each_step_of_the_optimiser(tmp_path: Path) -> None:
    exchanges: list[int] = []
    job = job_in(tmp_path, replace(CONFIG, accumulate=3))
    with distributed.joined("cpu", alone=True):
        learner = make_learner(job)

        def count(_: object, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
            exchanges.append(step)
            done = torch.futures.Future()
            done.set_result(bucket.buffer())
            return done

        learner.call.register_comm_hook(None, count)
        for step in range(job.steps):
            take_step(job, learner, make_batch(job, step), step, 1e-2)
    assert job.steps == 8
    assert sorted(set(exchanges)) == [2, 5, 7]


@pytest.mark.parametrize(
    ("place", "visible", "card"), [("0", 8, 0), ("3", 8, 3), ("3", 1, 0), (None, 4, 0)]
)
def test_each_process_takes_the_card_that_is_its_own(place, visible, card, monkeypatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if place is not None:
        monkeypatch.setenv("LOCAL_RANK", place)
    assert distributed.own_card(visible) == card


def test_more_processes_than_cards_are_refused(monkeypatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ConfigError, match=r"Process 3 on this machine finds only 2 GPUs"):
        distributed.own_card(2)


def test_sums_of_other_numbers_of_processes_go_on_as_their_mean(monkeypatch) -> None:
    first, second = torch.tensor([1.0, 3.0]), torch.tensor([3.0, 5.0])
    saved = [[first, None], [second, None]]
    assert torch.equal(learners._own(saved)[0], torch.tensor([2.0, 4.0]))
    assert learners._own(saved)[1] is None
    assert learners._own([first, None])[0] is first  # of one process, or of an older version
    monkeypatch.setattr(distributed, "world", lambda: 2)
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    assert learners._own(saved)[0] is second
