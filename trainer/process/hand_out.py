"""A file of the first process for machines that do not see it."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from trainer.process import distributed

_BLOCK = 1 << 24


def is_first_of_machine() -> bool:
    """Return whether no process of this machine has a lower number."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def of_each(value: Any) -> list[Any]:
    """Return what each process says, in their order."""
    if distributed.world() == 1:
        return [value]
    found: list[Any] = [None] * distributed.world()
    dist.all_gather_object(found, value, group=distributed.control())
    return found


def hand_out(source: Path, target: Path, takers: Sequence[int]) -> str:
    """Copy a file of the first process to where the takers want it.

    All processes must call it; only the first and the takers do anything.

    Parameters
    ----------
    source
        The file, as the first process names it.
    target
        Where a taker wants it; it is there when it is whole.
    takers
        Numbers of the processes that lack it; not the first.

    Returns
    -------
    str
        What went wrong here; empty where nothing did. The others get the file all the same.
    """
    group = dist.new_group([0, *takers], backend="gloo")
    number = distributed.rank()
    if number == 0:
        return _send(source, group)
    return _take(target, group) if number in takers else ""


def _send(source: Path, group: Any) -> str:
    """Send size, blocks, and at the end what went wrong: what is cut short must not be kept."""
    problem, size = "", 0
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(source.open("rb"))
            size = source.stat().st_size
        except OSError as error:
            problem = f"{source} cannot be read: {error.strerror}"
        dist.broadcast_object_list([size], src=0, group=group)
        for start in range(0, size, _BLOCK):
            block = bytearray(min(_BLOCK, size - start))
            try:
                if file.readinto(block) != len(block):
                    problem = f"{source} changed while it was being read"
            except OSError as error:
                problem = f"{source} cannot be read: {error.strerror}"
            dist.broadcast(torch.frombuffer(block, dtype=torch.uint8), src=0, group=group)
    dist.broadcast_object_list([problem], src=0, group=group)
    return problem


def _take(target: Path, group: Any) -> str:
    """Write what is sent; it is taken to the end also where it cannot be written."""
    partial = target.with_name(f"{target.stem}.partial-{os.getpid()}")
    problem, box = "", [0]
    with contextlib.ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(partial.open("wb"))
        except OSError as error:
            problem = f"{target} cannot be written: {error.strerror}"
        dist.broadcast_object_list(box, src=0, group=group)
        for start in range(0, box[0], _BLOCK):
            block = torch.empty(min(_BLOCK, box[0] - start), dtype=torch.uint8)
            dist.broadcast(block, src=0, group=group)
            try:
                if not problem:
                    file.write(block.numpy().data)
            except OSError as error:
                problem = f"{target} cannot be written: {error.strerror}"
    said: list[Any] = [""]
    dist.broadcast_object_list(said, src=0, group=group)
    try:
        if not problem and not said[0]:
            partial.replace(target)
        partial.unlink(missing_ok=True)
    except OSError as error:
        problem = f"{target} cannot be written: {error.strerror}"
    return problem
