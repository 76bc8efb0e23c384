"""What a file of an encoder says of itself."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """What is known of an encoder file.

    Attributes
    ----------
    name
        One of `encoder_names()`, or of a library.
    features
        Width D of its features.
    in_channels
        1 or 3; `to_input` makes either from a grey view.
    size
        Side in pixels of the views that it was trained on; 224 where the file does not say.
    aspect
        Width by height of those views.
    metadata
        What a safetensors file says of itself; empty for others. Of Foveate's own: `seen_images`
        (first 16 hex digits of `pixel_fingerprint`, separated by spaces), `transductive`, `config`.
    left_out
        Keys of the file that are no part of the encoder: heads, other nets, optimisers.
    """

    name: str
    features: int
    in_channels: int
    size: int
    aspect: float
    metadata: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    @property
    def seen_images(self) -> frozenset[str]:
        """Images that took part in pre-training; empty where the file does not say."""
        return frozenset(self.metadata.get("seen_images", "").split())


def config_of(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of the run that a file is of; empty where it does not say."""
    with contextlib.suppress(ValueError):
        config = json.loads(metadata.get("config", "{}"))
        if isinstance(config, dict):
            return config
    return {}
