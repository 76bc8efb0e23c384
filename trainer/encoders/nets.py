"""Encoders: ResNets, ConvNeXts and vision transformers less their last layer; random or of a file.

State dicts carry torchvision's keys. Files may carry those, timm's, or a training framework's
prefixes before either; `trainer.encoders.weights` sorts them out.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from trainer.encoders import weights
from trainer.encoders.info import EncoderInfo, config_of
from trainer.encoders.libraries import has_one_size, make_of_library, take_channels, usual_size
from trainer.encoders.library_weights import fit_library, library_channels
from trainer.encoders.names import library_of
from trainer.encoders.weights import WeightsFile
from trainer.errors import EncoderOfLibrary, EncoderUnknown
from trainer.process.seeds import Stream, generator_for

_PATCH_PX = 16


def _vit(
    layers: int, heads: int, width: int, image_size: int = 224, patch: int = _PATCH_PX, **_: Any
) -> nn.Module:
    """Return torchvision's vision transformer; B and L of patch 16 are vit_b_16 and vit_l_16."""
    return torchvision.models.VisionTransformer(  # type: ignore[no-any-return]
        image_size, patch, layers, heads, width, 4 * width
    )


def _resnet10(weights: None = None) -> nn.Module:
    """Return a residual net with one block a stage where resnet18 has two."""
    block = torchvision.models.resnet.BasicBlock
    return torchvision.models.ResNet(block, [1, 1, 1, 1])  # type: ignore[no-any-return]


# resnet10 and vit_mini_8 are for trials on a CPU, at 32 to 64 pixels.
_MAKERS: dict[str, Callable[..., nn.Module]] = {
    "resnet10": _resnet10,
    "resnet18": torchvision.models.resnet18,
    "resnet34": torchvision.models.resnet34,
    "resnet50": torchvision.models.resnet50,
    "resnet101": torchvision.models.resnet101,
    "convnext_tiny": torchvision.models.convnext_tiny,
    "convnext_small": torchvision.models.convnext_small,
    "convnext_base": torchvision.models.convnext_base,
    "vit_mini_8": partial(_vit, 4, 2, 128, patch=8),
    "vit_s_16": partial(_vit, 12, 6, 384),
    "vit_b_16": partial(_vit, 12, 12, 768),
    "vit_l_16": partial(_vit, 24, 16, 1024),
    # As DINOv2 and RAD-DINO.
    "vit_s_14": partial(_vit, 12, 6, 384, patch=14),
    "vit_b_14": partial(_vit, 12, 12, 768, patch=14),
    "vit_l_14": partial(_vit, 24, 16, 1024, patch=14),
}

# Normalising as ImageNet does lets weights go to and fro between torchvision and here unchanged.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# One channel takes their means.
GREY_MEAN = sum(IMAGENET_MEAN) / 3
GREY_STD = sum(IMAGENET_STD) / 3


def encoder_names() -> tuple[str, ...]:
    """Return the encoders that can be made."""
    return tuple(_MAKERS)


def is_vit(name: str) -> bool:
    """Return whether an encoder is a vision transformer."""
    return name.startswith("vit")


def patch_px(name: str) -> int:
    """Return the side of a vision transformer's patches in pixels, as its name says."""
    return int(name.rpartition("_")[2])


def has_fixed_size(name: str) -> bool:
    """Return whether an encoder is made for views of one size."""
    return has_one_size(name) if library_of(name) else is_vit(name)


def make_encoder(
    name: str, in_channels: int = 3, size: int = 224, aspect: float = 1.0
) -> tuple[nn.Module, int]:
    """Return an encoder and the width of its features.

    The keys of its state dict are torchvision's, or those of the library it is named after, less
    the last layer. Weights come from torch's global generator: call it inside `seeded_weights`.

    Parameters
    ----------
    name
        One of `encoder_names()`, or ``torchvision:NAME`` or ``timm:NAME``.
    in_channels
        1 or 3.
    size, aspect
        Height of the views in pixels and their width by height; only vision transformers ask, a
        multiple of `patch_px`, and nets of a library.

    Raises
    ------
    EncoderError
        If a library has no such net, or it does not take these views.
    """
    if library_of(name):
        return make_of_library(name, in_channels, (size, round(size * aspect)))
    if is_vit(name):
        net = _MAKERS[name](image_size=size)
        width = int(net.hidden_dim)  # type: ignore[arg-type]
        net.heads = nn.Identity()
        # torchvision starts the patch projection for its own ConvNets' fan; leave as is.
        first, attribute = net, "conv_proj"
    elif name.startswith("convnext"):
        net = _MAKERS[name](weights=None)
        classifier: Any = net.classifier
        width = int(classifier[2].in_features)
        classifier[2] = nn.Identity()
        first, attribute = net.get_submodule("features.0"), "0"
    else:
        net = _MAKERS[name](weights=None)
        width = int(net.fc.in_features)  # type: ignore[arg-type,union-attr]
        net.fc = nn.Identity()
        first, attribute = net, "conv1"
    if in_channels != 3:
        _narrow(first, attribute, in_channels)
    return net, width


