"""BYOL that also guesses what a reader looks at next (after GazeWorld, 2026, arXiv 2605.23992).

Of a view only what was fixated so far is shown, the rest is its mean grey. From the features of
that and from the place of the next fixation a small head guesses the latent that the target net,
which sees the whole view, has there; no gradient flows into it. At inference no gaze is needed: the
encoder is exported as ever. Experimental: see docs/gaze-methods.md.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from trainer.config.methods import MethodSpec
from trainer.encoders.libraries import first_convolution
from trainer.encoders.patches import as_maps, layer_with_places
from trainer.errors import ConfigError
from trainer.methods.base import StepOutput, Widths, head
from trainer.methods.byol import Byol, byol_loss
from trainer.methods.losses import in_float32
from trainer.pairs.policy import StepPairs
from trainer.process.distributed import gather, own_share

METHOD = MethodSpec(title="Trajectory (experimental)", net="Trajectory", kind="siamese", paths=True)

SHARP = 0.25
"""Radius of what is seen sharply, where a view reaches from -1 to 1: an eighth of its side."""
_WAVES = 4
_SMALL = 1e-4


@in_float32
def next_patch_loss(guesses: Tensor, latents: Tensor, there: Tensor) -> Tensor:
    """Return −2 times the mean cosine between guesses and what the latents differ in.

    What all latents of the batch share could be guessed without a look; so each of their numbers
    is brought to mean 0 and deviation 1 over the batch first.

    Parameters
    ----------
    guesses, latents
        Shape (B, C); no gradient flows into latents.
    there
        Shape (B,), bool: which images have a next fixation. The others count for nothing.

    Returns
    -------
    Tensor
        Scalar from -2 to 2; 0 where fewer than two images have one.
    """
    weight = there.float()
    count = weight.sum().clamp(min=1)
    latents = torch.where(there[:, None], latents.detach().float(), 0.0)
    mean = latents.sum(0) / count
    apart = (latents - mean) * weight[:, None]
    deviation = (apart.square().sum(0) / count).sqrt()
    cosine = nn.functional.cosine_similarity(guesses.float(), apart / (deviation + _SMALL), dim=1)
    kept = torch.where(there, cosine, 0.0).sum() / count
    return -2 * kept * (weight.sum() > 1)


def show_only(views: Tensor, seen: Tensor) -> Tensor:
    """Return views (B, C, H, W) of which only discs about points (B, K, 2) are shown.

    Points are x and y from -1 to 1; NaN ones show nothing. The rest is each view's mean.
    """
    rows, columns = (
        (torch.arange(n, device=views.device) * 2 + 1) / n - 1 for n in views.shape[-2:]
    )
    far_y = (rows[None, None, :, None] - seen[:, :, 1, None, None]) ** 2
    far_x = (columns[None, None, None, :] - seen[:, :, 0, None, None]) ** 2
    shown = (far_x + far_y <= SHARP**2).any(1, keepdim=True)  # NaN is not
    return torch.where(shown, views, views.mean((2, 3), keepdim=True))


def latents_at(maps: Tensor, points: Tensor) -> Tensor:
    """Return the latents (B, C) of maps at points (B, 2), between places; 0 for NaN.

    Maps are (B, C, h, w).
    """
    at = points.nan_to_num()[:, None, None, :].to(maps.dtype)
    found = nn.functional.grid_sample(maps, at, padding_mode="border", align_corners=False)
    there = points.isfinite().all(1)
    return torch.where(there[:, None], found[:, :, 0, 0], 0.0)


def place_code(points: Tensor) -> Tensor:
    """Return sines and cosines (B, 4 · 4) of points (B, 2); of NaN those of the middle."""
    angles = (
        points.nan_to_num()[:, :, None]
        * math.pi
        * 2.0 ** torch.arange(_WAVES, device=points.device)
    )
    return torch.cat([angles.sin(), angles.cos()], 2).flatten(1)


def patches_of(encoder: nn.Module) -> nn.Module:
    """Return the layer whose output is the latents of patches.

    Of a vision transformer its blocks; of a ResNet the third stage, whose places are 16 pixels
    apart, as a transformer's mostly are; of any other net its last convolution.
    """
    return layer_with_places(encoder, "layer3")


def with_patches(encoder: nn.Module, views: Tensor) -> tuple[Tensor, Tensor]:
    """Return the features of views (B, D), and maps (B, C, h, w) of the latents of patches.

    Class token and registers are no patches.
    """
    caught: list[Tensor] = []
    hook = patches_of(encoder).register_forward_hook(lambda *call: caught.append(call[2]))
    try:
        features: Tensor = encoder.forward(views)
    finally:
        hook.remove()
    return features, as_maps(encoder, caught[-1])


class Trajectory(Byol):
    """BYOL's nets, and a head that guesses: features and place → 2d → the latent of a patch."""

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        widths: Widths,
        momentum: float = 0.99,
        momentum_schedule: str = "cosine",
        normalisation: str = "batch",
        path_weight: float = 1.0,
        in_channels: int = 3,
        size: int = 224,
        aspect: float = 1.0,
    ) -> None:
        super().__init__(encoder, features, widths, momentum, momentum_schedule, normalisation)
        width = _patch_width(encoder, in_channels, (size, round(size * aspect)))
        self.guess = head(features + 4 * _WAVES, widths.predictor_hidden or 2 * features, width)
        self._weight = path_weight

    def trainable(self) -> Iterable[nn.Parameter]:
        """Return all but the target."""
        yield from super().trainable()
        yield from self.guess.parameters()

    def step_output(
        self, view_1: Tensor, view_2: Tensor, ids: Tensor, pairs: StepPairs
    ) -> StepOutput:
        """Return the loss of a batch; views (B, C, H, W), ids (B,)."""
        with torch.no_grad():
            encoder, projector = self.target.children()
            features, maps = with_patches(encoder, view_1)
            targets = gather(projector(features)), gather(self.target(view_2))
        z_1 = self.projector(self.encoder(view_1))
        z_2 = self.projector(self.encoder(view_2))
        predictions = gather(self.predictor(z_1)), gather(self.predictor(z_2))
        loss = byol_loss(*predictions, *targets, pairs.mask, self._normalisation)
        if pairs.glimpses is not None:
            loss = loss + self._weight * self._next_patch(view_1, maps, pairs.glimpses, len(ids))
        else:  # Nobody looked at anything: BYOL. Several processes wait for every gradient.
            loss = loss + 0 * sum(weight.sum() for weight in self.guess.parameters())
        return StepOutput(loss, gather(z_1.detach()), pairs.mask)

    def _next_patch(self, views: Tensor, maps: Tensor, glimpses: Tensor, batch: int) -> Tensor:
        """Return the loss of guessing, over the whole batch; views are this process's share."""
        own = glimpses[own_share(batch)].to(views.dtype)
        seen, following = own[:, :-1], own[:, -1]
        features = self.encoder(show_only(views, seen))
        guesses = self.guess(torch.cat([features, place_code(following).to(features)], 1))
        latents = latents_at(maps, following)
        there = glimpses[:, -1].isfinite().all(1)
        return next_patch_loss(gather(guesses), gather(latents.contiguous()), there)


@torch.no_grad()
def _patch_width(encoder: nn.Module, channels: int, view: tuple[int, int]) -> int:
    """Return the width C of the latents of an encoder's patches; its statistics stay.

    Raises
    ------
    ConfigError
        If it has none that know where they lie: there is one place alone, or what is caught is the
        first layer, which knows nothing but its own pixels.
    """
    trained = encoder.training
    encoder.eval()
    _, maps = with_patches(encoder, torch.zeros(1, channels, *view))
    encoder.train(trained)
    only_first = patches_of(encoder) is encoder.get_submodule(first_convolution(encoder))
    if maps.shape[2] * maps.shape[3] < 2 or only_first:
        raise ConfigError(
            f"method is trajectory, which guesses what lies elsewhere; this encoder "
            f"({type(encoder).__name__}) has no map of places. Choose a residual net or a "
            "vision transformer."
        )
    return int(maps.shape[1])
