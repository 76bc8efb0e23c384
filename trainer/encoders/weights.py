"""Weights in files: whose keys they carry, which prefixes, and whether they fit an encoder.

Opened are safetensors and torch files, the latter with `weights_only=True`: a file of weights must
not be able to run code.
"""

import hashlib
import importlib
import math
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn

from trainer.encoders.layouts import (
    HUGGING_FACE,
    HUGGING_FACE_V3,
    from_timm,
    net_of_timm,
    renamed_to_timm,
    without_layer_scale,
)
from trainer.errors import EncoderError, EncoderOfLibrary, EncoderUnknown

# The first layer tells whose keys a file carries, and what stands before them.
_LANDMARKS = (
    "conv1.weight", "conv_proj.weight", "patch_embed.proj.weight", "features.0.0.weight",
    "stem.0.weight", HUGGING_FACE, HUGGING_FACE_V3,
)  # fmt: skip
_TIMMS = ("patch_embed.proj.weight", "stem.0.weight", HUGGING_FACE)
_INNER = ("state_dict", "model_state_dict", "model", "encoder", "net", "student", "teacher")
_FOLLOWERS = ("target", "momentum", "encoder_k", "teacher", "ema")
_HEADS = re.compile(r"^(fc|head|heads|pre_logits|fc_norm|classifier\.2)\.")
_RESNETS = {  # blocks of stage 3, kind of block
    (1, False): "resnet10",
    (2, False): "resnet18",
    (6, False): "resnet34",
    (6, True): "resnet50",
    (23, True): "resnet101",
}
_VITS = {
    (128, 8): "vit_mini_8", (384, 16): "vit_s_16", (768, 16): "vit_b_16", (1024, 16): "vit_l_16",
    (384, 14): "vit_s_14", (768, 14): "vit_b_14", (1024, 14): "vit_l_14",
}  # fmt: skip
"""Width and patch."""
_CONVNEXTS = {(9, 96): "convnext_tiny", (27, 96): "convnext_small", (27, 128): "convnext_base"}
"""Blocks of stage 3, width of the first."""
_MOST_NAMED = 12


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights, opened.

    Attributes
    ----------
    path
        The file.
    content
        Of a safetensors file a table of tensors, of any other what it was saved as.
    metadata
        What a safetensors file says of itself; empty for others.
    """

    path: Path
    content: Any
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundWeights:
    """An encoder's weights as a file holds them, with torchvision's keys.

    Attributes
    ----------
    state
        Less prefixes and heads.
    left_out
        Keys of the file that are no part of the encoder.
    """

    state: dict[str, Tensor]
    left_out: tuple[str, ...]

    @property
    def _first(self) -> Tensor:
        names = ("conv1.weight", "conv_proj.weight", "features.0.0.weight")
        return next((self.state[n] for n in names if n in self.state), torch.empty(0))

    @property
    def in_channels(self) -> int:
        """Channels that the first convolution takes."""
        return int(self._first.shape[1]) if self._first.ndim == 4 else 3

    @property
    def grid(self) -> int:
        """Patches along a side, of a vision transformer; 14 for 224 pixels."""
        positions = self.state.get("encoder.pos_embedding")
        return 14 if positions is None else math.isqrt(positions.shape[1] - 1)


def encoder_in(file: WeightsFile) -> FoundWeights:
    """Return the encoder in a file.

    Raises
    ------
    EncoderError
        If it holds no ResNet, ConvNeXt or vision transformer.
    """
    path = file.path
    table = file.content if path.suffix == ".safetensors" else _unwrapped(path, file.content)
    prefix, landmark = _place_of_encoder(path, table)
    inside = {k.removeprefix(prefix): v for k, v in table.items() if k.startswith(prefix)}
    inside = renamed_to_timm(inside, landmark)
    if named := net_of_timm(inside):
        raise EncoderOfLibrary(
            f"{path} is for a transformer with register tokens, which only timm has. Choose the "
            f"encoder {named} (pip install foveate[timm]).",
            named,
        )
    if landmark in _TIMMS:
        inside = from_timm(without_layer_scale(inside))
    elif landmark == "conv1.weight":  # nets beside the encoder, where no prefix sets it apart
        inside = {k: v for k, v in inside.items() if re.match(r"(conv1|bn1|layer\d|fc)\.", k)}
    state = {k: v for k, v in inside.items() if not _HEADS.match(k)}
    left = [k for k in table if k.removeprefix(prefix) not in state or not k.startswith(prefix)]
    if landmark in _TIMMS:
        left = [k for k in table if not k.startswith(prefix)]
    return FoundWeights(state, tuple(left))


def open_weights(path: Path) -> WeightsFile:
    """Open a file of weights.

    Raises
    ------
    EncoderError
        If it cannot be read.
    """
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                table = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
                return WeightsFile(path, table, dict(file.metadata() or {}))
        with torch.serialization.safe_globals(_numpy_values()):
            return WeightsFile(path, torch.load(path, map_location="cpu", weights_only=True))
    except FileNotFoundError as error:
        raise EncoderError(f"{path} does not exist. Name a file of weights.") from error
    except Exception as error:  # torch and safetensors raise anything
        if isinstance(error, pickle.UnpicklingError) and "Unsupported" in str(error):
            raise EncoderError(
                f"{path} contains more than weights, and Foveate does not run code from files. "
                "Save its state dict to a new file and use that."
            ) from error
        raise EncoderError(
            f"{path} is not a file of weights, or is damaged. Name a .safetensors file, or a "
            "checkpoint that PyTorch saved (.pth, .pt)."
        ) from error


def _numpy_values() -> list[Any]:
    """Return what the meta data of mmcv's checkpoints are made of; harmless when loaded."""
    kinds = [type(np.dtype(t)) for t in (np.float64, np.float32, np.int64, np.int32, np.bool_)]
    core = importlib.import_module("numpy._core.multiarray")
    return [core.scalar, core._reconstruct, np.ndarray, np.dtype, *kinds]


