"""MoCo v3 with gaze pairs (Chen, Xie and He 2021, arXiv 2104.02057; pairs: Wang et al. 2024).

No queue: the keys of a batch are one another's negatives. Made for vision transformers, whose patch
projection is kept as it was drawn and whose position embeddings are fixed sines, without which
training is unstable.
"""

import itertools
import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from trainer.config.methods import MethodSpec
from trainer.encoders.patches import tells_patches
from trainer.methods.base import Method, StepOutput, Widths
from trainer.methods.ema import ema_momentum, ema_update, target_of
from trainer.methods.losses import in_float32, info_nce, unit, without
from trainer.pairs.policy import StepPairs
from trainer.process.distributed import gather

METHOD = MethodSpec(title="MoCo v3", net="MoCoV3", kind="contrastive", aliases=("moco_v3",))


_COLOURS = 3


@in_float32
def moco_v3_loss(
    queries_1: Tensor,
    queries_2: Tensor,
    keys_1: Tensor,
    keys_2: Tensor,
    mask: Tensor,
    temperature: float,
    normalisation: str = "batch",
    passed_over: Tensor | None = None,
) -> Tensor:
    """Return 2τ [NCE(q1, k2) + NCE(q2, k1)].

    Parameters
    ----------
    queries_1, queries_2, keys_1, keys_2
        Shape (B, D); no gradient flows into keys.
    mask
        Pair mask, shape (B, B), bool or weights; its diagonal is 1.
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
    candidates = without(torch.ones_like(mask, dtype=torch.bool), passed_over)
    loss = torch.zeros((), device=queries_1.device)
    for queries, keys in ((queries_1, keys_2), (queries_2, keys_1)):
        logits = unit(queries) @ unit(keys.detach()).T / temperature
        loss = loss + info_nce(logits, mask, candidates, normalisation)
    return 2 * temperature * loss


class MoCoV3(Method):
    """Encoder, projector and predictor; the key net follows encoder and projector.

    Heads as published: projector of two layers (three for a transformer) 4,096 wide, predictor of
    two, 256 out. `init` names the file that the encoder's weights come from, if they do.
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        widths: Widths,
        momentum: float = 0.99,
        momentum_schedule: str = "cosine",
        temperature: float = 0.2,
        normalisation: str = "batch",
        init: str = "",
    ) -> None:
        super().__init__()
        ours = hasattr(encoder, "conv_proj")  # torchvision's transformer; timm's has its own start
        patches = _patch_projection(encoder)
        hidden, out = widths.projector_hidden or 4096, widths.projector_out or 256
        self.encoder = encoder
        if patches is not None:
            if ours and not init:  # the file's own start otherwise
                published_start(encoder)
                set_sine_positions(encoder)
            patches.requires_grad_(False)
            if ours:
                encoder.get_parameter("encoder.pos_embedding").requires_grad_(False)
        layers = 2 if patches is None else 3
        self.projector = _perceptron([features, *[hidden] * (layers - 1), out])
        self.predictor = _perceptron(
            [out, widths.predictor_hidden or 4096, out], last_norm=patches is not None
        )
        self.target = target_of(nn.Sequential(self.encoder, self.projector))
        self._momentum, self._schedule = momentum, momentum_schedule
        self._temperature, self._normalisation = temperature, normalisation

    def trainable(self) -> Iterable[nn.Parameter]:
        """Return all but the key net and what is fixed."""
        for part in (self.encoder, self.projector, self.predictor):
            yield from (p for p in part.parameters() if p.requires_grad)

    def step_output(
        self, view_1: Tensor, view_2: Tensor, ids: Tensor, pairs: StepPairs
    ) -> StepOutput:
        """Return the loss of a batch; views (B, C, H, W), ids (B,)."""
        z_1, z_2 = self.projector(self.encoder(view_1)), self.projector(self.encoder(view_2))
        queries = gather(self.predictor(z_1)), gather(self.predictor(z_2))
        with torch.no_grad():
            keys = gather(self.target(view_1)), gather(self.target(view_2))
        loss = moco_v3_loss(
            *queries, *keys, pairs.mask, self._temperature, self._normalisation,
            pairs.passed_over,
        )  # fmt: skip
        return StepOutput(loss, gather(z_1.detach()), pairs.mask)

    def after_step(self, step: int, steps: int) -> None:
        """Let the key net follow."""
        momentum = ema_momentum(self._momentum, step, steps, self._schedule)
        ema_update(self.target, nn.Sequential(self.encoder, self.projector), momentum)


def _patch_projection(encoder: nn.Module) -> nn.Module | None:
    """Return what a vision transformer cuts its patches with; None for any other net."""
    if tells_patches(encoder):
        found: nn.Module = encoder.get_submodule("patch_embed")
        return found
    return getattr(encoder, "conv_proj", None)


def _perceptron(widths: list[int], last_norm: bool = True) -> nn.Sequential:
    """Return fc-BN-ReLU layers; the last one without ReLU, its BN without affine."""
    layers: list[nn.Module] = []
    for number, (width_in, width_out) in enumerate(itertools.pairwise(widths)):
        layers.append(nn.Linear(width_in, width_out, bias=False))
        if number < len(widths) - 2:
            layers += [nn.BatchNorm1d(width_out), nn.ReLU(inplace=True)]
        elif last_norm:
            layers.append(nn.BatchNorm1d(width_out, affine=False))
    return nn.Sequential(*layers)


@torch.no_grad()
def published_start(encoder: nn.Module) -> None:
    """Draw the weights of a vision transformer as moco-v3 does (`vits.py`), from torch's generator.

    Linear layers are Xavier uniform with biases of 0, each of query, key and value as a matrix of
    its own; the patch projection is uniform over all it takes in, ±√(6 / (3 · 16² + width)); the
    class token is nearly 0. torchvision's own start is narrower: 0.036 for 0.051 in ViT-S.
    """
    for part in encoder.modules():
        if isinstance(part, nn.MultiheadAttention):
            for matrix in part.in_proj_weight.chunk(3):
                nn.init.xavier_uniform_(matrix)
            nn.init.zeros_(part.in_proj_bias)
        elif isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            nn.init.zeros_(part.bias)
    _draw_patches(encoder.get_submodule("conv_proj"))
    nn.init.normal_(encoder.get_parameter("class_token"), std=1e-6)


def _draw_patches(patches: nn.Module) -> None:
    """Draw a patch projection for three channels; one that takes grey has their sum."""
    assert isinstance(patches, nn.Conv2d)
    assert patches.bias is not None
    width, channels, height, length = patches.weight.shape
    bound = math.sqrt(6 / (_COLOURS * height * length + width))
    drawn = torch.empty(width, _COLOURS, height, length).uniform_(-bound, bound)
    patches.weight.copy_(drawn if channels == _COLOURS else drawn.sum(1, keepdim=True))
    nn.init.zeros_(patches.bias)


@torch.no_grad()
def set_sine_positions(encoder: nn.Module) -> None:
    """Give a vision transformer fixed two-dimensional sines as position embeddings."""
    positions = encoder.get_parameter("encoder.pos_embedding")
    count, width = int(positions.shape[1]) - 1, int(positions.shape[2])
    grid = math.isqrt(count)
    frequencies = 1 / 10000 ** (torch.arange(width // 4) / (width // 4))
    along = torch.arange(grid)[:, None] * frequencies
    y, x = along.repeat_interleave(grid, 0), along.repeat(grid, 1)
    made = torch.cat([x.sin(), x.cos(), y.sin(), y.cos()], 1)
    positions.copy_(torch.cat([torch.zeros(1, width), made])[None])
