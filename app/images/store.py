"""Read an image of the study back: its stored values, bit for bit, and how to show them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import ImageUnreadable
from app.images.attributes import DisplayAttributes
from migrations.study import Study


@dataclass(frozen=True, slots=True, eq=False)
class LoadedImage:
    """An image ready to be shown.

    Attributes
    ----------
    stored
        Shape (height, width), the stored values in pydicom's `pixel_array` dtype.
    """

    image_id: str
    stored: NDArray[Any]
    attributes: DisplayAttributes

    @property
    def width(self) -> int:
        """Source pixels along x."""
        return int(self.stored.shape[1])

    @property
    def height(self) -> int:
        """Source pixels along y."""
        return int(self.stored.shape[0])


def load(study: Study, image_id: str) -> LoadedImage:
    """Read an image; safe from any thread.

    Raises
    ------
    ImageUnreadable
        If one of its files is missing or damaged.
    """
    folder = study.image_folder(image_id)
    try:
        attributes = DisplayAttributes.read(folder / "display.json")
        stored = np.load(folder / "stored.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ImageUnreadable(
            f"Image {image_id} of the study {study.folder} is missing or damaged ({error}). "
            "Restore its folder from a copy of the study, or import the file again."
        ) from error
    if stored.shape != (attributes.rows, attributes.columns):
        raise ImageUnreadable(
            f"Image {image_id} is {stored.shape} but its display.json says "
            f"{(attributes.rows, attributes.columns)}; restore its folder from a copy."
        )
    return LoadedImage(image_id, stored, attributes)
