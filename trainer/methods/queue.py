"""A ring of keys that MoCo v2 remembers, each with the id of its image."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class KeyQueue(nn.Module):
    """Keys and image ids of earlier steps, the oldest overwritten first.

    Any number of keys may come at once; an empty slot has the id -1 and is no negative of anyone.

    Attributes
    ----------
    keys
        Shape (K, D), float32, length 1 each.
    ids
        Shape (K,), int64; -1 for an empty slot.
    next
        Slot that is written next, scalar.
    """

    keys: Tensor
    ids: Tensor
    next: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.zeros(length, width))
        self.register_buffer("ids", torch.full((length,), -1))
        self.register_buffer("next", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def add(self, keys: Tensor, ids: Tensor) -> None:
        """Remember keys (B, D) of images (B,); of more than K the last K."""
        length = len(self.ids)
        keys, ids = keys[-length:], ids[-length:]
        slots = (self.next + torch.arange(len(ids), device=ids.device)) % length
        self.keys[slots] = keys.to(self.keys)
        self.ids[slots] = ids
        self.next.copy_((self.next + len(ids)) % length)

    @torch.no_grad()
    def forget(self, count: int) -> None:
        """Leave the slots of the last `count` keys empty until they are written again.

        Not put back as they were: which slot has which id follows from the step alone.
        """
        length = len(self.ids)
        back = torch.arange(1, min(count, length) + 1, device=self.ids.device)
        self.ids[(self.next - back) % length] = -1


def remembered_ids(length: int, step: int, batch: int, ids_of: Callable[[int], Tensor]) -> Tensor:
    """Return the ids that a queue holds before a step, slot by slot, without having the queue.

    So pairs with the queue can be drawn ahead of their step.

    Parameters
    ----------
    length
        K of the queue.
    step
        Steps that have added their batch, counted from the start of the run.
    batch
        Images of each step.
    ids_of
        Ids of a step's batch, (batch,).

    Returns
    -------
    Tensor
        Shape (K,), int64; -1 for an empty slot.
    """
    each = min(batch, length)
    added = step * each
    held = min(length, added)
    slots = torch.full((length,), -1)
    if held:
        oldest = (added - held) // each
        ids = torch.cat([ids_of(s)[-each:] for s in range(oldest, step)])[-held:]
        slots[torch.arange(added - held, added) % length] = ids
    return slots
