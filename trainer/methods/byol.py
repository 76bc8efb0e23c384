"""BYOL with gaze pairs (Grill et al. 2020, arXiv 2006.07733; pairs: Wang et al. 2024).

Predictions of one view are drawn to the targets of the other view of each positive. With no pairs
but an image's own, this is plain BYOL.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from trainer.config.methods import MethodSpec
from trainer.methods.base import Method, StepOutput, Widths, head
from trainer.methods.ema import ema_momentum, ema_update, target_of
from trainer.methods.losses import in_float32, masked_cosine
from trainer.pairs.policy import StepPairs
from trainer.process.distributed import gather

METHOD = MethodSpec(title="BYOL", net="Byol", kind="siamese")


@in_float32
def byol_loss(
    prediction_1: Tensor,
    prediction_2: Tensor,
    target_1: Tensor,
    target_2: Tensor,
    mask: Tensor,
    normalisation: str = "batch",
) -> Tensor:
    """Return L = −2 [ΣP∘cos(h(z1), z2′)/ΣP + ΣP∘cos(h(z2), z1′)/ΣP].

    Parameters
    ----------
    prediction_1, prediction_2
        Predictor output h(z) of each view, shape (B, D).
    target_1, target_2
        Target net's projections z′ of each view, shape (B, D); no gradient flows into them.
    mask
        Pair mask P, shape (B, B), bool or weights; its diagonal is 1.
    normalisation
        See `losses.pair_mean`.

    Returns
    -------
    Tensor
        Scalar from -4 (all positives coincide) to 4.
    """
    there = masked_cosine(prediction_1, target_2.detach(), mask, normalisation)
    back = masked_cosine(prediction_2, target_1.detach(), mask, normalisation)
    return -2 * (there + back)


class Byol(Method):
    """Online encoder, projector and predictor; the target follows encoder and projector.

    Heads as released: projector d → 2d → 256, predictor 256 → 2d → 256, d the width of the
    encoder's features (512 for ResNet-18).
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        widths: Widths,
        momentum: float = 0.99,
        momentum_schedule: str = "cosine",
        normalisation: str = "batch",
    ) -> None:
        super().__init__()
        hidden = widths.projector_hidden or 2 * features
        out = widths.projector_out or 256
        self.encoder = encoder
        self.projector = head(features, hidden, out)
        self.predictor = head(out, widths.predictor_hidden or 2 * features, out)
        self.target = target_of(nn.Sequential(self.encoder, self.projector))
        self._momentum, self._schedule = momentum, momentum_schedule
        self._normalisation = normalisation

    def trainable(self) -> Iterable[nn.Parameter]:
        """Return all but the target."""
        for part in (self.encoder, self.projector, self.predictor):
            yield from part.parameters()

    def step_output(
        self, view_1: Tensor, view_2: Tensor, ids: Tensor, pairs: StepPairs
    ) -> StepOutput:
        """Return the loss of a batch; views (B, C, H, W), ids (B,)."""
        # Targets first: their activations are gone before those of the online net are kept.
        with torch.no_grad():
            targets = gather(self.target(view_1)), gather(self.target(view_2))
        z_1 = self.projector(self.encoder(view_1))
        z_2 = self.projector(self.encoder(view_2))
        predictions = gather(self.predictor(z_1)), gather(self.predictor(z_2))
        loss = byol_loss(*predictions, *targets, pairs.mask, self._normalisation)
        return StepOutput(loss, gather(z_1.detach()), pairs.mask)

    def after_step(self, step: int, steps: int) -> None:
        """Let the target follow."""
        momentum = ema_momentum(self._momentum, step, steps, self._schedule)
        ema_update(self.target, nn.Sequential(self.encoder, self.projector), momentum)
