"""Several processes on one run: `torchrun --nproc-per-node N main.py train …`.

Every process computes the loss of the whole batch from gathered features. The gradient that comes
back to a process's own features is then the sum of what all processes found, and the mean that
DistributedDataParallel takes over processes gives exactly the gradient of one process with the
whole batch.
"""

import contextlib
import datetime
import os
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from trainer.errors import ConfigError

_TIMEOUT = datetime.timedelta(hours=2)
"""How long the others wait while the first process prepares similarity and images."""

_control: Any = None


def is_launched() -> bool:
    """Return whether torchrun started this process beside others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


@contextlib.contextmanager
def joined(device: str) -> Iterator[None]:
    """Join the other processes within this context; nothing happens where there are none."""
    global _control
    if not is_launched():
        yield
        return
    cuda = device != "cpu" and torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if cuda else "gloo", timeout=_TIMEOUT)
    # Stops are agreed on through the CPU, so that no step waits for the device.
    _control = dist.new_group(backend="gloo", timeout=_TIMEOUT)
    try:
        yield
    finally:
        _control = None
        dist.destroy_process_group()


def rank() -> int:
    """Return this process's number, 0 for the only one."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def world() -> int:
    """Return how many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


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
            f"A batch of {batch} images cannot be shared evenly by {count} processes; use "
            f"--batch {batch // count * count or count}."
        )
    each = batch // count
    return slice(rank() * each, (rank() + 1) * each)


def gather(values: Tensor) -> Tensor:
    """Return the rows of all processes, in their order; gradients flow back to each one's own."""
    if world() == 1:
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
