"""8-bit greys of a file, and the fingerprint by which an encoder knows what it has seen."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.errors import ProbeError


def read_grey(path: Path) -> NDArray[np.uint8]:
    """Return an image as 8-bit grey (H, W); 16 bit are stretched from darkest to brightest.

    Raises
    ------
    ProbeError
        If the file is missing, damaged or no image.
    """
    try:
        data = np.fromfile(path, dtype=np.uint8)  # cv2.imread fails on some Windows paths
    except OSError as error:
        raise ProbeError(f"{path} cannot be read: {error.strerror}.") from error
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_GRAYSCALE
    grey = cv2.imdecode(data, flags) if len(data) else None
    if grey is None:
        raise ProbeError(f"{path} is damaged or no image. Replace it or take it off the labels.")
    if grey.dtype == np.uint8:
        return np.asarray(grey, np.uint8)
    low, high = float(grey.min()), float(grey.max())
    share = (grey.astype(np.float64) - low) / max(high - low, 1e-12)
    return np.asarray(np.floor(share * 255 + 0.5), np.uint8)


def pixel_fingerprint(grey: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of 8-bit pixels (H, W) and their shape, as hex."""
    height, width = grey.shape
    return hashlib.sha256(f"{height}x{width}:".encode() + grey.tobytes()).hexdigest()
