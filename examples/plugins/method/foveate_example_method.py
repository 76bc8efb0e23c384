"""Alignment and uniformity (Wang and Isola 2020, arXiv 2005.10242) for Foveate, with gaze pairs.

`python main.py train --method alignuniform`. Foveate reads `METHOD` from this file's text, so its
values are literals; the file is run only where the method is chosen.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from trainer.config.methods import MethodSpec
from trainer.methods.base import Method, StepOutput, Widths, head
from trainer.methods.losses import in_float32, pair_mean, unit
from trainer.pairs.policy import StepPairs
from trainer.process.distributed import gather

METHOD = MethodSpec(title="Alignment and uniformity", net="AlignUniform", kind="contrastive")


@in_float32
def loss_of(z_1: Tensor, z_2: Tensor, mask: Tensor) -> Tensor:
    """Return how far positives lie apart, plus how unevenly all spread over the sphere.

    Parameters
    ----------
    z_1, z_2
        Projections of each view, shape (B, D).
    mask
        Positive pairs, shape (B, B), its diagonal true.
    """
    z_1, z_2 = unit(z_1), unit(z_2)
    apart = 2 - 2 * z_1 @ z_2.T
    spread = sum(torch.pdist(z).square().mul(-2).exp().mean().log() for z in (z_1, z_2)) / 2
    return pair_mean(apart, mask) + spread


class AlignUniform(Method):
    """Encoder and a projector d → d → 128."""

    def __init__(self, encoder: nn.Module, features: int, widths: Widths) -> None:
        super().__init__()
        self.encoder = encoder
        hidden = widths.projector_hidden or features
        self.projector = head(features, hidden, widths.projector_out or 128)

    def trainable(self) -> Iterable[nn.Parameter]:
        """Return all parameters."""
        return self.parameters()

    def step_output(
        self, view_1: Tensor, view_2: Tensor, ids: Tensor, pairs: StepPairs
    ) -> StepOutput:
        """Return the loss of a batch; views (B, C, H, W), ids (B,)."""
        z_1 = gather(self.projector(self.encoder(view_1)))
        z_2 = gather(self.projector(self.encoder(view_2)))
        return StepOutput(loss_of(z_1, z_2, pairs.mask), z_1.detach(), pairs.mask)

    def after_step(self, step: int, steps: int) -> None:
        """Nothing follows."""
