"""Several processes on one run: `torchrun --nproc-per-node N main.py train …`, or one as several.

Every process computes the loss of the whole batch from gathered features. The gradient that comes
back to a process's own features is then the sum of what all processes found, and the mean that
DistributedDataParallel takes over processes gives exactly the gradient of one process with the
whole batch.
"""

import contextlib
import datetime
import os
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import HashStore

from trainer.errors import ConfigError

_TIMEOUT = datetime.timedelta(hours=2)
"""How long the others wait while the first process prepares similarity and images."""

_control: Any = None


def is_launched() -> bool:
    """Return whether this process was started beside others, by torchrun or `slurm`'s script."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


@contextlib.contextmanager
def joined(device: str, *, alone: bool = False) -> Iterator[None]:
    """Join the other processes within this context; nothing happens where there are none.

    Parameters
    ----------
    device
        What nets compute on: "cpu", "cuda" or "auto".
    alone
        Whether a process without others goes the way of several all the same.

    Raises
    ------
    ConfigError
        If this process finds no card of its own.
    """
    global _control
    if not is_launched() and not alone:
        yield
        return
    cuda = device != "cpu" and torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(own_card(torch.cuda.device_count()))
    backend = "nccl" if cuda else "gloo"
    if is_launched():
        dist.init_process_group(backend, timeout=_TIMEOUT)
    else:
        dist.init_process_group(backend, store=HashStore(), rank=0, world_size=1, timeout=_TIMEOUT)
    # Stops are agreed on through the CPU, so that no step waits for the device.
    _control = dist.new_group(backend="gloo", timeout=_TIMEOUT)
    try:
        yield
    finally:
        _control = None
        dist.destroy_process_group()


def own_card(visible: int) -> int:
    """Return which of the cards that are visible here is this process's.

    SLURM may show each process of a machine one card only, which is then number 0 to all of them.

    Raises
    ------
    ConfigError
        If there are fewer cards than processes on this machine.
    """
    place = int(os.environ.get("LOCAL_RANK", "0"))
    if visible == 1:
        return 0
    if place >= visible:
        raise ConfigError(
            f"Process {place + 1} on this machine finds only {visible} GPUs. Start one process "
            "per GPU, or use --device cpu."
        )
    return place


def is_joined() -> bool:
    """Return whether processes exchange features and gradients; one alone may on request."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Return this process's number, 0 for the only one."""
    return dist.get_rank() if is_joined() else 0


def world() -> int:
    """Return how many processes there are."""
    return dist.get_world_size() if is_joined() else 1


def own_share(batch: int) -> slice:
    """Return which rows of a batch are this process's.

    Raises
    ------
    ConfigError
        If the batch cannot be shared evenly.
    """
    count = world()
    if batch % count:
        raise ConfigError(
            f"A batch of {batch} images cannot be divided evenly among {count} processes; use "
            f"--batch {batch // count * count or count}."
        )
    each = batch // count
    return slice(rank() * each, (rank() + 1) * each)


def gather(values: Tensor) -> Tensor:
    """Return the rows of all processes, in their order; gradients flow back to each one's own."""
    if not is_joined():
        return values
    return _Gather.apply(values)  # type: ignore[no-any-return]


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.rows = len(values)
        parts = [torch.empty_like(values) for _ in range(world())]
        dist.all_gather(parts, values.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous()
        dist.all_reduce(total)
        return total[rank() * ctx.rows : (rank() + 1) * ctx.rows]


def control() -> Any:
    """Return the group that speaks through the CPU; None, the only one, where there is none."""
    return _control


def any_of(flag: bool) -> bool:
    """Return whether the flag is set in any process."""
    if world() == 1:
        return flag
    value = torch.tensor([int(flag)])
    dist.all_reduce(value, dist.ReduceOp.MAX, group=_control)
    return bool(value.item())


def from_first(value: Any) -> Any:
    """Return the first process's value in all of them."""
    if world() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, group=_control)
    return box[0]


def to_first(values: Sequence[Tensor]) -> list[list[Tensor]]:
    """Return, in the first process, the values of each process in their order, on the CPU.

    The others get an empty list. All must call it with tensors of the same shapes.
    """
    if world() == 1:
        return [[value.cpu() for value in values]]
    parts: list[list[Tensor]] = [[] for _ in range(world())] if rank() == 0 else []
    for value in values:
        own = value.cpu().contiguous()
        boxes = [torch.empty_like(own) for _ in parts]
        dist.gather(own, boxes or None, dst=0, group=_control)
        for part, box in zip(parts, boxes, strict=True):
            part.append(box)
    return parts
