"""Optimisers and the learning rate of each step."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from trainer.config.config import RunConfig
from trainer.encoders.blocks import rate_scales
from trainer.methods.base import Method


class Lars(torch.optim.Optimizer):
    """SGD with momentum whose rate is scaled layer by layer (You et al. 2017, arXiv 1708.03888).

    A layer's step is its gradient (with decay) times 0.001 |w| / |g|; what is not decayed, biases
    and norms, is not scaled either.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, momentum: float = 0.9) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0,
                                  "trust": 0.001})  # fmt: skip

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Make one step."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)

    def _move(self, weight: Tensor, group: dict[str, Any]) -> None:
        change = weight.grad
        assert change is not None
        if weight.ndim > 1:
            change = change.add(weight, alpha=group["weight_decay"])
            length, slope = weight.norm(), change.norm()
            scaled = group["trust"] * length / slope
            change = change * torch.where(
                (length > 0) & (slope > 0), scaled, torch.ones_like(slope)
            )
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].mul_(group["momentum"]).add_(change)
        weight.add_(state["momentum"], alpha=-group["lr"])


def make_optimiser(config: RunConfig, method: Method) -> torch.optim.Optimizer:
    """Return the optimiser; biases and norms are not decayed.

    A group's `scale` is what the rate of a step is multiplied by.
    """
    weights = [p for p in method.trainable() if p.requires_grad]
    groups = _groups(config, method, weights)
    if config.optimiser == "sgd":
        optimiser = torch.optim.SGD(groups, lr=config.lr, momentum=0.9, fused=True)
        # Of a first step that is skipped in float16, torch's fused kernel leaves this unset memory.
        for weight in weights:
            optimiser.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
        return optimiser
    if config.optimiser == "lars":
        return Lars(groups, lr=config.lr)
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.95), fused=True)


def _groups(config: RunConfig, method: Method, weights: list[Parameter]) -> list[dict[str, Any]]:
    """Return the weights by decay and by rate; the encoder's blocks have one each if asked."""
    scales: dict[int, float] = {}
    if config.layer_decay < 1:
        by_name = rate_scales(method.encoder, config.layer_decay)
        scales = {id(p): by_name[name] for name, p in method.encoder.named_parameters()}
    made = []
    for scale in sorted({scales.get(id(p), 1.0) for p in weights}, reverse=True):
        own = [p for p in weights if scales.get(id(p), 1.0) == scale]
        for decay, chosen in (
            (config.weight_decay, [p for p in own if p.ndim > 1]),
            (0.0, [p for p in own if p.ndim <= 1]),
        ):
            made.append({"params": chosen, "weight_decay": decay, "scale": scale})
    return made


def scheduled_rate(config: RunConfig, step: int, steps: int, steps_per_epoch: float) -> float:
    """Return the rate of optimiser step `step` of `steps`: up in warm-up, down a cosine to 0."""
    warmup = min(config.warmup * steps_per_epoch, steps / 2)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    share = (step - warmup) / max(1.0, steps - warmup)
    return config.lr * (math.cos(math.pi * share) + 1) / 2
