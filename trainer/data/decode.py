"""Image files as 8-bit grey: the one place where the trainer decodes a picture.

Imports neither torch nor the database, so that a process of the decoding pool starts quickly.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.errors import ImageCacheError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
"""Files that `load_grey` opens."""

_WINDOW_PERCENTILES = (0.5, 99.5)


def load_grey(path: Path) -> NDArray[np.uint8]:
    """Return an image file as 8-bit grey, shape (H, W), uint8.

    Eight-bit files keep their values, colour becomes luminance. Deeper files are windowed from
    their 0.5th to their 99.5th percentile: a 12-bit radiograph in a 16-bit file would else be
    nearly black. Orientation marks of a camera are followed.

    Raises
    ------
    ImageCacheError
        If the file is missing, damaged or no image; names it.
    """
    try:
        data = np.fromfile(path, dtype=np.uint8)  # cv2.imread fails on some Windows paths
    except OSError as error:
        raise ImageCacheError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        mode = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH
        decoded = cv2.imdecode(data, mode) if len(data) else None
    except cv2.error:  # e.g. more pixels than OpenCV allows
        decoded = None
    if decoded is None:
        raise ImageCacheError(f"{path} is damaged or not an image.")
    if decoded.dtype == np.uint8:
        return np.asarray(decoded, np.uint8)
    return _windowed(np.asarray(decoded))


def _windowed(deep: NDArray[np.generic]) -> NDArray[np.uint8]:
    values = np.nan_to_num(deep.astype(np.float32))
    low, high = np.percentile(values, _WINDOW_PERCENTILES)
    scaled = (values - low) / max(float(high - low), 1e-12)
    return np.asarray(np.rint(np.clip(scaled, 0, 1) * 255), np.uint8)


def pixel_fingerprint(grey: NDArray[np.uint8]) -> str:
    """Return the SHA-256 (hex) that names an image by its pixels.

    Parameters
    ----------
    grey
        As `load_grey` gives it, shape (H, W), uint8.

    Examples
    --------
    >>> pixel_fingerprint(np.zeros((2, 3), np.uint8))[:16]
    '98be973bb11f31e4'
    """
    height, width = grey.shape
    digest = hashlib.sha256(f"{height}x{width}:".encode())
    digest.update(np.ascontiguousarray(grey).tobytes())
    return digest.hexdigest()


def fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """Return width and height of an image whose long side is made `side`.

    Examples
    --------
    >>> fitted(2048, 1024, 192), fitted(10, 3000, 192)
    ((192, 96), (1, 192))
    """
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def place(array: NDArray[np.uint8], grey: NDArray[np.uint8]) -> tuple[int, int]:
    """Write an image into the top left of a square array; return its width and height there."""
    side = array.shape[0]
    width, height = fitted(grey.shape[1], grey.shape[0], side)
    method = cv2.INTER_AREA if width < grey.shape[1] else cv2.INTER_LINEAR
    array[:height, :width] = cv2.resize(grey, (width, height), interpolation=method)
    return width, height
