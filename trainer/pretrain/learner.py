"""The nets of a run and what changes them, made from its settings."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from trainer.config.config import RunConfig
from trainer.errors import TrainingDiverged
from trainer.methods.base import Method
from trainer.methods.registry import make_method
from trainer.pretrain.job import Job
from trainer.pretrain.optimise import make_optimiser
from trainer.process import distributed


@dataclass(slots=True)
class Learner:
    """The nets and what changes them; `call` is the method, shared among processes if several.

    Attributes
    ----------
    held
        In float16, the method's memory before the batches that the next optimiser step is of.
    """

    method: Method
    call: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    held: dict[str, Tensor] = field(default_factory=dict)

    def hold(self) -> None:
        """Keep the method's memory as it is, if a step may be skipped."""
        if self.scaler.is_enabled():
            self.held = {name: value.clone() for name, value in self.method.memory().items()}

    def optimise(self) -> bool:
        """Let the optimiser step; return whether it did.

        In float16 it skips a step whose gradient overflowed: the scale was too high, and is halved.
        The method's memory is then what it was before. The queue's ids are thus not to be foretold
        from the number of steps.
        """
        scale = self.scaler.get_scale()  # 1, at no cost, but for float16
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)
        if self.scaler.get_scale() >= scale:
            return True
        for name, value in self.method.memory().items():
            value.copy_(self.held[name])
        return False

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
        gradients = [p.grad for p in self.method.trainable()] if halfway else []
        return {
            "method": self.method.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "gradients": gradients,
            "held": self.held if halfway else {},
            "random": {"cpu": torch.get_rng_state(), "cuda": cuda},
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Put back what `state` returned."""
        self.method.load_state_dict(content["method"])
        self.optimiser.load_state_dict(content["optimiser"])
        self.scaler.load_state_dict(content["scaler"])
        for parameter, gradient in zip(self.method.trainable(), content["gradients"], strict=False):
            parameter.grad = None if gradient is None else gradient.to(parameter)
        memory = self.method.memory()
        self.held = {n: v.to(memory[n].device) for n, v in content.get("held", {}).items()}
        torch.set_rng_state(content["random"]["cpu"])
        if len(content["random"]["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(content["random"]["cuda"])

    def _require_finite(self, job: Job, step: int) -> None:
        if not all(bool(p.isfinite().all()) for p in self.method.trainable()):
            raise TrainingDiverged(
                f"A weight is no longer a finite number after step {step} of {job.steps}. Lower "
                "the rate (--set lr=…) or limit the gradient (--set clip_grad=1)."
            )


def make_learner(job: Job) -> Learner:
    """Return the nets of a job on its device, as its seed draws them, and their optimiser."""
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
    return Learner(method, _shared(method, job), optimiser, scaler)


def _shared(method: Method, job: Job) -> nn.Module:
    """Return the method as all processes call it; gradients are averaged over them."""
    if distributed.world() == 1:
        return method
    devices = [job.device.index] if job.device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(method, devices, broadcast_buffers=False)


def _memory_format(config: RunConfig) -> torch.memory_format:
    return torch.channels_last if config.channels_last else torch.contiguous_format
