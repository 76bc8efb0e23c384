"""The air around a breast: black at every window (IHE Mammography Image, RAD TF-2 4.16).

Makers set it to one value, the darkest there is, and often forget to declare it as padding.
Brightened by a dragged window, it would dazzle the reader.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.images.attributes import DisplayAttributes

_LEAST_SHARE, _LEAST_OF_BORDER = 0.05, 0.25


def air_value(stored: NDArray[Any], attributes: DisplayAttributes) -> int | None:
    """Return the stored value of a mammogram's air; None for other images, or if it has several.

    Parameters
    ----------
    stored
        Shape (H, W) or, of a stack, (N, H, W), judged by its middle frame.
    """
    if attributes.modality != "MG" or attributes.padding_value is not None:
        return None
    frame = stored[len(stored) // 2] if stored.ndim == 3 else stored
    darkest = frame.max() if attributes.inverse else frame.min()
    border = np.concatenate((frame[0], frame[-1], frame[:, 0], frame[:, -1]))
    shares = float((frame == darkest).mean()), float((border == darkest).mean())
    enough = shares[0] >= _LEAST_SHARE and shares[1] >= _LEAST_OF_BORDER
    return int(darkest) if enough and frame.min() != frame.max() else None