def _unwrapped(path: Path, content: Any) -> dict[str, Tensor]:
    """Return the state dict within a checkpoint."""
    for _ in range(3):
        if not isinstance(content, Mapping):
            break
        table = {str(k): v for k, v in content.items() if isinstance(v, Tensor)}
        if any(k.endswith(_LANDMARKS) for k in table):
            return table
        inner = [content[k] for k in _INNER if isinstance(content.get(k), Mapping)]
        if not inner:
            break
        content = inner[0]
    raise EncoderUnknown(
        f"{path} contains no state dict of a ResNet, ConvNeXt or vision transformer."
    )


def _place_of_encoder(path: Path, table: Mapping[str, Tensor]) -> tuple[str, str]:
    """Return the prefix before the encoder's keys, and the landmark that stands behind it."""
    places = []
    for key in table:
        for landmark in _LANDMARKS:
            before = key.removesuffix(landmark)
            whole = key.endswith(landmark) and (not before or before.endswith("."))
            inside_block = re.search(r"(layer\d+|blocks|layers)\.", before)
            if whole and not inside_block:
                places.append((before, landmark))
    if not places:
        raise EncoderUnknown(
            f"{path} contains no ResNet, ConvNeXt or vision transformer: their first layers are "
            "missing."
        )
    return min(places, key=lambda place: rank_of(place[0]))


def rank_of(prefix: str) -> tuple[bool, int, str]:
    """Return what prefixes are sorted by: the online net before followers, then the shortest."""
    return any(f in prefix for f in _FOLLOWERS), len(prefix), prefix


def guess_name(found: FoundWeights) -> str:
    """Return which encoder the weights are of; empty where none is known."""
    projection = found.state.get("conv_proj.weight")
    if projection is not None:
        return _VITS.get((projection.shape[0], projection.shape[-1]), "")
    if "features.1.0.layer_scale" in found.state:
        blocks = {int(m[1]) for k in found.state if (m := re.match(r"features\.5\.(\d+)\.", k))}
        return _CONVNEXTS.get((len(blocks), found.state["features.0.0.weight"].shape[0]), "")
    blocks = {int(m[1]) for k in found.state if (m := re.match(r"layer3\.(\d+)\.", k))}
    return _RESNETS.get((len(blocks), "layer3.0.conv3.weight" in found.state), "")


