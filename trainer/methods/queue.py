"""A ring of keys that MoCo v2 remembers, each with the id of its image."""

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
