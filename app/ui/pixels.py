"""Arrays drawn by Qt: grey (H, W) or colours (H, W, 3) as pictures that copy nothing."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

_FORMATS = {
    1: QImage.Format.Format_Grayscale8,
    3: QImage.Format.Format_RGB888,
    4: QImage.Format.Format_RGB32,
}


def picture_of(pixels: NDArray[np.uint8]) -> QImage:
    """Return a picture over an array, which must live as long as the picture is drawn.

    Parameters
    ----------
    pixels
        Shape (H, W), (H, W, 3) or, from `screen_pixels`, (H, W, 4); contiguous.
    """
    height, width = pixels.shape[:2]
    bytes_each = pixels.shape[2] if pixels.ndim == 3 else 1
    return QImage(pixels.data, width, height, width * bytes_each, _FORMATS[bytes_each])


def screen_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey values or colours as Qt keeps what is on the screen, shape (H, W, 4).

    Drawing these only copies them: Qt's own conversion takes three times as long.
    """
    code = cv2.COLOR_RGB2BGRA if pixels.ndim == 3 else cv2.COLOR_GRAY2BGRA
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
