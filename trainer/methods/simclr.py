"""SimCLR with gaze pairs (Chen et al. 2020, arXiv 2002.05709; per anchor it is SupCon's loss).

The released code names a `SimCLR_McGIP` that does not exist; this is the method written from the
formula: an anchor's positives are the other view of its image and all views of related images.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from trainer.config.methods import MethodSpec
from trainer.methods.base import Method, StepOutput, Widths
from trainer.methods.losses import in_float32, info_nce, only, unit, without
from trainer.pairs.policy import StepPairs
from trainer.process.distributed import gather

METHOD = MethodSpec(title="SimCLR", net="SimClr", kind="contrastive")


@in_float32
def simclr_loss(
    z_1: Tensor,
    z_2: Tensor,
    mask: Tensor,
    temperature: float,
    normalisation: str = "batch",
    passed_over: Tensor | None = None,
) -> Tensor:
    """Return the InfoNCE of 2B views among one another.

    Parameters
    ----------
    z_1, z_2
        Projections of each view, shape (B, D).
    mask
        Pair mask of images, shape (B, B), bool or weights, its diagonal 1.
    temperature
        τ, by which cosines are divided.
    normalisation
        See `losses.pair_mean`.
    passed_over
        Shape (B, B), bool: images that are never negatives of each other; None: none.

    Returns
    -------
    Tensor
        Scalar.
    """
    z = unit(torch.cat([z_1, z_2]))
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    positives = only(mask.repeat(2, 2), ~itself)
    apart = None if passed_over is None else passed_over.repeat(2, 2)
    candidates = without(~itself, apart)
    return info_nce(z @ z.T / temperature, positives, candidates, normalisation)


class SimClr(Method):
    """Encoder and projector d → d → 128, as published."""

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        widths: Widths,
        temperature: float = 0.1,
        normalisation: str = "batch",
    ) -> None:
        super().__init__()
        hidden = widths.projector_hidden or features
        self.encoder = encoder
        self.projector = nn.Sequential(
            nn.Linear(features, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, widths.projector_out or 128),
        )
        self._temperature, self._normalisation = temperature, normalisation

    def trainable(self) -> Iterable[nn.Parameter]:
        """Return all parameters."""
        return self.parameters()

    def step_output(
        self, view_1: Tensor, view_2: Tensor, ids: Tensor, pairs: StepPairs
    ) -> StepOutput:
        """Return the loss of a batch; views (B, C, H, W), ids (B,)."""
        z_1 = gather(self.projector(self.encoder(view_1)))
        z_2 = gather(self.projector(self.encoder(view_2)))
        loss = simclr_loss(
            z_1, z_2, pairs.mask, self._temperature, self._normalisation, pairs.passed_over
        )
        return StepOutput(loss, z_1.detach(), pairs.mask)

    def after_step(self, step: int, steps: int) -> None:
        """Nothing follows."""
