"""Target nets that follow an online net by an exponential moving average."""

import copy
import math

import torch
from torch import nn

_TURNOVERS = 10
"""How often a fitted target is renewed in a run, whatever its length."""
_LOWEST_FITTED = 0.9


def target_of(net: nn.Module) -> nn.Module:
    """Return a copy of a net that learns by EMA only."""
    target = copy.deepcopy(net)
    target.requires_grad_(False)
    return target


def ema_momentum(start: float, step: int, steps: int, schedule: str = "cosine") -> float:
    """Return the momentum of optimiser step k of K.

    "cosine": m = 1 − (1 − m0)(cos(πk/K) + 1)/2, from m0 at step 0 to 1 at step K; "constant": m0;
    "fitted": m0 too, but no more than 1 − 10/K, so that a short run's target gets away from its
    random start: of 270 steps at 0.999 three quarters of it would be left. Never below 0.9.
    """
    if schedule == "constant":
        return start
    if schedule == "fitted":
        return min(start, max(_LOWEST_FITTED, 1 - _TURNOVERS / steps))
    return 1 - (1 - start) * (math.cos(math.pi * step / steps) + 1) / 2


@torch.no_grad()
def ema_update(target: nn.Module, online: nn.Module, momentum: float) -> None:
    """Move the target's parameters towards the online net's: t ← m t + (1 − m) o."""
    followers: list[torch.Tensor] = list(target.parameters())
    leaders: list[torch.Tensor] = [p.detach() for p in online.parameters()]
    if len(followers) != len(leaders):
        raise ValueError("target and online net differ")
    torch._foreach_lerp_(followers, leaders, 1 - momentum)
