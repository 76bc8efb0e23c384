"""Random fields for pictures of tissue."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

FloatImage = NDArray[np.float32]


def power_noise(
    rows: int, columns: int, exponent: float, rng: np.random.Generator, *,
    low_cut: float, stretch: float = 1.0, coarse: int = 2,
) -> FloatImage:  # fmt: skip
    """Return noise of unit variance whose power falls as 1/f^exponent.

    Parameters
    ----------
    rows, columns
        Shape of the field.
    exponent
        3 is that of mammograms.
    low_cut
        Cycles per picture below which the power stays level.
    stretch
        How much longer its grains are along y than along x.
    coarse
        Factor by which it is made at a lower resolution and then enlarged.
    """
    size = fft.next_fast_len(rows // coarse, True), fft.next_fast_len(columns // coarse, True)
    white = rng.standard_normal(size, dtype=np.float32)
    fy = fft.fftfreq(size[0], 1 / size[0])[:, None] * stretch
    fx = fft.rfftfreq(size[1], 1 / size[1])[None, :]
    gain = (np.maximum(fy**2 + fx**2, low_cut**2)) ** (-exponent / 4)
    gain[0, 0] = 0.0
    noise = fft.irfft2(fft.rfft2(white) * gain.astype(np.float32), size)
    noise = cv2.resize(
        np.ascontiguousarray(noise, np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC
    )
    return np.asarray(noise / noise.std(), np.float32)


def smooth(values: NDArray[np.float32], low: float, high: float) -> FloatImage:
    """Return 0 below `low`, 1 above `high`, and a smooth step between them."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def grid(rows: int, columns: int) -> tuple[FloatImage, FloatImage]:
    """Return y (rows, 1) and x (1, columns) of all pixels."""
    return (
        np.arange(rows, dtype=np.float32)[:, None],
        np.arange(columns, dtype=np.float32)[None, :],
    )
