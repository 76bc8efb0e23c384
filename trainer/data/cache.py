"""The image cache: pictures decoded once into one memory-mapped uint8 array.

Each image is shrunk with its aspect kept so that its long side fills a square array, and lies at
its top left; the rest stays black, as air is. Views are cropped within the image's box only, so
that no view shows mostly padding and no anatomy is cut off beforehand. The arrays are half as large
again as a view: a crop of 44 % of the area still has a pixel for each of the view's.

A cache is named by the content of its images, their order and its layout; nothing else decides
whether it is used again.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from migrations.study.names import short_name
from trainer.data.cache_build import build, sweep
from trainer.data.decode import fitted, load_grey, pixel_fingerprint
from trainer.data.decode_pool import Task
from trainer.data.file_hashes import file_hashes
from trainer.errors import BrokenPictures, ImageCacheError

__all__ = [
    "ImageCache",
    "Source",
    "cache_side",
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
        return picked(self.pixels, ids, device)

    def described(self) -> "ImageCache":
        """Return the cache without its pixels, for another process to open."""
        return replace(self, pixels=torch.empty(0))

    def opened(self, path: Path | None = None) -> "ImageCache":
        """Return the cache that `described` was made of, mapped from its file or a copy of it."""
        found = self.path if path is None else path
        assert found is not None
        return load_cache(found)

    def held_on(self, device: torch.device) -> "ImageCache":
        """Return the cache on the device if half of its free memory holds it, else unchanged."""
        return replace(self, pixels=held(self.pixels, device))


def picked(pixels: Tensor, ids: Tensor, device: torch.device) -> Tensor:
    """Return arrays (N, S, S) by position as images (B, 1, S, S) on the device."""
    found = pixels[ids.to(pixels.device)]
    if device.type == "cuda" and not found.is_cuda:
        found = found.pin_memory()  # else the copy waits for the device
    return found.to(device, non_blocking=True)[:, None]


def held(pixels: Tensor, device: torch.device) -> Tensor:
    """Return arrays on the device if half of its free memory holds them, else unchanged."""
    if device.type != "cuda" or pixels.nbytes > torch.cuda.mem_get_info(device)[0] // 2:
        return pixels
    return pixels.to(device)


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
    BrokenPictures
        If pictures are missing, damaged or of another shape; names all of them and the remedy.
    ImageCacheError
        If the disk cannot take the cache.
    Cancelled
        If the user asked to stop; nothing half-made is left.
    """
    side = cache_side(size)
    sweep(folder)
    path = folder / f"images-{size}-{_key(folder, sources, side, cancelled)}.npy"
    if not (path.exists() and index_of(path).exists()):
        build(path, index_of(path), _tasks(sources), side, progress, cancelled)
    return load_cache(path, (len(sources), side, side))


def _tasks(sources: Sequence[Source]) -> list[Task]:
    return [
        Task(i, short_name(s.image_id), s.presentation, s.width, s.height)
        for i, s in enumerate(sources)
    ]


def load_cache(path: Path, shape: tuple[int, ...] | None = None) -> ImageCache:
    """Return a cache that is there.

    Raises
    ------
    ImageCacheError
        If it is damaged; says what to do.
    """
    try:
        pixels = np.load(path, mmap_mode="c")  # copy on write: torch wants writable memory
        index = json.loads(index_of(path).read_text(encoding="utf-8"))
        boxes, fingerprints = index["boxes"], tuple(index["fingerprints"])
    except (OSError, ValueError, KeyError) as error:
        raise ImageCacheError(f"{path} is damaged. Delete it; it will be recreated.") from error
    sound = pixels.dtype == np.uint8 and len(boxes) == len(pixels) == len(fingerprints)
    if not sound or (shape is not None and pixels.shape != shape):
        raise ImageCacheError(f"{path} is damaged. Delete it; it will be recreated.")
    sizes = torch.tensor(boxes, dtype=torch.float32).view(-1, 2)
    return ImageCache(torch.from_numpy(pixels), sizes, fingerprints, path)


def index_of(path: Path) -> Path:
    """Return the file beside a cache that holds its boxes and fingerprints."""
    return path.with_suffix(".json")


def _key(folder: Path, sources: Sequence[Source], side: int, cancelled: Callable[[], bool]) -> str:
    """Hash what the pixels depend on: the pictures' own bytes, whatever their path and date."""
    paths, unreadable = [s.presentation for s in sources], dict[int, str]()
    hashes = file_hashes(paths, folder / "content.json", cancelled, unreadable)
    if unreadable:
        named = {i: f"Image {short_name(sources[i].image_id)}: {w}" for i, w in unreadable.items()}
        raise BrokenPictures(named, len(sources))
    digest = hashlib.sha256(f"{_LAYOUT} {side}".encode())
    for value in hashes:
        digest.update(f"\n{value}".encode())
    return digest.hexdigest()[:16]
