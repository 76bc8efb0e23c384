"""The training loop, from top to bottom.

All randomness follows from (seed, step): stop at any step, start again, and the weights after n
steps are the same, bit for bit on the CPU.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.augment import RECIPES, apply_views, draw_views
from trainer.checkpoint import Identity, delete_older, load_newest, save_checkpoint
from trainer.config import RunConfig
from trainer.encoders import to_input
from trainer.errors import OutOfMemory
from trainer.events import Emit, Meter, Notice
from trainer.images import ImageCache
from trainer.methods.base import Method, StepOutput
from trainer.methods.registry import make_method
from trainer.pairs import PairPolicy
from trainer.seeds import Stream, generator_for
from trainer.signals import Signals, cut_metrics

_MOST_REPORTS = 2000  # rows of metrics.jsonl in a whole run
_CHECKPOINT_REST_S = 60  # a small cohort's epoch takes a second, its checkpoint 200 MB


@dataclass(frozen=True, slots=True)
class Job:
    """All that the loop needs; settings of `device` and `precision` are resolved."""

    identity: Identity
    images: ImageCache
    policy: PairPolicy
    folder: Path
    device: torch.device
    bf16: bool

    @property
    def config(self) -> RunConfig:
        """Settings of the run."""
        return self.identity.config

    @property
    def batch(self) -> int:
        """Images per step; the whole cohort where it is smaller than a batch."""
        return min(self.config.batch, len(self.images))

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in the cohort; what is left over waits for the next epoch's order."""
        return len(self.images) // self.batch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.config.epochs * self.steps_per_epoch

    @property
    def extra_pairs(self) -> float:
        """Extra pairs expected in a batch, after dropping."""
        return self.policy.extra_pairs_per_batch(len(self.images), self.batch)

    @property
    def report_every(self) -> int:
        """Steps between reports."""
        return max(1, self.steps // _MOST_REPORTS)

    @property
    def metrics(self) -> Path:
        """Where reports are kept, one JSON object a row."""
        return self.folder / "metrics.jsonl"


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
    config = job.config
    method = _placed(make_method(config), job)
    optimiser = make_optimiser(config, method)
    step, gathered = _resume(job, method, optimiser, emit)
    signals = Signals(job.metrics, job.steps, config.epochs, job.batch, gathered)
    meter, saved_s = Meter(emit, "train", "steps"), time.monotonic()
    method.train()
    with _memory_explained(job):
        while step < job.steps and not stop():
            started = time.perf_counter()
            ids, view_1, view_2 = make_batch(job, step)
            ready = time.perf_counter()
            rate = learning_rate(job, step)
            output = _update(job, method, optimiser, (view_1, view_2), ids, step, rate)
            signals.add(output, ready - started, time.perf_counter() - started)
            step += 1
            meter(step, job.steps)
            if step % job.report_every == 0 or step == job.steps:
                signals.report(step, rate, emit)
            if step % job.steps_per_epoch == 0:
                signals.end_epoch()
            if step < job.steps and _checkpoint_due(job, step, saved_s):
                signals.require_finite(step, rate)
                save_checkpoint(job.folder, step, job.identity, _state(method, optimiser, signals))
                saved_s = time.monotonic()
    signals.require_finite(step, learning_rate(job, step))
    saved = save_checkpoint(job.folder, step, job.identity, _state(method, optimiser, signals))
    if step == job.steps and not config.keep_checkpoints:
        delete_older(saved)
    return Outcome(step == job.steps, step, method, saved, *signals.summary())


def make_batch(job: Job, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids (B,) and the two views (B, 3, size, size) of a step; the same whenever asked."""
    config = job.config
    chosen = batch_ids(config.seed, step, len(job.images), job.batch)
    pixels = job.images.batch(chosen, job.device)
    views = []
    for stream in (Stream.VIEW_1, Stream.VIEW_2):
        draw = draw_views(
            RECIPES[config.recipe],
            job.images.boxes[chosen],
            job.images.side,
            config.size,
            config.flip,
            generator_for(config.seed, stream, step),
        )
        view = to_input(apply_views(pixels, draw, config.size))
        views.append(view.contiguous(memory_format=_memory_format(config)))
    return chosen.to(job.device), views[0], views[1]


def batch_ids(seed: int, step: int, images: int, batch: int) -> Tensor:
    """Return the images of a step, (batch,): a slice of its epoch's permutation."""
    epoch, at = divmod(step, images // batch)
    order = torch.randperm(images, generator=generator_for(seed, Stream.ORDER, epoch))
    return order[at * batch : (at + 1) * batch]


def learning_rate(job: Job, step: int) -> float:
    """Return the rate of a step: straight up during warm-up, then down a cosine to 0."""
    warmup = min(job.config.warmup * job.steps_per_epoch, job.steps / 2)
    if step < warmup:
        return job.config.lr * (step + 1) / (warmup + 1)
    share = (step - warmup) / max(1.0, job.steps - warmup)
    return job.config.lr * (math.cos(math.pi * share) + 1) / 2


def make_optimiser(config: RunConfig, method: Method) -> torch.optim.Optimizer:
    """Return the optimiser; biases and norms are not decayed."""
    weights = [p for p in method.trainable() if p.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=0.9)
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.95), fused=True)


def _update(
    job: Job,
    method: Method,
    optimiser: torch.optim.Optimizer,
    views: tuple[Tensor, Tensor],
    ids: Tensor,
    step: int,
    rate: float,
) -> StepOutput:
    """Make one optimiser step."""
    draws = generator_for(job.config.seed, Stream.PAIRS, step)

    def mask(ids_a: Tensor, ids_b: Tensor, *, symmetric: bool = False) -> Tensor:
        return job.policy.mask(ids_a, ids_b, draws, symmetric=symmetric)

    for group in optimiser.param_groups:
        group["lr"] = rate
    with torch.autocast(job.device.type, torch.bfloat16, enabled=job.bf16):
        output = method.step_output(*views, ids, mask)
    optimiser.zero_grad(set_to_none=True)
    output.loss.backward()  # type: ignore[no-untyped-call]
    if job.config.clip_grad > 0:
        torch.nn.utils.clip_grad_norm_(method.trainable(), job.config.clip_grad)
    optimiser.step()
    method.after_step(step, job.steps)
    return output


def _placed(method: Method, job: Job) -> Method:
    return method.to(job.device, memory_format=_memory_format(job.config))  # type: ignore[call-overload,no-any-return]


def _memory_format(config: RunConfig) -> torch.memory_format:
    return torch.channels_last if config.channels_last else torch.contiguous_format


def _checkpoint_due(job: Job, step: int, saved_s: float) -> bool:
    if job.config.checkpoint_every:
        return step % job.config.checkpoint_every == 0
    return step % job.steps_per_epoch == 0 and time.monotonic() - saved_s > _CHECKPOINT_REST_S


def _state(method: Method, optimiser: torch.optim.Optimizer, signals: Signals) -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "method": method.state_dict(),
        "optimiser": optimiser.state_dict(),
        "signals": signals.saved(),
        "random": {"cpu": torch.get_rng_state(), "cuda": cuda},
    }


def _resume(
    job: Job, method: Method, optimiser: torch.optim.Optimizer, emit: Emit
) -> tuple[int, dict[str, Any]]:
    """Put back the newest checkpoint; return its step and signals; 0 and none without."""
    content, problems = load_newest(job.folder, job.identity)
    for problem in problems:
        emit(Notice(f"{problem}. The checkpoint before it is used."))
    step = int(content["step"]) if content else 0
    cut_metrics(job.metrics, step)
    if content is None:
        return 0, {}
    method.load_state_dict(content["method"])
    optimiser.load_state_dict(content["optimiser"])
    torch.set_rng_state(content["random"]["cpu"])
    if len(content["random"]["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(content["random"]["cuda"])
    return step, content["signals"]


@contextlib.contextmanager
def _memory_explained(job: Job) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error).lower():
            raise
        config = job.config
        raise OutOfMemory(
            f"Out of memory on {job.device}: batch {job.batch}, size {config.size} px, "
            f"{config.encoder}, {'bf16' if job.bf16 else 'fp32'}. Lower --batch first (it needs "
            f"memory in proportion), then --size, or take a smaller --encoder."
        ) from error
