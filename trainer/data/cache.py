"""The image cache: pictures decoded once into one memory-mapped uint8 array.

Each image is shrunk with its aspect kept so that its long side fills a square array, and lies at
its top left; the rest stays black, as air is. Views are cropped within the image's box only, so
that no view shows mostly padding and no anatomy is cut off beforehand. The arrays are half as large
again as a view: a crop of 44 % of the area still has a pixel for each of the view's.

A cache is named by the content of its images, their order and its layout; nothing else decides
whether it is used again.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from migrations.study.names import short_name
from trainer.data.decode import fitted, load_grey, pixel_fingerprint
from trainer.data.decode_pool import Task, decode_all, decode_task
from trainer.data.file_hashes import file_hashes
from trainer.errors import Cancelled, ImageCacheError

__all__ = [
    "ImageCache",
    "Source",
    "cache_side",
    "decode_grey",
    "fitted",
    "load_grey",
    "open_cache",
    "pixel_fingerprint",
]

_LAYOUT = 2  # part of the key: another layout is another cache


@dataclass(frozen=True, slots=True)
class Source:
    """An image to be cached: size in pixels, `sha256` of its stored values, its picture file.

    `width` and `height` are 0 where only the file knows them.
    """

    image_id: str
    sha256: str
    width: int
    height: int
    presentation: Path


@dataclass(frozen=True)
class ImageCache:
    """The images of a cohort, in its order.

    Attributes
    ----------
    pixels
        Shape (N, S, S), uint8; memory-mapped from the file, or on the device.
    boxes
        Width and height of each image within its array, (N, 2), float32, on the CPU.
    fingerprints
        `pixel_fingerprint` of each image as decoded; empty where it is not known.
    path
        The file, where there is one.
    """

    pixels: Tensor
    boxes: Tensor
    fingerprints: tuple[str, ...] = ()
    path: Path | None = None

    @property
    def side(self) -> int:
        """Side S of the arrays, pixels."""
        return int(self.pixels.shape[-1])

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, ids: Tensor, device: torch.device) -> Tensor:
        """Return images by position, (B, 1, S, S), uint8, on the device."""
        picked = self.pixels[ids.to(self.pixels.device)]
        if device.type == "cuda" and not picked.is_cuda:
            picked = picked.pin_memory()  # else the copy waits for the device
        return picked.to(device, non_blocking=True)[:, None]

    def described(self) -> "ImageCache":
        """Return the cache without its pixels, for another process to open."""
        return ImageCache(torch.empty(0), self.boxes, self.fingerprints, self.path)

    def opened(self) -> "ImageCache":
        """Return the cache that `described` was made of, mapped from its file."""
        assert self.path is not None
        return load_cache(self.path)

    def held_on(self, device: torch.device) -> "ImageCache":
        """Return the cache on the device if half of its free memory holds it, else unchanged."""
        if device.type != "cuda":
            return self
        free, _ = torch.cuda.mem_get_info(device)
        if self.pixels.nbytes > free // 2:
            return self
        return ImageCache(self.pixels.to(device), self.boxes, self.fingerprints, self.path)


def cache_side(size: int) -> int:
    """Return the side of the arrays for views of a size: half as large again, in steps of 16."""
    return -(-size * 3 // 2 // 16) * 16


def open_cache(
    folder: Path,
    sources: Sequence[Source],
    size: int,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ImageCache:
    """Return the cache of some images, built if it is not there yet.

    Parameters
    ----------
    folder
        Where caches lie; may be deleted at any time.
    sources
        The images, in the order of the cohort.
    size
        Side of the views, pixels; the longer one.
    progress
        Called with the images done and in all.
    cancelled
        Looked at between images.

    Raises
    ------
    ImageCacheError
        If a picture is missing, damaged or of another shape; names the image and the remedy.
    Cancelled
        If the user asked to stop; nothing half-made is left.
    """
    side = cache_side(size)
    path = folder / f"images-{size}-{_key(folder, sources, side, cancelled)}.npy"
    shape = (len(sources), side, side)
    if not (path.exists() and _index_of(path).exists()):
        _build(path, sources, shape, progress, cancelled)
    return load_cache(path, shape)


def load_cache(path: Path, shape: tuple[int, ...] | None = None) -> ImageCache:
    """Return a cache that is there.

    Raises
    ------
    ImageCacheError
        If it is damaged; says what to do.
    """
    try:
        pixels = np.load(path, mmap_mode="c")  # copy on write: torch wants writable memory
        index = json.loads(_index_of(path).read_text(encoding="utf-8"))
        boxes, fingerprints = index["boxes"], tuple(index["fingerprints"])
    except (OSError, ValueError, KeyError) as error:
        raise ImageCacheError(f"{path} is damaged; delete it, it is made again.") from error
    sound = pixels.dtype == np.uint8 and len(boxes) == len(pixels) == len(fingerprints)
    if not sound or (shape is not None and pixels.shape != shape):
        raise ImageCacheError(f"{path} is damaged; delete it, it is made again.")
    sizes = torch.tensor(boxes, dtype=torch.float32).view(-1, 2)
    return ImageCache(torch.from_numpy(pixels), sizes, fingerprints, path)


def _index_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _key(folder: Path, sources: Sequence[Source], side: int, cancelled: Callable[[], bool]) -> str:
    """Hash what the pixels depend on: the pictures' own bytes, whatever their path and date."""
    for source in sources:
        _require_there(source)
    hashes = file_hashes([s.presentation for s in sources], folder / "content.json", cancelled)
    digest = hashlib.sha256(f"{_LAYOUT} {side}".encode())
    for value in hashes:
        digest.update(f"\n{value}".encode())
    return digest.hexdigest()[:16]


def _require_there(source: Source) -> None:
    try:
        source.presentation.stat()
    except OSError as error:
        raise ImageCacheError(
            f"Image {short_name(source.image_id)}: {source.presentation} is missing "
            f"({error.strerror}). Copy the images along with the study's database, or import the "
            "image again."
        ) from error


def _build(
    path: Path,
    sources: Sequence[Source],
    shape: tuple[int, int, int],
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Decode into a file beside, then give it its name: there whole or not at all."""
    partial = path.with_suffix(f".partial-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
        index = _fill(partial, pixels, sources, progress, cancelled)
        pixels.flush()
        del pixels  # Windows renames no file that is mapped
        _index_of(path).write_text(json.dumps(index), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise ImageCacheError(
            f"{path} cannot be written: {error.strerror}. Free some disk space, or lower --size."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _fill(
    path: Path,
    pixels: NDArray[np.uint8],
    sources: Sequence[Source],
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    tasks = [
        Task(i, short_name(s.image_id), s.presentation, s.width, s.height)
        for i, s in enumerate(sources)
    ]
    boxes: list[tuple[int, int]] = [(0, 0)] * len(sources)
    fingerprints = [""] * len(sources)
    for done, made in enumerate(decode_all(tasks, path, pixels), start=1):
        boxes[made.index], fingerprints[made.index] = made.box, made.fingerprint
        progress(done, len(sources))
        if cancelled():
            raise Cancelled("Stopped while images were being prepared.")
    return {"boxes": boxes, "fingerprints": fingerprints}


def decode_grey(source: Source) -> NDArray[np.uint8]:
    """Return the picture of an image, shape (H, W), uint8.

    Raises
    ------
    ImageCacheError
        If it is missing, damaged or of another shape than the database says.
    """
    _require_there(source)
    name = short_name(source.image_id)
    return decode_task(Task(0, name, source.presentation, source.width, source.height))
