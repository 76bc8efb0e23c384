"""SimSiam with gaze pairs (Chen and He 2021, arXiv 2011.10566; pairs: Wang et al. 2024).

BYOL without a target net: the other view's own projection is the target, its gradient stopped.
"""

from collections.abc import Iterable

from torch import Tensor, nn

from trainer.methods.base import Method, StepOutput, Widths, head, masked_cosine
from trainer.pairs import MaskFn


def simsiam_loss(
    prediction_1: Tensor, prediction_2: Tensor, z_1: Tensor, z_2: Tensor, mask: Tensor
) -> Tensor:
    """Return L = −½ [ΣP∘cos(h(z1), sg z2)/ΣP + ΣP∘cos(h(z2), sg z1)/ΣP]; shapes as in BYOL.

    Returns
    -------
    Tensor
        Scalar from -1 to 1.
    """
    there = masked_cosine(prediction_1, z_2.detach(), mask)
    back = masked_cosine(prediction_2, z_1.detach(), mask)
    return -(there + back) / 2


class SimSiam(Method):
    """Encoder, three-layer projector (last BN without affine) and bottleneck predictor.

    Heads as released, scaled to the encoder: projector d → d → d → out, predictor
    out → out/4 → out; released for d = 2048 with out = 2048.
    """

    def __init__(self, encoder: nn.Module, features: int, widths: Widths) -> None:
        super().__init__()
        hidden, out = widths.projector_hidden or features, widths.projector_out
        self.encoder = encoder
        self.projector = nn.Sequential(
            nn.Linear(features, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
            *head(hidden, hidden, out),
            nn.BatchNorm1d(out, affine=False),
        )
        self.predictor = head(out, widths.predictor_hidden or max(2, out // 4), out)

    def trainable(self) -> Iterable[nn.Parameter]:
        """Return all parameters."""
        return self.parameters()

    def step_output(self, view_1: Tensor, view_2: Tensor, ids: Tensor, mask: MaskFn) -> StepOutput:
        """Return the loss of a batch; views (B, 3, H, W), ids (B,)."""
        z_1, z_2 = self.projector(self.encoder(view_1)), self.projector(self.encoder(view_2))
        pairs = mask(ids, ids, symmetric=True)
        loss = simsiam_loss(self.predictor(z_1), self.predictor(z_2), z_1, z_2, pairs)
        return StepOutput(loss, z_1.detach(), pairs)

    def after_step(self, step: int, steps: int) -> None:
        """Nothing follows."""
