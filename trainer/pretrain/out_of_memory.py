"""A lack of memory said in words: what was asked for, and what to lower."""

import contextlib
from collections.abc import Iterator

import torch

from trainer.errors import OutOfMemory
from trainer.pretrain.job import Job

# What torch, cuBLAS, cuDNN and the system say; "an illegal memory access" is another fault.
_LACKS_MEMORY = ("out of memory", "not enough memory", "allocate memory", "alloc_failed")


@contextlib.contextmanager
def memory_explained(job: Job) -> Iterator[None]:
    """Turn a lack of memory within this context into `OutOfMemory`; other errors pass.

    Raises
    ------
    OutOfMemory
        Naming batch, size, encoder and precision.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_lack_of_memory(error):
            raise
        config = job.config
        height, width = config.view
        raise OutOfMemory(
            f"Out of memory on {job.device}: batch {job.batch}, size {height} × {width} px, "
            f"{config.encoder}, {job.precision}. Lower batch first (memory use is proportional to "
            "it; accumulate keeps the effective batch size), then the image size, or choose a "
            "smaller encoder."
        ) from error


def _is_lack_of_memory(error: RuntimeError) -> bool:
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(s in text for s in _LACKS_MEMORY)
