"""The nets of a run and what changes them, made from its settings."""

import contextlib
import inspect
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from trainer.config.config import RunConfig
from trainer.encoders.blocks import held_still, hold_still
from trainer.encoders.nets import to_input
from trainer.errors import TrainingDiverged
from trainer.methods.base import Method, StepOutput
from trainer.methods.registry import make_method
from trainer.pretrain.batches import Batch
from trainer.pretrain.job import Job
from trainer.pretrain.optimise import make_optimiser
from trainer.pretrain.step_graph import CudaRecorder, StepGraph, why_no_graph
from trainer.process import distributed

# A step keeps the buffers of each process; the setting's name changed with torch 2.13.
_NAMES = inspect.signature(nn.parallel.DistributedDataParallel.__init__).parameters
OWN_BUFFERS: dict[str, Any] = {
    "forward_sync_buffers" if "forward_sync_buffers" in _NAMES else "broadcast_buffers": False
}
"""How DistributedDataParallel is told so."""


@dataclass(slots=True)
class Learner:
    """The nets and what changes them; `call` is the method, shared among processes if several.

    Attributes
    ----------
    graph
        The gradient of a step as it was recorded; None where steps run as they are.
    """

    method: Method
    call: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    graph: StepGraph | None = None

    def add_gradient(self, job: Job, batch: Batch, step: int) -> StepOutput:
        """Add the gradient of a batch to that of the weights; the output is without gradient.

        Several processes exchange gradients once for each step of the optimiser: until then each
        sums its own.
        """
        window = job.window(step)
        if self.graph is not None and window == job.config.accumulate:
            return self.graph(batch)
        with self._kept_apart(not job.update_due(step)):
            return self._add_gradient(job, window, batch)

    def _kept_apart(self, apart: bool) -> contextlib.AbstractContextManager[None]:
        if apart and isinstance(self.call, nn.parallel.DistributedDataParallel):
            return self.call.no_sync()
        return contextlib.nullcontext()

    def _add_gradient(self, job: Job, window: int, batch: Batch) -> StepOutput:
        config, lowered = job.config, job.precision != torch.float32
        if config.compile and config.compile_mode == "reduce-overhead":
            # What the last step put out may be overwritten.
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        views = (
            to_input(view, config.in_channels).contiguous(memory_format=_memory_format(config))
            for view in (batch.view_1, batch.view_2)
        )
        with torch.autocast(job.device.type, job.precision, enabled=lowered):
            output: StepOutput = self.call(*views, batch.ids, batch.pairs)
        self.scaler.scale(output.loss / window).backward()  # type: ignore[no-untyped-call]
        return StepOutput(output.loss.detach(), output.projections, output.mask)

    def optimise(self) -> bool:
        """Let the optimiser step; return whether it did.

        In float16 it skips a step whose gradient overflowed: the scale was too high, and is halved.
        """
        scale = self.scaler.get_scale()  # 1, at no cost, but for float16
        self.scaler.step(self.optimiser)
        self.scaler.update()
        # What was recorded adds to the same memory each time.
        self.optimiser.zero_grad(set_to_none=self.graph is None)
        return self.scaler.get_scale() >= scale

    def state(self, job: Job, step: int) -> dict[str, Any]:
        """Return all that a resume needs, summed gradients of a step halfway included.

        Raises
        ------
        TrainingDiverged
            If the last step has broken the weights though its loss was finite still.
        """
        self._require_finite(job, step)
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        halfway = step % job.config.accumulate != 0 and step < job.steps
        return {
            "method": self.method.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "gradients": self._gradients() if halfway else [],
            "random": {"cpu": torch.get_rng_state(), "cuda": cuda},
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Put back what `state` returned."""
        self.method.load_state_dict(content["method"])
        self.optimiser.load_state_dict(content["optimiser"])
        self.scaler.load_state_dict(content["scaler"])
        gradients = _own(content["gradients"])
        for parameter, gradient in zip(self.method.trainable(), gradients, strict=False):
            # Laid out as the weight is: of another layout processes exchange wrong numbers.
            laid = None if gradient is None else torch.empty_like(parameter).copy_(gradient)
            parameter.grad = laid
        torch.set_rng_state(content["random"]["cpu"])
        if len(content["random"]["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(content["random"]["cuda"])

    def _gradients(self) -> list[Any]:
        """Return the summed gradients; of several processes each one's, in the first one."""
        gradients = [p.grad for p in self.method.trainable()]
        if distributed.world() == 1:
            return gradients
        there = [g for g in gradients if g is not None]
        return [
            [next(values) if g is not None else None for g in gradients]
            for values in map(iter, distributed.to_first(there))
        ]

    def _require_finite(self, job: Job, step: int) -> None:
        if not all(bool(p.isfinite().all()) for p in self.method.trainable()):
            raise TrainingDiverged(
                f"A weight is no longer a finite number after step {step} of {job.steps}. Lower "
                "the learning rate (lr) or clip the gradient (clip_grad=1)."
            )


def make_learner(job: Job) -> Learner:
    """Return the nets of a job on its device, as its seed draws them, and their optimiser."""
    config = job.config
    method = make_method(config).to(  # type: ignore[call-overload]
        job.device, memory_format=_memory_format(config)
    )
    if distributed.is_joined() and job.device.type == "cuda":
        still = held_still(method)
        method = nn.SyncBatchNorm.convert_sync_batchnorm(method)  # type: ignore[no-untyped-call]
        hold_still(method, still)
    if config.compile:
        for net in (method.encoder, getattr(method, "target", None)):
            if net is not None:
                net.compile(mode=config.compile_mode)
    optimiser = make_optimiser(config, method)
    scaler = torch.amp.GradScaler(job.device.type, enabled=job.precision == torch.float16)
    learner = Learner(method, _shared(method, job), optimiser, scaler)
    if config.cuda_graph and not why_no_graph(job):
        learner.graph = StepGraph(
            partial(learner._add_gradient, job, config.accumulate), CudaRecorder()
        )
    return learner


def _own(gradients: list[Any]) -> list[Any]:
    """Return what this process goes on with: its own sums, or their mean if others wrote them."""
    if not gradients or not isinstance(gradients[0], list):
        return gradients
    if len(gradients) == distributed.world():
        return list(gradients[distributed.rank()])
    return [
        None if parts[0] is None else torch.stack(parts).mean(dim=0)
        for parts in zip(*gradients, strict=True)
    ]


def _shared(method: Method, job: Job) -> nn.Module:
    """Return the method as all processes call it; gradients are averaged over them."""
    if not distributed.is_joined():
        return method
    devices = [job.device.index] if job.device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(method, devices, **OWN_BUFFERS)


def _memory_format(config: RunConfig) -> torch.memory_format:
    return torch.channels_last if config.channels_last else torch.contiguous_format
