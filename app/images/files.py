"""The three files of an image: its stored values, how to show them, and a picture of it."""

import hashlib
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import ImportRefused
from app.images.attributes import DisplayAttributes
from app.images.dicom.colour import luminance
from app.images.greyscale import display_lut

STORED, DISPLAY, PRESENTATION = "stored.npy", "display.json", "presentation.png"
_COMPRESSION = 3


class Unwritable(Exception):
    """The study's folder cannot take more files."""


def digest_of(stored: NDArray[Any]) -> str:
    """Return the SHA-256 of little-endian stored values in C order."""
    return hashlib.sha256(stored.reshape(-1).view(np.uint8).data).hexdigest()


def presentation(frame: NDArray[Any], attributes: DisplayAttributes) -> NDArray[np.uint8]:
    """Return the picture (H, W) of a frame for the trainer: always grey, with the shutter applied.

    Parameters
    ----------
    frame
        Stored values (H, W); for colours (H, W, 3), whose luminance it becomes.
    """
    shown = display_lut(attributes).apply(frame)
    grey = luminance(shown) if attributes.is_colour else shown
    if attributes.shutter is not None:
        attributes.shutter.close(grey)
    return grey


def write_image(
    folder: Path, stored: NDArray[Any], attributes: DisplayAttributes, *, written: bool = False
) -> None:
    """Write an image into a folder that has none; each file is on the disk afterwards.

    Parameters
    ----------
    stored
        In the shape given by the attributes; the presentation shows the middle of a stack.
    written
        Whether they are already in the folder's `stored.npy`, mapped.

    Raises
    ------
    Unwritable
        If the disk is full, the folder cannot be written, or a file already exists.
    """
    shown = stored[len(stored) // 2] if attributes.frames > 1 else stored
    png = presentation_png(shown, attributes)
    try:
        with (folder / STORED).open("rb+" if written else "xb") as file:
            if isinstance(stored, np.memmap) and written:
                stored.flush()
            else:
                np.save(file, stored, allow_pickle=False)
            _flush(file)
        for name, data in ((DISPLAY, attributes.to_json().encode()), (PRESENTATION, png)):
            with (folder / name).open("xb") as file:
                file.write(data)
                _flush(file)
    except OSError as error:
        raise Unwritable(error.strerror or str(error)) from error


def presentation_png(shown: NDArray[Any], attributes: DisplayAttributes) -> bytes:
    """Return the 8-bit PNG of one frame's stored values, as the trainer will see it."""
    grey = presentation(shown, attributes)
    done, png = cv2.imencode(".png", grey, [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION])
    if not done:
        raise ImportRefused("its presentation cannot be written as PNG")
    return png.tobytes()


def _flush(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
