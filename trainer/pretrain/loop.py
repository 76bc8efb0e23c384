"""The training loop, from top to bottom.

All randomness follows from (seed, step): stop at any step, start again, and the weights after n
steps are the same, bit for bit on the CPU.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainer.config.config import RunConfig
from trainer.errors import OutOfMemory, TrainingDiverged
from trainer.methods.base import Method, StepOutput
from trainer.methods.registry import make_method
from trainer.pairs.policy import StepPairs
from trainer.pretrain.batches import Batch, Batches
from trainer.pretrain.checkpoint import delete_older, load_newest, save_checkpoint
from trainer.pretrain.job import Job
from trainer.pretrain.monitors import Looks
from trainer.pretrain.optimise import make_optimiser, scheduled_rate
from trainer.pretrain.signals import Signals, cut_metrics
from trainer.process import distributed
from trainer.process.events import Emit, Meter, Notice
from trainer.process.seeds import Stream, generator_for

__all__ = ["Job", "Outcome", "learning_rate", "train"]

# What torch, cuBLAS, cuDNN and the system say; "an illegal memory access" is another fault.
_LACKS_MEMORY = ("out of memory", "not enough memory", "allocate memory", "alloc_failed")
_CHECKPOINT_REST_S = 60  # a small cohort's epoch takes a second, its checkpoint 200 MB


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


@dataclass(slots=True)
class _Learner:
    """The nets and what changes them; `call` is the method, shared among processes if several."""

    method: Method
    call: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler

    def state(self, job: Job, step: int, signals: Signals) -> dict[str, Any]:
        """Return all that a resume needs, summed gradients of a step halfway included."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        halfway = step % job.config.accumulate != 0 and step < job.steps
        gradients = [p.grad for p in self.method.trainable()] if halfway else []
        return {
            "method": self.method.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "gradients": gradients,
            "signals": signals.saved(),
            "random": {"cpu": torch.get_rng_state(), "cuda": cuda},
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Put back what `state` returned."""
        self.method.load_state_dict(content["method"])
        self.optimiser.load_state_dict(content["optimiser"])
        self.scaler.load_state_dict(content["scaler"])
        for parameter, gradient in zip(self.method.trainable(), content["gradients"], strict=False):
            parameter.grad = None if gradient is None else gradient.to(parameter)
        torch.set_rng_state(content["random"]["cpu"])
        if len(content["random"]["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(content["random"]["cuda"])


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
    with _memory_explained(job):
        learner = _learner(job)
        step, content = _resume(job, learner, emit)
        learner.method.train()
        signals = Signals(job, content.get("signals", {}))
        looks = Looks(job, signals)
        meter, saved_s, ended_early = Meter(emit, "train", "steps"), time.monotonic(), False
        made = Batches(job, step, learner.method, content.get("boxes"))
        with contextlib.closing(made) as batches, contextlib.closing(signals):
            while step < job.steps and not ended_early and not distributed.any_of(stop()):
                started = time.perf_counter()
                batch = batches.next()
                ready = time.perf_counter()
                rate = learning_rate(job, step)
                output = _update(job, learner, batch, step, rate)
                signals.add(output, ready - started, time.perf_counter() - started)
                step += 1
                meter(step, job.steps)
                if step % job.look_every == 0 or step == job.steps:
                    looks.take(learner.method, step)
                if step % job.report_every == 0 or step == job.steps:
                    signals.report(step, rate, emit)
                if step % job.steps_per_epoch == 0:
                    signals.end_epoch()
                    ended_early = looks.should_end(emit)
                if step < job.steps and _checkpoint_due(job, step, saved_s):
                    signals.require_finite(step, rate)
                    _save(job, learner, step, signals, batches)
                    saved_s = time.monotonic()
        signals.require_finite(step, learning_rate(job, step))
        saved = _save(job, learner, step, signals, batches)
    finished = step == job.steps or ended_early
    if finished and not job.config.keep_checkpoints and distributed.rank() == 0:
        delete_older(saved)
    return Outcome(finished, step, learner.method, saved, *signals.summary(), looks.last())


def learning_rate(job: Job, step: int) -> float:
    """Return the rate of a step: straight up during warm-up, then down a cosine to 0."""
    accumulate = job.config.accumulate
    per_epoch = job.steps_per_epoch / accumulate
    return scheduled_rate(job.config, step // accumulate, job.updates, per_epoch)


def _learner(job: Job) -> _Learner:
    config = job.config
    method = make_method(config).to(  # type: ignore[call-overload]
        job.device, memory_format=_memory_format(config)
    )
    if distributed.world() > 1 and job.device.type == "cuda":
        method = nn.SyncBatchNorm.convert_sync_batchnorm(method)  # type: ignore[no-untyped-call]
    if config.compile:
        method.encoder.compile()
    optimiser = make_optimiser(config, method)
    scaler = torch.amp.GradScaler(job.device.type, enabled=job.precision == torch.float16)
    return _Learner(method, _shared(method, job), optimiser, scaler)


def _shared(method: Method, job: Job) -> nn.Module:
    """Return the method as all processes call it; gradients are averaged over them."""
    if distributed.world() == 1:
        return method
    devices = [job.device.index] if job.device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(method, devices, broadcast_buffers=False)


def _update(job: Job, learner: _Learner, batch: Batch, step: int, rate: float) -> StepOutput:
    """Take the gradient of one batch, and make an optimiser step when it is due."""
    config, optimiser, scaler = job.config, learner.optimiser, learner.scaler
    pairs = StepPairs(job.policy, generator_for(config.seed, Stream.PAIRS, step))
    lowered = job.precision != torch.float32
    with torch.autocast(job.device.type, job.precision, enabled=lowered):
        output: StepOutput = learner.call(batch.view_1, batch.view_2, batch.ids, pairs)
    scaler.scale(output.loss / config.accumulate).backward()  # type: ignore[no-untyped-call]
    if not job.update_due(step):
        return output
    for group in optimiser.param_groups:
        group["lr"] = rate
    if config.clip_grad > 0:
        scaler.unscale_(optimiser)
        nn.utils.clip_grad_norm_(learner.method.trainable(), config.clip_grad)
    scaler.step(optimiser)
    scaler.update()
    optimiser.zero_grad(set_to_none=True)
    learner.method.after_step(step // config.accumulate, job.updates)
    return output


def _memory_format(config: RunConfig) -> torch.memory_format:
    return torch.channels_last if config.channels_last else torch.contiguous_format


def _checkpoint_due(job: Job, step: int, saved_s: float) -> bool:
    if job.config.checkpoint_every:
        return step % job.config.checkpoint_every == 0
    due = step % job.steps_per_epoch == 0 and time.monotonic() - saved_s > _CHECKPOINT_REST_S
    return distributed.any_of(due) if step % job.steps_per_epoch == 0 else False


def _save(job: Job, learner: _Learner, step: int, signals: Signals, batches: Batches) -> Path:
    """Write the checkpoint, by the first of several processes."""
    _require_sound(learner.method, step, job)
    path: Path | None = None
    if distributed.rank() == 0:
        halfway = step % job.steps_per_epoch != 0  # else the next epoch looks for new boxes
        boxes = batches.boxes if halfway else None
        state = {**learner.state(job, step, signals), "boxes": boxes}
        path = save_checkpoint(job.folder, step, job.identity, state)
    saved: Path = distributed.from_first(path)
    return saved


def _require_sound(method: Method, step: int, job: Job) -> None:
    """Refuse to keep weights that the last step has broken though its loss was finite still."""
    if not all(bool(p.isfinite().all()) for p in method.trainable()):
        raise TrainingDiverged(
            f"A weight is no longer a finite number after step {step} of {job.steps}. Lower the "
            "rate (--set lr=…) or limit the gradient (--set clip_grad=1)."
        )


def _resume(job: Job, learner: _Learner, emit: Emit) -> tuple[int, dict[str, Any]]:
    """Put back the newest checkpoint; return its step and content; 0 and none without."""
    content, problems = load_newest(job.folder, job.identity)
    for problem in problems:
        emit(Notice(f"{problem}. The checkpoint before it is used."))
    step = int(content["step"]) if content else 0
    if distributed.rank() == 0:
        cut_metrics(job.metrics, step)
    if content is None:
        return 0, {}
    learner.restore(content)
    return step, content


@contextlib.contextmanager
def _memory_explained(job: Job) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_memory(error):
            raise
        config = job.config
        height, width = config.view
        raise OutOfMemory(
            f"Out of memory on {job.device}: batch {job.batch}, size {height} × {width} px, "
            f"{config.encoder}, {job.precision}. Lower --batch first (it needs memory in "
            "proportion; --set accumulate=N keeps the effective batch), then --size, or take a "
            "smaller --encoder."
        ) from error


def _is_memory(error: RuntimeError) -> bool:
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(s in text for s in _LACKS_MEMORY)
