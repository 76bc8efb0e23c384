"""Weights of a file into a net of torchvision or timm: under the library's keys, or released ones.

Released are Meta's and Hugging Face's DINOv2 with registers and DINOv3, whose nets timm has.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from trainer.encoders.layouts import (
    HUGGING_FACE,
    HUGGING_FACE_V3,
    renamed_to_timm,
    to_eva,
)
from trainer.encoders.libraries import first_convolution
from trainer.encoders.weights import (
    WeightsFile,
    load_strictly,
    rank_of,
    resampled_positions,
    with_channels,
)
from trainer.errors import EncoderUnknown

_DEPTH = 3


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an encoder lies in a file: a table of tensors, what stands before its keys, whose."""

    table: Mapping[str, Tensor]
    prefix: str
    landmark: str


def fit_library(net: nn.Module, file: WeightsFile) -> tuple[str, ...]:
    """Load a file's weights strictly into a library's net; return the keys that were left out.

    Channels and the grid of position embeddings are adapted; anything else that does not fit is
    an error.

    Raises
    ------
    EncoderError
        Listing what did not fit.
    """
    place = _place_in(net, file)
    inside = {
        key.removeprefix(place.prefix): value
        for key, value in place.table.items()
        if key.startswith(place.prefix)
    }
    wanted = net.state_dict()
    state = _named_alike(inside, place.landmark, wanted)
    heads = {k for k in state if k not in wanted and _is_head(net, k, state)}
    state = {k: v for k, v in state.items() if k not in heads}
    load_strictly(net, {k: _adapted(net, k, v, wanted) for k, v in state.items()}, file.path)
    beside = [k for k in place.table if not k.startswith(place.prefix)]
    return (*beside, *(place.prefix + k for k in inside if k in heads))


def library_channels(net: nn.Module, file: WeightsFile) -> int:
    """Return how many channels the first convolution in a file takes; 3 where it has none.

    Raises
    ------
    EncoderError
        If it holds no such net.
    """
    place = _place_in(net, file)
    first = place.table[place.prefix + place.landmark]
    return int(first.shape[1]) if first.ndim == 4 else 3


def _place_in(net: nn.Module, file: WeightsFile) -> _Place:
    own = f"{first_convolution(net)}.weight"
    places = [
        _Place(table, key.removesuffix(landmark), landmark)
        for table in _tables(file.content)
        for landmark in (own, HUGGING_FACE, HUGGING_FACE_V3)
        for key in table
        if key.endswith(landmark) and key.removesuffix(landmark)[-1:] in ("", ".")
    ]
    if not places:
        raise EncoderUnknown(
            f"{file.path} does not hold the encoder: its first layer, {own}, is not in it. Name "
            "the encoder that these weights belong to."
        )
    return min(places, key=lambda place: rank_of(place.prefix))


def _tables(content: Any, depth: int = _DEPTH) -> Iterator[dict[str, Tensor]]:
    """Return the tables of tensors in a checkpoint, outer ones first."""
    if not isinstance(content, Mapping) or depth == 0:
        return
    table = {str(k): v for k, v in content.items() if isinstance(v, Tensor)}
    if table:
        yield table
    for inner in content.values():
        yield from _tables(inner, depth - 1)


def _named_alike(
    inside: Mapping[str, Tensor], landmark: str, wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    renamed = renamed_to_timm(inside, landmark)
    return to_eva(renamed, wanted) if "cls_token" in wanted else renamed


def _is_head(net: nn.Module, key: str, state: Mapping[str, Tensor]) -> bool:
    """Return whether a key is of a last layer that was taken away, or of one beside it.

    Of a net without its last layer an `Identity` stands there. One stands in other places too,
    for normalisation or layer scale that a net lacks; those have no matrix.
    """
    module, _, _ = key.rpartition(".")
    if module.split(".")[0] in ("aux1", "aux2", "AuxLogits", "head_dist"):
        return True
    try:
        place = net.get_submodule(module)
    except AttributeError:
        return False
    weight = state.get(f"{module}.weight")
    return isinstance(place, nn.Identity) and weight is not None and weight.ndim >= 2


def _adapted(net: nn.Module, key: str, value: Tensor, wanted: Mapping[str, Tensor]) -> Tensor:
    if key not in wanted:
        return value
    target = wanted[key]
    if key == f"{first_convolution(net)}.weight" and value.ndim == target.ndim == 4:
        return with_channels(value, target.shape[1])
    if key.endswith(("pos_embed", "pos_embedding")) and value.shape != target.shape:
        return resampled_positions(value, target, _before_patches(target))
    if key.endswith(".layer_scale") and value.numel() == target.numel():
        return value.reshape(target.shape)
    return value


def _before_patches(positions: Tensor) -> int:
    """Return how many positions are not of patches: none, or the class token's."""
    count = positions.shape[1] if positions.ndim == 3 else 0
    return 0 if math.isqrt(count) ** 2 == count else 1
