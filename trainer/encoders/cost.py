"""What an encoder takes of memory and how much of it learns, told before a run begins."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.encoders.blocks import block_numbers, train_last_blocks
from trainer.encoders.libraries import usual_size
from trainer.encoders.names import library_of
from trainer.encoders.nets import has_fixed_size, initialise, make_encoder

_USUAL_SIZE = 224
_aten: Any = torch.ops.aten
_KEPT = (
    _aten.convolution.default, _aten.addmm.default, _aten.mm.default, _aten.bmm.default,
    _aten.baddbmm.default, _aten.linear.default,
)  # fmt: skip
"""Operators whose outputs a step keeps for the way back."""
_ATTENTION = "scaled_dot_product"


@dataclass(frozen=True, slots=True)
class EncoderCost:
    """What is known of an encoder before it learns.

    Attributes
    ----------
    parameters, learning
        Numbers in its weights, and in those that a run changes.
    activations
        Numbers in the outputs of its convolutions and matrix products, for one view.
    blocks
        How many blocks may learn, the last ones first, beside the stem.
    made_for
        Side of the views that it is made for, pixels.
    one_size
        Whether it is made for views of one size.
    left_out
        Keys of the weights file that are no part of the encoder, such as a last layer.
    """

    parameters: int
    learning: int
    activations: int
    blocks: int
    made_for: int
    one_size: bool
    left_out: int = 0


def encoder_cost(
    name: str,
    channels: int,
    view: tuple[int, int],
    init: Path | None = None,
    train_blocks: int = 0,
) -> EncoderCost:
    """Make an encoder as a run would, and return what it takes.

    Parameters
    ----------
    name, channels, view
        As of `trainer.encoders.nets.make_encoder`; height and width of a view, pixels.
    init
        File that its weights start from; None: random.
    train_blocks
        How many of the last blocks learn; 0: all.

    Raises
    ------
    EncoderError
        If it cannot be made, or the file does not fit; says which.
    ConfigError
        If it has fewer blocks.
    """
    height, width = view
    encoder, _ = make_encoder(name, channels, height, width / height)
    left_out = initialise(encoder, init, name) if init is not None else ()
    activations = _activations(encoder, channels, view)
    if train_blocks:
        train_last_blocks(encoder, train_blocks)
    sizes = [(p.numel(), p.requires_grad) for p in encoder.parameters()]
    return EncoderCost(
        sum(size for size, _ in sizes),
        sum(size for size, learns in sizes if learns),
        activations,
        max(block_numbers(encoder).values(), default=0),
        usual_size(name) if library_of(name) else _USUAL_SIZE,
        has_fixed_size(name),
        len(left_out),
    )


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the sizes of what convolutions and matrix products give."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count: int = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = func(*args, **(kwargs or {}))
        if func in _KEPT:
            self.count += given.numel()
        elif _ATTENTION in func.name():
            self.count += given[0].numel()
        return given


def _activations(encoder: nn.Module, channels: int, view: tuple[int, int]) -> int:
    """Return it by one pass over an empty view; the encoder is left in evaluation mode.

    With gradients, as in a run: without, torch takes shorter ways through a transformer.
    """
    encoder.eval()
    empty: Tensor = torch.zeros(1, channels, *view)
    with torch.enable_grad(), _Counter() as counter:
        encoder(empty)
    return int(counter.count)