def _narrow(net: nn.Module, attribute: str, channels: int) -> None:
    """Let the first convolution take fewer channels, with the weights summed over the old ones."""
    old = getattr(net, attribute)
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,
        old.stride,
        old.padding,
        bias=old.bias is not None,
    )
    with torch.no_grad():
        new.weight.copy_(weights.with_channels(old.weight, channels))
        if old.bias is not None and new.bias is not None:
            new.bias.copy_(old.bias)
    setattr(net, attribute, new)


@contextlib.contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Initialise nets from a seed within this context; torch's own state is put back after it."""
    state = torch.get_rng_state()
    torch.set_rng_state(generator_for(seed, Stream.WEIGHTS).get_state())
    try:
        yield
    finally:
        torch.set_rng_state(state)


def to_input(view: Tensor, channels: int = 3) -> Tensor:
    """Return what an encoder takes of a view.

    Parameters
    ----------
    view
        One channel, shape (B, 1, H, W), float, 0 black to 1 white.
    channels
        Of the encoder: 3, or 1.

    Returns
    -------
    Tensor
        Shape (B, channels, H, W), normalised with the mean and deviation of ImageNet's channels.
    """
    if channels == 1:
        return (view - GREY_MEAN) / GREY_STD
    mean, std = _normalising(view.device, view.dtype)
    return (view - mean) / std


@cache
def _normalising(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return mean and deviation, (1, 3, 1, 1): copied to a device once, since a copy waits."""
    with torch.inference_mode(False):
        mean, std = (
            torch.tensor(values, device=device, dtype=dtype).view(1, 3, 1, 1)
            for values in (IMAGENET_MEAN, IMAGENET_STD)
        )
    return mean, std


def load_encoder(path: Path | str, *, name: str | None = None) -> tuple[nn.Module, EncoderInfo]:
    """Return an encoder from a file, in evaluation mode, and what the file says of it.

    Parameters
    ----------
    path
        `encoder.safetensors` of a run, a torchvision or timm state dict (.safetensors, .pth, .pt),
        or a checkpoint of another framework such as the released ``epoch_N.pth``.
    name
        One of `encoder_names()`, ``torchvision:NAME`` or ``timm:NAME``; None: found from the file.

    Returns
    -------
    nn.Module, EncoderInfo
        A net that maps ``to_input(view, info.in_channels)`` to features (B, D).

    Raises
    ------
    EncoderError
        If the file is damaged, of no known encoder, or does not fit; lists what did not.
    """
    file = weights.open_weights(Path(path))
    chosen = name or file.metadata.get("encoder", "")
    try:
        if not library_of(chosen):
            return _load_ours(file, chosen)
    except EncoderOfLibrary as error:
        if name:
            raise
        chosen = error.name
    return _load_of_library(file, chosen)


def _load_ours(file: WeightsFile, name: str) -> tuple[nn.Module, EncoderInfo]:
    found = weights.encoder_in(file)
    chosen = name or weights.guess_name(found)
    if chosen not in _MAKERS:
        raise EncoderUnknown(
            f"Foveate cannot tell which encoder {file.path} belongs to"
            + (f" ({chosen} is not known)" if chosen else "")
            + f". It knows {', '.join(_MAKERS)}, and by name torchvision:NAME and timm:NAME."
        )
    config = config_of(file.metadata)
    channels, side = found.in_channels, int(config.get("size", 224))
    if is_vit(chosen):
        side = found.grid * patch_px(chosen)
    net, width = make_encoder(chosen, channels, side)
    left_out = weights.fit(net, found, file.path)
    aspect = float(config.get("aspect", 1.0))
    return net.eval(), EncoderInfo(chosen, width, channels, side, aspect, file.metadata, left_out)


def _load_of_library(file: WeightsFile, name: str) -> tuple[nn.Module, EncoderInfo]:
    config = config_of(file.metadata)
    side = int(config.get("size", usual_size(name)))
    aspect = float(config.get("aspect", 1.0))
    net, width = make_encoder(name, 3, side, aspect)
    channels = library_channels(net, file)
    take_channels(net, channels)
    left_out = fit_library(net, file)
    return net.eval(), EncoderInfo(name, width, channels, side, aspect, file.metadata, left_out)


def initialise(net: nn.Module, path: Path, name: str = "") -> tuple[str, ...]:
    """Put the weights of a file into an encoder; return the file's keys that were left out.

    Channels and the grid of position embeddings are adapted; anything else that does not fit is
    an error.

    Parameters
    ----------
    name
        Of the encoder, where it is one of a library.

    Raises
    ------
    EncoderError
        Listing what did not fit.
    """
    file = weights.open_weights(path)
    if library_of(name):
        return fit_library(net, file)
    return weights.fit(net, weights.encoder_in(file), path)
