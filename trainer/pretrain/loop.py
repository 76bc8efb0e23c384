"""The training loop, from top to bottom.

All randomness follows from (seed, step): stop at any step, start again, and the weights after n
steps are the same, bit for bit on the CPU.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from trainer.methods.base import Method, StepOutput
from trainer.pretrain.batches import Batch, Batches
from trainer.pretrain.job import Job
from trainer.pretrain.learner import Learner, make_learner
from trainer.pretrain.observer import Observer
from trainer.pretrain.optimise import scheduled_rate
from trainer.pretrain.out_of_memory import memory_explained
from trainer.pretrain.run_state import Checkpoints, resume
from trainer.pretrain.step_graph import why_no_graph
from trainer.process import distributed
from trainer.process.events import Emit, Notice
from trainer.process.seeds import seed_nets


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the loop ended; `finished` False if it was stopped."""

    finished: bool
    step: int
    method: Method
    checkpoint: Path
    loss_first: float
    loss_last: float
    feature_spread: float
    last_signals: dict[str, float | None]


def train(job: Job, emit: Emit, stop: Callable[[], bool]) -> Outcome:
    """Train until the last step or until asked to stop; goes on from the folder's checkpoint.

    Raises
    ------
    TrainingDiverged
        If the loss is no longer finite; the last good checkpoint stays.
    OutOfMemory
        If batch, size or encoder are too large for the device.
    CheckpointError
        If the folder's checkpoint belongs to another run, or none can be written.
    """
    with memory_explained(job):
        learner = make_learner(job)
        if job.config.cuda_graph and distributed.rank() == 0 and (reason := why_no_graph(job)):
            emit(Notice(f"cuda_graph is on, but steps run without it: {reason}."))
        seed_nets(job.config.seed, distributed.rank())
        step, saved = resume(job, learner, emit)
        learner.method.train()
        observer = Observer(job, learner.method, step, saved.get("signals", {}), emit)
        batches = Batches(job, step, learner.method, saved.get("boxes"))
        checkpoints = Checkpoints(job, learner, observer, batches)
        with contextlib.closing(observer), contextlib.closing(batches):
            while step < job.steps and not observer.stands_still and not distributed.any_of(stop()):
                with observer.clock.waiting():
                    batch = batches.next()
                rate = learning_rate(job, step)
                output = take_step(job, learner, batch, step, rate)
                batches.step_queued()
                step += 1
                observer.after_step(step, output, rate)
                if checkpoints.is_due(step):
                    with observer.clock.left_out():
                        checkpoints.save(step)
        newest = checkpoints.save(step)
    finished = step == job.steps or observer.stands_still
    if finished:
        checkpoints.keep_only(newest)
    return Outcome(finished, step, learner.method, newest, *observer.at_end())


def learning_rate(job: Job, step: int) -> float:
    """Return the rate of a step: straight up during warm-up, then down a cosine to 0."""
    accumulate = job.config.accumulate
    per_epoch = job.steps_per_epoch / accumulate
    return scheduled_rate(job.config, step // accumulate, job.updates, per_epoch)


def take_step(job: Job, learner: Learner, batch: Batch, step: int, rate: float) -> StepOutput:
    """Take the gradient of one batch, and let the optimiser step when it is due."""
    config, optimiser, scaler = job.config, learner.optimiser, learner.scaler
    output = learner.add_gradient(job, batch, step)
    if not job.update_due(step):
        return output
    for group in optimiser.param_groups:
        # Runs from before there were scales have none in their checkpoints.
        group["lr"] = rate * group.get("scale", 1.0)
    if config.clip_grad > 0:
        scaler.unscale_(optimiser)
        nn.utils.clip_grad_norm_(learner.method.trainable(), config.clip_grad)
    if learner.optimise():
        learner.method.after_step(step // config.accumulate, job.updates)
    else:
        learner.method.forget(job.window(step) * job.batch)
    return output
