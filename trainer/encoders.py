"""Encoders: torchvision's ResNets less their last layer, randomly initialised."""

import contextlib
from collections.abc import Callable, Iterator

import torch
import torchvision
from torch import Tensor, nn

from trainer.seeds import Stream, generator_for

_MAKERS: dict[str, Callable[..., nn.Module]] = {
    "resnet18": torchvision.models.resnet18,
    "resnet34": torchvision.models.resnet34,
    "resnet50": torchvision.models.resnet50,
    "resnet101": torchvision.models.resnet101,
}

# Normalising as ImageNet does lets weights go to and fro between torchvision and here unchanged.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def encoder_names() -> tuple[str, ...]:
    """Return the encoders that can be made."""
    return tuple(_MAKERS)


def make_encoder(name: str) -> tuple[nn.Module, int]:
    """Return an encoder and the width of its features.

    The keys of its state dict are torchvision's, less ``fc``. Weights come from torch's global
    generator: call it inside `seeded_weights`.
    """
    net = _MAKERS[name](weights=None)
    width = int(net.fc.in_features)  # type: ignore[arg-type,union-attr]
    net.fc = nn.Identity()
    return net, width


@contextlib.contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Initialise nets from a seed within this context; torch's own state is put back after it."""
    state = torch.get_rng_state()
    torch.set_rng_state(generator_for(seed, Stream.WEIGHTS).get_state())
    try:
        yield
    finally:
        torch.set_rng_state(state)


def to_input(view: Tensor) -> Tensor:
    """Return what an encoder takes of a view.

    Parameters
    ----------
    view
        One channel, shape (B, 1, H, W), float, 0 black to 1 white.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), normalised with the mean and deviation of ImageNet's channels.
    """
    mean = torch.tensor(IMAGENET_MEAN, device=view.device, dtype=view.dtype).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=view.device, dtype=view.dtype).view(1, 3, 1, 1)
    return (view - mean) / std
