"""The image cache: presentation PNGs decoded once into one memory-mapped uint8 array.

Each image is shrunk with its aspect kept so that its long side fills a square array, and lies at
its top left; the rest stays black, as air is. Views are cropped within the image's box only, so
that no view shows mostly padding and no anatomy is cut off beforehand. The arrays are half as large
again as a view: a crop of 44 % of the area still has a pixel for each of the view's.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.errors import Cancelled, ImageCacheError

_LAYOUT = 1  # part of the key: another layout is another cache


@dataclass(frozen=True, slots=True)
class Source:
    """An image to be cached: size in pixels, `sha256` of its stored values, its 8-bit PNG."""

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
    """

    pixels: Tensor
    boxes: Tensor

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

    def held_on(self, device: torch.device) -> "ImageCache":
        """Return the cache on the device if half of its free memory holds it, else unchanged."""
        if device.type != "cuda":
            return self
        free, _ = torch.cuda.mem_get_info(device)
        if self.pixels.nbytes > free // 2:
            return self
        return ImageCache(self.pixels.to(device), self.boxes)


def cache_side(size: int) -> int:
    """Return the side of the arrays for views of a size: half as large again, in steps of 16."""
    return -(-size * 3 // 2 // 16) * 16


def fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """Return width and height of an image whose long side is made `side`.

    Examples
    --------
    >>> fitted(2048, 1024, 192), fitted(10, 3000, 192)
    ((192, 96), (1, 192))
    """
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


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
        Side of the views, pixels.
    progress
        Called with the images done and in all.
    cancelled
        Looked at between images.

    Raises
    ------
    ImageCacheError
        If a PNG is missing, damaged or of another shape; names the image and the remedy.
    Cancelled
        If the user asked to stop; nothing half-made is left.
    """
    side = cache_side(size)
    path = folder / f"images-{size}-{_key(sources, side)}.npy"
    shape = (len(sources), side, side)
    if not path.exists():
        _build(path, sources, shape, progress, cancelled)
    pixels = np.load(path, mmap_mode="c")  # copy on write: torch wants writable memory
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise ImageCacheError(f"{path} is damaged; delete it, it is made again.")
    boxes = [fitted(s.width, s.height, side) for s in sources]
    return ImageCache(torch.from_numpy(pixels), torch.tensor(boxes, dtype=torch.float32))


def _key(sources: Sequence[Source], side: int) -> str:
    """Hash what the pixels depend on; the PNG's own stamp, because its window can be changed."""
    digest = hashlib.sha256(f"{_LAYOUT} {side}".encode())
    for source in sources:
        stat = _stat(source)
        digest.update(f"\n{source.sha256} {stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def _stat(source: Source) -> os.stat_result:
    try:
        return source.presentation.stat()
    except OSError as error:
        raise ImageCacheError(
            f"Image {source.image_id}: {source.presentation} is missing ({error.strerror}). "
            "Copy the study's images folder along with its database, or import the image again."
        ) from error


def _build(
    path: Path,
    sources: Sequence[Source],
    shape: tuple[int, int, int],
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Decode with one thread a core (OpenCV lets the others run), then give the file its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".partial-{os.getpid()}")
    try:
        pixels = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
        _fill(pixels, sources, progress, cancelled)
        pixels.flush()
        del pixels  # Windows renames no file that is mapped
        partial.replace(path)
    except OSError as error:
        raise ImageCacheError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _fill(
    pixels: NDArray[np.uint8],
    sources: Sequence[Source],
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        futures = [pool.submit(_place, pixels[i], s) for i, s in enumerate(sources)]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                progress(done, len(sources))
                if cancelled():
                    raise Cancelled("Stopped while images were being prepared.")
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _place(array: NDArray[np.uint8], source: Source) -> None:
    grey = decode_grey(source)
    width, height = fitted(source.width, source.height, array.shape[0])
    smaller = width < grey.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    array[:height, :width] = cv2.resize(grey, (width, height), interpolation=method)


def decode_grey(source: Source) -> NDArray[np.uint8]:
    """Return the presentation of an image, shape (H, W), uint8.

    Raises
    ------
    ImageCacheError
        If it is missing, damaged or of another shape than the database says.
    """
    _stat(source)
    data = np.fromfile(
        source.presentation, dtype=np.uint8
    )  # cv2.imread fails on some Windows paths
    grey = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    if grey is None:
        raise ImageCacheError(
            f"Image {source.image_id}: {source.presentation} is damaged. Import the image again."
        )
    height, width = grey.shape
    if abs(width * source.height - height * source.width) > 2 * max(source.width, source.height):
        raise ImageCacheError(
            f"Image {source.image_id}: {source.presentation} is {width} × {height} pixels, the "
            f"database says {source.width} × {source.height}. Import the image again."
        )
    return np.asarray(grey, dtype=np.uint8)
