"""Draws an image's overlay in place, scaled with the image."""

import numpy as np
from numpy.typing import NDArray

from app.images.dicom.overlay import plane_of
from app.images.store import LoadedImage
from app.images.viewport import Viewport


def draw_runs(
    picture: NDArray[np.uint8], image: LoadedImage, viewport: Viewport, device_pixel_ratio: float
) -> None:
    """Draw in white on the visible part of an image, (H, W) or (H, W, 3), in place.

    Thin strokes are averaged when they shrink, so that none is lost between two pixels.
    """
    plane = plane_of(image.attributes.overlay, (image.height, image.width))
    drawn = viewport.resample(plane.astype(np.uint8) * 255, device_pixel_ratio, smooth=True).pixels
    white = np.asarray(drawn, np.uint8).reshape(drawn.shape + (1,) * (picture.ndim - 2))
    np.maximum(picture, white, out=picture)
