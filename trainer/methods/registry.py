"""From a run's settings to the nets of its method.

A method is a file of this folder with a `METHOD`; a new one needs no other change, and only the
chosen one is imported. See `trainer.config.methods`.
"""

import inspect
import math
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from trainer.config.config import RunConfig
from trainer.config.methods import find_method, module_of
from trainer.encoders.blocks import train_last_blocks
from trainer.encoders.files import encoder_path
from trainer.encoders.nets import initialise, make_encoder, seeded_weights
from trainer.methods.base import Method, Widths
from trainer.methods.split_norm import use_split_norm

_FIRST = ("encoder", "features", "widths")


def make_method(config: RunConfig) -> Method:
    """Return the nets of a config, initialised from its seed, the encoder from a file if named.

    Raises
    ------
    ConfigError
        If there is no such method.
    EncoderError
        If the file does not fit the encoder; lists what did not.
    """
    spec = find_method(config.method)
    make = getattr(import_module(module_of(config.method)), spec.net)
    with seeded_weights(config.seed):
        method: Method = make(*_encoder(config), _widths(config), **_settings(make, config))
    if config.norm == "group":
        use_group_norm(method)
    elif config.norm == "split":
        use_split_norm(method)
    return method


def _settings(make: Callable[..., Method], config: RunConfig) -> dict[str, Any]:
    """Return the settings that a method takes; None and "" leave them to the method."""
    names = [name for name in inspect.signature(make).parameters if name not in _FIRST]
    values = {name: getattr(config, name) for name in names}
    return {name: value for name, value in values.items() if value not in (None, "")}


def _widths(config: RunConfig) -> Widths:
    return Widths(config.projector_hidden, config.projector_out, config.predictor_hidden)


def _encoder(config: RunConfig) -> tuple[nn.Module, int]:
    encoder, width = make_encoder(config.encoder, config.in_channels, config.size, config.aspect)
    if config.init:
        initialise(encoder, encoder_path(Path(config.init)), config.encoder)
    if config.train_blocks:
        train_last_blocks(encoder, config.train_blocks)
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
