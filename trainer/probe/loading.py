"""Encoder files as the probe sees them: the net, and what its file says of its past."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from trainer.encoders.info import EncoderInfo
from trainer.encoders.nets import load_encoder


@dataclass(frozen=True, slots=True)
class Weights:
    """An encoder file.

    Attributes
    ----------
    info
        Its kind, channels and size.
    net
        Makes the net with these weights, anew each time.
    trained_on
        First 16 hex digits of the fingerprints of its pre-training's images; None if unknown.
    transductive, config
        As the file says them.
    """

    info: EncoderInfo
    net: Callable[[], nn.Module]
    trained_on: frozenset[str] | None
    transductive: bool | None
    config: dict[str, Any] | None


def load_weights(path: Path) -> Weights:
    """Read an encoder file of any kind that `trainer.encoders.nets.load_encoder` knows.

    Raises
    ------
    EncoderError
        If the file cannot be read, or is no encoder that is known.
    """
    _, info = load_encoder(path)
    metadata = info.metadata
    return Weights(
        info,
        lambda: load_encoder(path)[0],
        info.seen_images if "seen_images" in metadata else None,
        {"true": True, "false": False}.get(metadata.get("transductive", "")),
        _json(metadata.get("config")),
    )


def _json(text: str | None) -> dict[str, Any] | None:
    try:
        content = json.loads(text or "null")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
