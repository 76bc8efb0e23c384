"""Methods by name; a new method is one file and one entry here (and its name in `config`)."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from trainer.config.config import RunConfig
from trainer.encoders.nets import initialise, is_vit, make_encoder, seeded_weights
from trainer.methods.base import Method, Widths
from trainer.methods.byol import Byol
from trainer.methods.mocov2 import MoCoV2
from trainer.methods.mocov3 import MoCoV3, set_sine_positions
from trainer.methods.simclr import SimClr
from trainer.methods.simsiam import SimSiam

# Which settings a method takes beside encoder, widths and normalisation.
_MAKERS: dict[str, tuple[Callable[..., Method], tuple[str, ...]]] = {
    "simclr": (SimClr, ("temperature",)),
    "mocov2": (MoCoV2, ("momentum", "schedule", "temperature", "queue")),
    "mocov3": (MoCoV3, ("momentum", "schedule", "temperature")),
    "byol": (Byol, ("momentum", "schedule")),
    "simsiam": (SimSiam, ()),
}


def method_names() -> tuple[str, ...]:
    """Return the methods that can be made."""
    return tuple(_MAKERS)


def make_method(config: RunConfig) -> Method:
    """Return the nets of a config, initialised from its seed, the encoder from a file if named.

    Raises
    ------
    EncoderError
        If the file does not fit the encoder; lists what did not.
    """
    make, takes = _MAKERS[config.method]
    given: dict[str, Any] = {
        "momentum": config.momentum,
        "schedule": config.momentum_schedule or None,
        "temperature": config.temperature,
        "queue": config.queue,
    }
    chosen = {k: v for k, v in given.items() if k in takes and v is not None}
    with seeded_weights(config.seed):
        method = make(
            *_encoder(config), _widths(config), normalisation=config.normalisation, **chosen
        )
    if config.norm == "group":
        use_group_norm(method)
    return method


def _widths(config: RunConfig) -> Widths:
    return Widths(config.projector_hidden, config.projector_out, config.predictor_hidden)


def _encoder(config: RunConfig) -> tuple[nn.Module, int]:
    encoder, width = make_encoder(config.encoder, config.in_channels, config.size)
    if config.init:
        initialise(encoder, Path(config.init))
    elif config.method == "mocov3" and is_vit(config.encoder):
        set_sine_positions(encoder)
    return encoder, width


def use_group_norm(module: nn.Module) -> None:
    """Replace batch normalisation by group normalisation of up to 32 groups, in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
            # Of eight channels at least: a group of one would be nought for every image.
            groups = math.gcd(32, max(1, child.num_features // 8))
            new = nn.GroupNorm(groups, child.num_features, affine=child.affine)
            if child.affine and not child.weight.requires_grad:  # of a net that only follows
                new.requires_grad_(False)
            setattr(module, name, new)
        else:
            use_group_norm(child)
