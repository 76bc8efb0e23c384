"""Read an image of the study back: its stored values, bit for bit, and how to show them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.errors import ImageUnreadable
from app.images.attributes import DisplayAttributes
from migrations.study.folder import Study
from migrations.study.names import short_name


@dataclass(frozen=True, slots=True, eq=False)
class LoadedImage:
    """An image ready to be shown.

    Attributes
    ----------
    stored
        Shape (height, width), for colours (height, width, 3): the stored values of the frame that
        is shown, in pydicom's `pixel_array` dtype.
    stack
        Shape (frames, height, width), with 3 at the end for colour: all frames of a stack, read
        from disk when accessed; None for a single image.
    frame
        Which frame of the stack `stored` is, from 0.
    """

    image_id: str
    stored: NDArray[Any]
    attributes: DisplayAttributes
    stack: NDArray[Any] | None = None
    frame: int = 0

    @property
    def width(self) -> int:
        """Source pixels along x."""
        return int(self.stored.shape[1])

    @property
    def height(self) -> int:
        """Source pixels along y."""
        return int(self.stored.shape[0])

    @property
    def frame_count(self) -> int:
        """Number of frames; 1 for a single image."""
        return 1 if self.stack is None else len(self.stack)

    def at_frame(self, frame: int) -> Self:
        """Return the image at another frame, limited to the stack."""
        frame = min(max(frame, 0), self.frame_count - 1)
        if self.stack is None or frame == self.frame:
            return self
        return replace(self, stored=np.asarray(self.stack[frame]), frame=frame)


def load(study: Study, image_id: str) -> LoadedImage:
    """Read an image, a stack at its middle frame; safe from any thread.

    Raises
    ------
    ImageUnreadable
        If one of its files is missing or damaged.
    """
    folder = study.image_folder(image_id)
    try:
        attributes = DisplayAttributes.read(folder / "display.json")
        stored = _values(folder / "stored.npy", mapped=attributes.frames > 1)
    except (OSError, ValueError, EOFError) as error:
        raise ImageUnreadable(
            f"Image {short_name(image_id)} is missing or damaged ({error}). Restore the folder "
            f"{folder} from a copy of the study, or import the file again."
        ) from error
    expected = attributes.shape
    if stored.shape != expected:
        raise ImageUnreadable(
            f"The shape of image {short_name(image_id)} is {stored.shape}, but its display.json "
            f"says {expected}. Restore the folder {folder} from a copy of the study."
        )
    if attributes.frames == 1:
        return LoadedImage(image_id, stored, attributes)
    middle = len(stored) // 2
    return LoadedImage(image_id, np.asarray(stored[middle]), attributes, stored, middle)


def _values(path: Path, *, mapped: bool) -> NDArray[Any]:
    values: NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    return values
