"""Optimiser steps: gradients summed over batches, and float16 steps that are skipped."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from tests.trainer.pretrain.test_loop import CONFIG, StopAfter, job_in, run, weights
from trainer.methods.mocov2 import MoCoV2
from trainer.pairs.policy import PairPolicy
from trainer.pretrain.batches import make_batch
from trainer.pretrain.learner import make_learner
from trainer.pretrain.loop import take_step

pytestmark = pytest.mark.usefixtures("tiny_encoder")

SUMMED = replace(CONFIG, accumulate=3, optimiser="sgd", method="simclr", norm="group")


def test_the_last_optimiser_step_is_of_as_many_batches_as_are_left(tmp_path: Path) -> None:
    job = job_in(tmp_path, SUMMED)
    assert job.steps == 8
    assert [job.window(step) for step in range(8)] == [3, 3, 3, 3, 3, 3, 2, 2]
    assert job.updates == 3


def test_batches_left_over_weigh_as_much_as_any(tmp_path: Path) -> None:
    """Two batches of a window of three: the mean of both, as of a window of two."""
    moved = []
    for accumulate, steps in ((3, (6, 7)), (2, (6, 7))):
        job = job_in(tmp_path / str(accumulate), replace(SUMMED, accumulate=accumulate))
        learner = make_learner(job)
        before = learner.method.encoder.conv1.weight.detach().clone()
        for step in steps:
            take_step(job, learner, make_batch(job, step), step, 0.1)
        moved.append(learner.method.encoder.conv1.weight.detach() - before)
    assert float(moved[0].abs().max()) > 0
    torch.testing.assert_close(moved[0], moved[1])


FP16 = replace(CONFIG, method="mocov2", queue=16, precision="fp16", optimiser="sgd")


@pytest.fixture
def overflowing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scale of gradients begin so high that the first three steps overflow."""
    scaler = partial(torch.amp.GradScaler, init_scale=2.0**120, backoff_factor=2.0**-36)
    monkeypatch.setattr("torch.amp.GradScaler", scaler)


def half_job(folder: Path, **changes):
    return job_in(folder, replace(FP16, **changes), precision=torch.float16)


@pytest.mark.usefixtures("overflowing")
def test_a_skipped_step_leaves_the_target_as_it_was_and_no_key_in_the_queue(
    tmp_path: Path,
) -> None:
    job = half_job(tmp_path)
    learner = make_learner(job)
    moved: list[bool] = []
    for step in range(8):
        before = {k: v.clone() for k, v in learner.method.state_dict().items()}
        scale = learner.scaler.get_scale()
        take_step(job, learner, make_batch(job, step), step, 0.1)
        now = learner.method.state_dict()
        changed = {k for k, v in before.items() if not torch.equal(v, now[k])}
        if learner.scaler.get_scale() < scale:
            moved.append(False)
            # The statistics of batch norm are those of what was seen.
            assert all("running" in k or "num_batches" in k or "queue" in k for k in changed)
        else:
            moved.append(True)
            assert {"queue.keys", "queue.ids", "queue.next"} & changed
        # Slots go on by the step, so that the ids of each are known beforehand.
        assert int(learner.method.queue.next) == 4 * (step + 1) % 16
        assert int((learner.method.queue.ids >= 0).sum()) == 4 * sum(moved[-4:])
    assert (moved.count(False), moved.count(True)) == (3, 5)
    assert all(bool(p.isfinite().all()) for p in learner.method.parameters())


@pytest.mark.usefixtures("overflowing")
def test_after_a_skipped_step_positives_are_still_those_of_the_keys_in_the_queue(
    tmp_path: Path, monkeypatch
) -> None:
    job = half_job(tmp_path)
    job = replace(job, policy=PairPolicy(job.policy.related))
    learner = make_learner(job)
    plain = MoCoV2.step_output

    def watched(self, view_1, view_2, ids, pairs):
        held = self.queue.ids.clone()
        output = plain(self, view_1, view_2, ids, pairs)
        alike = (ids[:, None] % 2 == held % 2) & (ids[:, None] != held) & (held >= 0)
        assert torch.equal(output.mask[:, 1:], alike)
        return output

    monkeypatch.setattr(MoCoV2, "step_output", watched)
    for step in range(8):
        take_step(job, learner, make_batch(job, step), step, 0.1)


@pytest.mark.usefixtures("overflowing")
def test_a_run_stopped_between_batches_of_a_skipped_step_continues_bit_for_bit(
    tmp_path: Path,
) -> None:
    straight, _ = run(half_job(tmp_path / "straight", accumulate=2))
    broken = half_job(tmp_path / "broken", accumulate=2)
    for steps in (1, 2):
        run(broken, StopAfter(steps))
    last, _ = run(broken)
    for name, value in weights(straight).items():
        assert torch.equal(value, weights(last)[name]), name
