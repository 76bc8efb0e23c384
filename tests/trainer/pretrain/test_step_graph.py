"""Recorded steps: the same gradients, a refusal that says why, outputs that stay."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from tests.trainer.pretrain.test_loop import CONFIG, job_in, run
from trainer.methods.base import StepOutput
from trainer.pretrain.batches import make_batch
from trainer.pretrain.learner import make_learner
from trainer.pretrain.loop import take_step
from trainer.pretrain.step_graph import StepGraph, why_no_graph
from trainer.process.distributed import joined
from trainer.process.events import Notice

pytestmark = pytest.mark.usefixtures("tiny_encoder")


class Recorder:
    """Stands in for a card: what is recorded reads and writes the same memory at each replay."""

    def __init__(self) -> None:
        self.runs = self.records = self.replays = 0

    def run(self, work):
        self.runs += 1
        return work()

    def record(self, work):
        self.records += 1
        kept: list[StepOutput] = []
        output = StepOutput(torch.zeros(()), torch.zeros(4, 256), torch.zeros(4, 4).bool())

        def replay() -> None:
            self.replays += 1
            kept[:] = [work()]
            for mine, new in zip(
                (output.loss, output.projections, output.mask),
                (kept[0].loss, kept[0].projections, kept[0].mask),
                strict=True,
            ):
                mine.copy_(new) if mine.shape == new.shape else mine.set_(new)

        return output, replay


@pytest.mark.parametrize(
    ("method", "accumulate", "replays"),
    [
        ("byol", 1, 5), ("mocov2", 1, 5), ("mocov3", 1, 5), ("simclr", 1, 5), ("simsiam", 1, 5),
        ("byol", 3, 3),  # the last two steps are a smaller sum than what was recorded
    ],
)  # fmt: skip
def test_replayed_steps_teach_what_steps_teach(
    method: str, accumulate: int, replays: int, tmp_path: Path
) -> None:
    config = replace(CONFIG, method=method, queue=7, clip_grad=1.0, accumulate=accumulate)
    job = job_in(tmp_path, config)
    assert job.steps == 8
    plain, graphed, recorder = make_learner(job), make_learner(job), Recorder()
    graphed.graph = StepGraph(partial(graphed._add_gradient, job, accumulate), recorder)
    losses = []
    for step in range(8):
        outputs = [
            take_step(job, learner, make_batch(job, step), step, 1e-2)
            for learner in (plain, graphed)
        ]
        assert torch.equal(outputs[0].loss, outputs[1].loss)
        assert torch.equal(outputs[0].mask, outputs[1].mask)
        losses.append((outputs[0].loss, outputs[1].loss))
    assert (recorder.runs, recorder.records, recorder.replays) == (3, 1, replays)
    assert all(torch.equal(a, b) for a, b in losses)  # no loss is overwritten by a later step
    ours, theirs = plain.method.state_dict(), graphed.method.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


def test_a_gradient_keeps_its_memory_for_what_is_recorded(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    learner = make_learner(job)
    learner.graph = StepGraph(partial(learner._add_gradient, job, 1), Recorder())
    take_step(job, learner, make_batch(job, 0), 0, 1e-2)
    places = [p.grad.data_ptr() for p in learner.method.trainable()]
    for step in range(1, 6):
        take_step(job, learner, make_batch(job, step), step, 1e-2)
    assert places == [p.grad.data_ptr() for p in learner.method.trainable()]
    assert not any(p.grad.any() for p in learner.method.trainable())


def test_what_cannot_be_recorded_runs_as_it_is_and_says_why(tmp_path: Path) -> None:
    job = job_in(tmp_path, replace(CONFIG, cuda_graph=True, epochs=1))
    outcome, events = run(job)
    assert outcome.finished
    said = [e.message for e in events if isinstance(e, Notice)]
    assert "cuda_graph is on, but steps run without it: the run is not on a CUDA device." in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"accumulate": 2}, ""),
        ({"compile": True}, ""),
        ({"compile": True, "compile_mode": "reduce-overhead"}, "records graphs of its own"),
    ],
)
def test_which_steps_can_be_recorded(changes, reason: str, tmp_path: Path) -> None:
    job = job_in(tmp_path, replace(CONFIG, **changes), device=torch.device("cuda"))
    assert (reason in why_no_graph(job)) if reason else why_no_graph(job) == ""


def test_no_step_is_recorded_where_processes_exchange_features(tmp_path: Path) -> None:
    job = job_in(tmp_path, device=torch.device("cuda"))
    with joined("cpu", alone=True):
        assert why_no_graph(job) == "processes exchange features within a step"


def test_the_target_is_compiled_too_and_looks_are_not(tmp_path: Path, monkeypatch) -> None:
    compiled: list[tuple[torch.nn.Module, str]] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda net, mode: compiled.append((net, mode)))
    job = job_in(tmp_path, replace(CONFIG, compile=True, compile_mode="reduce-overhead"))
    method = make_learner(job).method
    assert compiled == [(method.encoder, "reduce-overhead"), (method.target, "reduce-overhead")]
    simclr = job_in(tmp_path / "simclr", replace(CONFIG, method="simclr", compile=True))
    net = make_learner(simclr).method
    assert compiled[2:] == [(net.encoder, "default")]
