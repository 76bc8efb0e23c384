"""The cache of stored values: what 8 bits leave out, kept beside the cache of pictures.

One memory-mapped array (N, S, S) of 16 bits. Each image lies in it as in the cache of pictures, its
values (output of the Modality LUT) laid on a line of their own that begins at 1 with its least, as
many whole steps to a unit as go into 16 bits; 0 is no image: padding, and what lies outside its
box. Nothing is windowed yet.
"""

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.data.cache import ImageCache, held, index_of, picked
from trainer.data.cache_build import make_whole, reserved
from trainer.data.decode import fitted
from trainer.data.display import Display, read_display
from trainer.errors import Cancelled, ImageCacheError, NotDeep

_LAYOUT = 1  # part of the name: another layout is another cache
_STEPS = 65534  # of the line of an image's values
_HALF_IMAGE = 0.5  # of a pixel of the array: with less of it image, it is padding
_TOGETHER = 64
_WORKERS = 8  # a large mammogram takes 300 MB while it is laid down


@dataclass(frozen=True, slots=True)
class StoredSource:
    """An image's stored values.

    Attributes
    ----------
    sha256
        Of its values.
    path
        `stored.npy`; None for an image that has none.
    frame
        Of a stack, from 0; None: its middle one.
    """

    sha256: str
    path: Path | None
    frame: int | None = None


@dataclass(frozen=True)
class StoredCache:
    """The stored values of a cohort, in its order.

    Attributes
    ----------
    pixels
        Shape (N, S, S), int16 that holds the bits of uint16: torch counts with few types.
    low, high
        Least and greatest value of each image, (N,), float64; 0 and 255 of one by its picture.
    reasons
        Why an image is there by its 8-bit picture; empty for one that is there by its values.
    path
        The file.
    """

    pixels: Tensor
    low: Tensor
    high: Tensor
    reasons: tuple[str, ...]
    path: Path

    def batch(self, ids: Tensor, device: torch.device) -> Tensor:
        """Return images by position, (B, 1, S, S), as float32 on the device: 0 to 65535."""
        return (picked(self.pixels, ids, device).int() & 0xFFFF).float()

    def on_line(self, image: int, value: float) -> float:
        """Return where a value of an image lies on its line, or beyond it."""
        return 1 + (value - float(self.low[image])) * self.steps(image)

    def steps(self, image: int) -> float:
        """Return how many steps of its line a unit of an image's values is."""
        return _steps(float(self.low[image]), float(self.high[image]))

    def described(self) -> "StoredCache":
        """Return the cache without its pixels, for another process to open."""
        return replace(self, pixels=torch.empty(0))

    def opened(self, path: Path | None = None) -> "StoredCache":
        """Return the cache that `described` was made of, mapped from its file, or from another."""
        return load_stored(self.path if path is None else path)

    def held_on(self, device: torch.device) -> "StoredCache":
        """Return the cache on the device if half of its free memory holds it, else unchanged."""
        return replace(self, pixels=held(self.pixels, device))


def stored_path(pictures: ImageCache, sources: Sequence[StoredSource]) -> Path:
    """Return where the stored values of images lie whose pictures lie in a cache."""
    assert pictures.path is not None
    digest = hashlib.sha256(f"{_LAYOUT} {pictures.path.stem}".encode())
    for source in sources:
        digest.update(f"\n{source.sha256} {source.frame} ".encode() + _display_bytes(source))
    size = pictures.path.stem.split("-")[1]
    return pictures.path.with_name(f"stored-{size}-{digest.hexdigest()[:16]}.npy")


def stored_bytes(pictures: ImageCache) -> int:
    """Return what the stored values of some images take on the disk."""
    return 2 * len(pictures) * pictures.side**2


