"""Many pictures decoded at once: on a pool of processes, few of them on threads.

Imports no torch: a process of the pool starts in a fraction of a second.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.data.decode import load_grey, pixel_fingerprint, place
from trainer.errors import ImageCacheError

_FEW = 64
"""Fewer pictures are decoded before a pool of processes has even started."""


@dataclass(frozen=True, slots=True)
class Task:
    """A picture for place `index` of the cache; width and height 0 where only the file knows."""

    index: int
    name: str
    path: Path
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Made:
    """A picture in its place: `box` is its width and height there."""

    index: int
    box: tuple[int, int]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A picture that cannot be used, and why; the reason names it."""

    index: int
    reason: str


def decode_all(
    tasks: Sequence[Task], path: Path, pixels: NDArray[np.uint8]
) -> Iterator[Made | Broken]:
    """Decode pictures into the array (N, S, S) that lies at `path`; give each as it is done.

    Raises
    ------
    ImageCacheError
        If a process of the pool was ended from outside, or by a picture.
    """
    pool: Executor
    if len(tasks) < _FEW:
        pool = ThreadPoolExecutor(max_workers=_cores())
        futures = [pool.submit(_place, pixels[t.index], t) for t in tasks]
    else:
        context = multiprocessing.get_context("spawn")  # the same on all three systems
        pool = ProcessPoolExecutor(_cores(), context, _open_array, (str(path),))
        futures = [pool.submit(_place_shared, t) for t in tasks]
    try:
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise ImageCacheError(
            "A process that decodes pictures was terminated, because memory ran out or a picture "
            "crashed the decoder. Close other programs and start again."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux: what this process may use
    return len(affinity(0)) if affinity else os.cpu_count() or 1


_shared: NDArray[np.uint8] | None = None


def _open_array(path: str) -> None:
    """Open the array in a process of the pool; notice of a stop is for the one who asks."""
    global _shared
    if hasattr(signal, "SIGUSR1"):  # SLURM sends it to all processes of a job
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    _shared = np.load(path, mmap_mode="r+")
    cv2.setNumThreads(1)


def _place_shared(task: Task) -> Made | Broken:
    assert _shared is not None
    return _place(_shared[task.index], task)


def _place(array: NDArray[np.uint8], task: Task) -> Made | Broken:
    try:
        grey = _decoded(task)
    except ImageCacheError as error:
        return Broken(task.index, f"Image {task.name}: {error}")
    return Made(task.index, place(array, grey), pixel_fingerprint(grey))


def _decoded(task: Task) -> NDArray[np.uint8]:
    """Return a picture, shape (H, W), uint8, if it has the shape that is known of it."""
    grey = load_grey(task.path)
    height, width = grey.shape
    known = task.width > 0
    if known and abs(width * task.height - height * task.width) > 2 * max(task.width, task.height):
        raise ImageCacheError(
            f"{task.path} is {width} × {height} pixels, but the database says {task.width} × "
            f"{task.height}."
        )
    return grey
