"""Many small tensors on their way to a card as one: one pinned piece of memory, one copy, no wait.

A copy from memory that is not pinned waits until the card has done all it was asked before. A step
has some fifteen such tensors: random numbers of its views, kernels, ids, masks.
"""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

_ALIGNED = 16  # bytes; a view of another dtype must begin at a multiple of its size


def send(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Return tensors of the CPU on a device; the host waits for nothing.

    The copy is ordered in the current stream.
    """
    if device.type == "cpu":
        return list(tensors)
    return unpacked(packed(tensors, pinned=True).to(device, non_blocking=True), tensors)


def packed(tensors: Sequence[Tensor], *, pinned: bool = False) -> Tensor:
    """Return the bytes of tensors one after the other, (bytes,), uint8."""
    starts = _starts(tensors)
    parcel = torch.empty(starts[-1], dtype=torch.uint8, pin_memory=pinned)
    for tensor, start in zip(tensors, starts, strict=False):
        _part(parcel, tensor, start).copy_(tensor)
    return parcel


def unpacked(parcel: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Return the tensors of a parcel, which keep it alive; `like` what was packed."""
    return [_part(parcel, t, start) for t, start in zip(like, _starts(like), strict=False)]


def _starts(tensors: Sequence[Tensor]) -> list[int]:
    """Return where each begins, and where the last ends; bytes."""
    return [0, *accumulate(-(-t.nbytes // _ALIGNED) * _ALIGNED for t in tensors)]


def _part(parcel: Tensor, tensor: Tensor, start: int) -> Tensor:
    return parcel[start : start + tensor.nbytes].view(tensor.dtype).view(tensor.shape)
