"""Arrays drawn by Qt: grey (H, W) or colours (H, W, 3) as pictures that copy nothing."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage


def picture_of(pixels: NDArray[np.uint8]) -> QImage:
    """Return a picture over an array, which must live as long as the picture is drawn.

    Parameters
    ----------
    pixels
        Shape (H, W) or (H, W, 3), contiguous.
    """
    height, width = pixels.shape[:2]
    colours = pixels.ndim == 3
    form = QImage.Format.Format_RGB888 if colours else QImage.Format.Format_Grayscale8
    return QImage(pixels.data, width, height, width * (3 if colours else 1), form)