def open_stored(
    pictures: ImageCache,
    sources: Sequence[StoredSource],
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> StoredCache:
    """Return the stored values of the images of a cache of pictures, made if not there yet.

    An image without stored values, or whose picture leaves nothing out, is there by its picture.

    Raises
    ------
    ImageCacheError
        If the disk cannot take it.
    Cancelled
        If the user asked to stop; nothing half-made is left.
    """
    path = stored_path(pictures, sources)
    if not (path.exists() and index_of(path).exists()):
        shape = (len(sources), pictures.side, pictures.side)
        make_whole(
            path,
            index_of(path),
            reserve=lambda partial: reserved(partial, shape, "<u2"),
            fill=lambda _, array: _fill(array, pictures, sources, progress, cancelled),
            size_bytes=stored_bytes(pictures),
        )
    return load_stored(path)


def load_stored(path: Path) -> StoredCache:
    """Return a cache that is there.

    Raises
    ------
    ImageCacheError
        If it is damaged; says what to do.
    """
    try:
        array = np.load(path, mmap_mode="c")  # copy on write: torch wants writable memory
        index = json.loads(index_of(path).read_text(encoding="utf-8"))
        low, high = (torch.tensor(index[name], dtype=torch.float64) for name in ("low", "high"))
        reasons = tuple(index["reasons"])
    except (OSError, ValueError, KeyError) as error:
        raise ImageCacheError(f"{path} is damaged. Delete it; it will be recreated.") from error
    if array.dtype != np.uint16 or not len(array) == len(low) == len(high) == len(reasons):
        raise ImageCacheError(f"{path} is damaged. Delete it; it will be recreated.")
    return StoredCache(torch.from_numpy(array.view(np.int16)), low, high, reasons, path)


def display_of(source: StoredSource) -> Display:
    """Return how an image is shown.

    Raises
    ------
    NotDeep
        If it has no stored values that its picture leaves out.
    """
    if source.path is None:
        raise NotDeep("an image file outside a study")
    return read_display(source.path.with_name("display.json"))


def _display_bytes(source: StoredSource) -> bytes:
    """Return what decides how an image is laid down, beside its values; nothing where they lack."""
    if source.path is None or not source.path.is_file():
        return b""
    with contextlib.suppress(OSError):
        return source.path.with_name("display.json").read_bytes()
    return b""


def _fill(
    array: NDArray[np.uint16],
    pictures: ImageCache,
    sources: Sequence[StoredSource],
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    made: list[tuple[float, float, str]] = []
    workers = min(_WORKERS, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:  # OpenCV and NumPy run beside each other
        for start in range(0, len(sources), _TOGETHER):
            part = range(start, min(start + _TOGETHER, len(sources)))
            made += pool.map(lambda i: _place(array[i], pictures, i, sources[i]), part)
            progress(len(made), len(sources))
            if cancelled():
                raise Cancelled("Stopped while preparing images.")
    low, high, reasons = zip(*made, strict=True)
    return {"low": low, "high": high, "reasons": reasons}


def _place(
    array: NDArray[np.uint16], pictures: ImageCache, at: int, source: StoredSource
) -> tuple[float, float, str]:
    """Write an image into its square array; return its least and greatest value."""
    width, height = (int(n) for n in pictures.boxes[at])
    try:
        values, image = _values(source)
        if fitted(values.shape[1], values.shape[0], array.shape[0]) != (width, height):
            raise NotDeep("stored values that differ in shape from the picture")
    except NotDeep as error:
        grey = pictures.pixels[at, :height, :width].cpu().numpy()
        array[:height, :width] = grey * np.uint16(_steps(0, 255)) + np.uint16(1)
        return 0.0, 255.0, str(error)
    method = cv2.INTER_AREA if width < values.shape[1] else cv2.INTER_LINEAR
    weight = cv2.resize(image.astype(np.float32), (width, height), interpolation=method)
    masked = np.where(image, values, np.float32(0))
    shrunk = cv2.resize(masked, (width, height), interpolation=method)
    shrunk = np.asarray(shrunk / np.maximum(weight, 1e-6), np.float32)
    inside = values[image]
    low, high = (float(inside.min()), float(inside.max())) if len(inside) else (0.0, 0.0)
    line = np.rint((shrunk - np.float32(low)) * np.float32(_steps(low, high)))
    placed = np.clip(line, 0, _STEPS) + 1
    array[:height, :width] = np.where(weight >= _HALF_IMAGE, placed, 0)
    return low, high, ""


def _steps(low: float, high: float) -> float:
    """Return the steps of a unit; whole where there is one, so that whole numbers stay exact."""
    steps = _STEPS / (high - low) if high > low else 1.0
    return float(math.floor(steps)) if steps >= 1 else steps


def _values(source: StoredSource) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    display = display_of(source)
    assert source.path is not None
    try:
        stored = np.load(source.path, mmap_mode="r", allow_pickle=False)
        if display.frames > 1:
            stored = stored[len(stored) // 2 if source.frame is None else source.frame]
        if stored.dtype.itemsize != 2 or stored.ndim != 2:
            raise NotDeep("stored values that are missing or damaged")
        return display.values(stored)
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise NotDeep("stored values that are missing or damaged") from error
