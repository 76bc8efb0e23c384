"""What the loop asks of a method, and what methods share."""

import abc
import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainer.pairs import MaskFn


@dataclass(frozen=True, slots=True)
class StepOutput:
    """What a method says of a step.

    Attributes
    ----------
    loss
        Scalar with gradient.
    projections
        Shape (B, D), without gradient: what feature spread is measured on.
    mask
        Shape (B, B'), bool: the positives of each anchor.
    """

    loss: Tensor
    projections: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class Widths:
    """Widths of the heads; 0 for the method's released ones."""

    projector_hidden: int = 0
    projector_out: int = 256
    predictor_hidden: int = 0


class Method(nn.Module, abc.ABC):
    """What the loop asks of a self-supervised method; its state dict is all that a resume needs.

    Attributes
    ----------
    encoder
        What is exported.
    """

    encoder: nn.Module

    @abc.abstractmethod
    def trainable(self) -> Iterable[nn.Parameter]:
        """Return what the optimiser changes."""

    @abc.abstractmethod
    def step_output(self, view_1: Tensor, view_2: Tensor, ids: Tensor, mask: MaskFn) -> StepOutput:
        """Return the loss of a batch.

        Parameters
        ----------
        view_1, view_2
            Input of the encoder, shape (B, 3, H, W).
        ids
            Image ids of the batch, shape (B,).
        mask
            Pair mask of this step.
        """

    @abc.abstractmethod
    def after_step(self, step: int, steps: int) -> None:
        """Follow the optimiser's step number `step` (from 0) of `steps`, e.g. by an EMA."""


def head(width_in: int, hidden: int, width_out: int) -> nn.Sequential:
    """Return fc-BN-ReLU-fc, no BN at the end, as released."""
    return nn.Sequential(
        nn.Linear(width_in, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, width_out),
    )


def masked_cosine(predictions: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the mean cosine over positive pairs, ΣP∘cos / ΣP.

    Parameters
    ----------
    predictions, targets
        Shapes (A, D) and (B, D).
    mask
        Shape (A, B), bool, at least one pair.

    Returns
    -------
    Tensor
        Scalar in -1 to 1, computed in float32.
    """
    cosine = nn.functional.normalize(predictions.float(), dim=1) @ (
        nn.functional.normalize(targets.float(), dim=1).T
    )
    return (cosine * mask).sum() / mask.sum()


def target_of(net: nn.Module) -> nn.Module:
    """Return a copy of a net that learns by EMA only."""
    target = copy.deepcopy(net)
    target.requires_grad_(False)
    return target


def ema_momentum(start: float, step: int, steps: int) -> float:
    """Return m = 1 − (1 − m0)(cos(πk/K) + 1)/2: from `start` at step 0 to 1 at step K."""
    return 1 - (1 - start) * (math.cos(math.pi * step / steps) + 1) / 2


@torch.no_grad()
def ema_update(target: nn.Module, online: nn.Module, momentum: float) -> None:
    """Move the target's parameters towards the online net's: t ← m t + (1 − m) o."""
    for t, o in zip(target.parameters(), online.parameters(), strict=True):
        t.lerp_(o, 1 - momentum)