def fit(net: nn.Module, found: FoundWeights, path: Path) -> tuple[str, ...]:
    """Load weights strictly; return the file's keys that are no part of the encoder.

    Raises
    ------
    EncoderError
        Listing keys that are missing, unknown or of another shape.
    """
    wanted = net.state_dict()
    state = {k: _adapted(k, v, wanted[k]) if k in wanted else v for k, v in found.state.items()}
    load_strictly(net, state, path)
    return found.left_out


def load_strictly(net: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Load a state dict of a file; counters of normalisation that it lacks start at 0.

    Raises
    ------
    EncoderError
        Listing keys that are missing, unknown or of another shape.
    """
    wanted = net.state_dict()
    counters = [k for k in wanted if k.endswith("num_batches_tracked") and k not in state]
    state = state | {k: torch.zeros_like(wanted[k]) for k in counters}
    problems = [f"missing: {k}" for k in wanted if k not in state]
    problems += [f"unknown: {k}" for k in state if k not in wanted]
    problems += [
        f"shape: {k} is {tuple(state[k].shape)}, the encoder needs {tuple(wanted[k].shape)}"
        for k in wanted
        if k in state and state[k].shape != wanted[k].shape
    ]
    if problems:
        more = len(problems) - _MOST_NAMED
        lines = problems[:_MOST_NAMED] + ([f"and {more} more"] if more > 0 else [])
        raise EncoderUnknown(
            f"{path} does not fit the encoder:\n  " + "\n  ".join(lines) + "\nName the "
            "encoder that these weights belong to."
        )
    wanted.update(state)  # keeps the versions of its parts, which some ask for
    net.load_state_dict(wanted, strict=True)


def _adapted(key: str, value: Tensor, wanted: Tensor) -> Tensor:
    if key == "encoder.pos_embedding" and value.shape != wanted.shape:
        return resampled_positions(value, wanted, 1)
    if key.endswith(".layer_scale") and value.numel() == wanted.numel():
        return value.reshape(wanted.shape)  # timm's has no room for places
    if (
        key in ("conv1.weight", "conv_proj.weight", "features.0.0.weight")
        and value.ndim == wanted.ndim == 4
    ):
        return with_channels(value, wanted.shape[1])
    return value


def with_channels(weight: Tensor, channels: int) -> Tensor:
    """Return a first convolution (O, C, H, W) for another number of channels.

    Its answer to a grey image, the same in all channels, stays what it was.
    """
    if weight.shape[1] == channels:
        return weight
    return weight.sum(1, keepdim=True).expand(-1, channels, -1, -1) / channels


def resampled_positions(value: Tensor, wanted: Tensor, before: int) -> Tensor:
    """Return position embeddings (1, before + G², D) for another grid; those before stay."""
    if value.ndim != 3 or wanted.ndim != 3 or value.shape[2] != wanted.shape[2]:
        return value
    old, new = (math.isqrt(max(0, v.shape[1] - before)) for v in (value, wanted))
    if before + old**2 != value.shape[1] or before + new**2 != wanted.shape[1]:
        return value  # which then is told as one of another shape
    tokens, grid = value[:, :before], value[:, before:].reshape(1, old, old, -1)
    grid = nn.functional.interpolate(
        grid.permute(0, 3, 1, 2).float(), (new, new), mode="bicubic", align_corners=False
    )
    return torch.cat([tokens, grid.permute(0, 2, 3, 1).reshape(1, new * new, -1).to(tokens)], 1)


def file_hash(path: Path) -> str:
    """Return 16 hex digits of a file's content.

    Raises
    ------
    EncoderError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise EncoderError(f"{path} cannot be read: {error.strerror}.") from error
