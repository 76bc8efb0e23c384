"""Encoder files as the probe sees them: the net, and what its file says of its past."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from trainer.encoders import make_encoder
from trainer.errors import ProbeError

_BLOCKS = {(2, 2): "resnet18", (6, 2): "resnet34", (6, 3): "resnet50", (23, 3): "resnet101"}


@dataclass(frozen=True, slots=True)
class Weights:
    """An encoder file.

    Attributes
    ----------
    encoder
        Its kind.
    net
        Makes the net with these weights.
    size
        Side of the views it was trained on, pixels; None where the file does not say.
    seen
        First 16 hex digits of the fingerprints of the images it has seen; None if unknown.
    transductive, config
        As the file says them.
    """

    encoder: str
    net: Callable[[], nn.Module]
    size: int | None
    seen: frozenset[str] | None
    transductive: bool | None
    config: dict[str, Any] | None


def load_weights(path: Path) -> Weights:
    """Read an encoder file: safetensors, or a state dict of torch.

    Raises
    ------
    ProbeError
        If the file cannot be read, or is no encoder that is known.
    """
    state, said = _read(path)
    state = {k: v for k, v in state.items() if not k.startswith(("fc.", "head."))}
    config = _json(said.get("config"))
    card = _json(_card(path))
    if config is None and card is not None:
        config = card.get("config")
    encoder = said.get("encoder") or (card or {}).get("encoder") or _kind(state, path)

    def net() -> nn.Module:
        made, _ = make_encoder(encoder)
        try:
            made.load_state_dict(state, strict=True)
        except RuntimeError as error:
            raise ProbeError(f"{path} holds no weights of {encoder}: {error}.") from error
        return made

    seen = said.get("seen_images")
    return Weights(
        encoder,
        net,
        int(config["size"]) if config and "size" in config else None,
        None if seen is None else frozenset(seen.split()),
        {"true": True, "false": False}.get(said.get("transductive", "")),
        config,
    )


def _read(path: Path) -> tuple[dict[str, Tensor], Mapping[str, str]]:
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return {k: file.get_tensor(k) for k in file.keys()}, file.metadata() or {}  # noqa: SIM118
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError) as error:
        raise ProbeError(f"{path} cannot be read as an encoder: {error}.") from error
    except Exception as error:  # torch raises pickle's own errors for files that are none of its
        raise ProbeError(f"{path} is no encoder file that is safe to read: {error}.") from error
    state = content.get("state_dict", content) if isinstance(content, dict) else {}
    tensors = {k: v for k, v in state.items() if isinstance(v, Tensor)}
    if not tensors:
        raise ProbeError(f"{path} holds no weights.")
    return tensors, {}


def _card(path: Path) -> str | None:
    card = path.with_suffix(".json")
    try:
        return card.read_text(encoding="utf-8")
    except OSError:
        return None


def _json(text: str | None) -> dict[str, Any] | None:
    try:
        content = json.loads(text or "null")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _kind(state: Mapping[str, Tensor], path: Path) -> str:
    """Tell a ResNet by the number of blocks of its third layer and the convolutions in each."""
    blocks = {m[1] for key in state if (m := re.match(r"layer3\.(\d+)\.", key))}
    convolutions = sum(1 for key in state if re.fullmatch(r"layer3\.0\.conv\d\.weight", key))
    kind = _BLOCKS.get((len(blocks), convolutions))
    if kind is None:
        raise ProbeError(f"{path} does not say which encoder it holds, and it is no ResNet.")
    return kind
