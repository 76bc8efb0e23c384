"""What the loop asks of a method, and what methods share."""

import abc
from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn

from trainer.pairs.policy import StepPairs


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
        Shape (B, B'), bool or weights: the positives of each anchor, its own other view among them.
    """

    loss: Tensor
    projections: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class Widths:
    """Widths of the heads; 0 for the method's released ones."""

    projector_hidden: int = 0
    projector_out: int = 0
    predictor_hidden: int = 0


class Method(nn.Module, abc.ABC):
    """What the loop asks of a self-supervised method; its state dict is all that a resume needs.

    With several processes each one has a share of the views; features are gathered, so that the
    loss, the mask and the queue are those of the whole batch in every process.

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
    def step_output(
        self, view_1: Tensor, view_2: Tensor, ids: Tensor, pairs: StepPairs
    ) -> StepOutput:
        """Return the loss of a batch.

        Parameters
        ----------
        view_1, view_2
            Input of the encoder, this process's share of the batch, shape (b, C, H, W).
        ids
            Image ids of the whole batch, shape (B,).
        pairs
            Pairs of this step: of the whole batch among itself, or with the queue.
        """

    @abc.abstractmethod
    def after_step(self, step: int, steps: int) -> None:
        """Follow the optimiser's step number `step` (from 0) of `steps`, e.g. by an EMA."""

    def settles_after(self, batch: int) -> int:
        """Return the steps of `batch` images after which losses can be compared: at once."""
        return 0

    def forget(self, images: int) -> None:
        """Forget what the last images left behind beside weights: their step was skipped.

        Nothing, unless a method says so.
        """

    def forward(self, view_1: Tensor, view_2: Tensor, ids: Tensor, pairs: StepPairs) -> StepOutput:
        """Return `step_output`; what several processes call."""
        return self.step_output(view_1, view_2, ids, pairs)


def head(width_in: int, hidden: int, width_out: int) -> nn.Sequential:
    """Return fc-BN-ReLU-fc, no BN at the end, as released."""
    return nn.Sequential(
        nn.Linear(width_in, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, width_out),
    )
