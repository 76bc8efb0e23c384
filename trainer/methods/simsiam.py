"""SimSiam with gaze pairs (Chen and He 2020, arXiv 2011.10566; pairs: Wang et al. 2024).

No target net: predictions of one view are drawn to the projections of the other view of each
positive, through which no gradient flows. That gradient stop is all that holds it from collapse.
"""

from collections.abc import Iterable

from torch import Tensor, nn

from trainer.config.methods import MethodSpec
from trainer.methods.base import Method, StepOutput, Widths, head
from trainer.methods.losses import in_float32, masked_cosine
from trainer.pairs.policy import StepPairs
from trainer.process.distributed import gather

METHOD = MethodSpec(
    title="SimSiam",
    net="SimSiam",
    kind="siamese",
    # It has no target net to hold it: at the default of 3e-4 it collapsed in part (docs/study.md).
    settings={"radiograph": {"lr": 1e-4}},
)


@in_float32
def simsiam_loss(
    prediction_1: Tensor,
    prediction_2: Tensor,
    z_1: Tensor,
    z_2: Tensor,
    mask: Tensor,
    normalisation: str = "batch",
) -> Tensor:
    """Return L = −½ [ΣP∘cos(h(z1), sg z2)/ΣP + ΣP∘cos(h(z2), sg z1)/ΣP]; shapes as in BYOL.

    Returns
    -------
    Tensor
        Scalar from -1 to 1.
    """
    there = masked_cosine(prediction_1, z_2.detach(), mask, normalisation)
    back = masked_cosine(prediction_2, z_1.detach(), mask, normalisation)
    return -(there + back) / 2


class SimSiam(Method):
    """Encoder, three-layer projector (last BN without affine) and bottleneck predictor.

    Heads as released, scaled to the encoder: projector d → d → d → d, predictor d → d/4 → d;
    released for d = 2048.
    """

    def __init__(
        self, encoder: nn.Module, features: int, widths: Widths, normalisation: str = "batch"
    ) -> None:
        super().__init__()
        hidden, out = widths.projector_hidden or features, widths.projector_out or features
        self.encoder = encoder
        self.projector = nn.Sequential(
            nn.Linear(features, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
            *head(hidden, hidden, out),
            nn.BatchNorm1d(out, affine=False),
        )
        self.predictor = head(out, widths.predictor_hidden or max(2, out // 4), out)
        self._normalisation = normalisation

    def trainable(self) -> Iterable[nn.Parameter]:
        """Return all parameters."""
        return self.parameters()

    def step_output(
        self, view_1: Tensor, view_2: Tensor, ids: Tensor, pairs: StepPairs
    ) -> StepOutput:
        """Return the loss of a batch; views (B, C, H, W), ids (B,)."""
        z_1, z_2 = self.projector(self.encoder(view_1)), self.projector(self.encoder(view_2))
        predictions = gather(self.predictor(z_1)), gather(self.predictor(z_2))
        targets = gather(z_1.detach()), gather(z_2.detach())
        loss = simsiam_loss(*predictions, *targets, pairs.mask, self._normalisation)
        return StepOutput(loss, targets[0], pairs.mask)

    def after_step(self, step: int, steps: int) -> None:
        """Nothing follows."""
