"""Rectangles of an image made black: by hand, or by a template for all images of one device.

Ultrasound machines and film digitisers burn text into the same corner of every image. A template
names the device and the size of its images; it is stored in the study's `masks.json`.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import AppError
from app.images.attributes import DisplayAttributes
from app.images.dicom.overlay import plane_of, runs_of
from app.images.dicom.stored_values import value_range
from app.images.greyscale import display_lut

Rectangle = tuple[int, int, int, int]
"""(x, y, width, height) in source pixels."""
_FILE = "masks.json"


class MasksUnreadable(AppError):
    """A study's mask templates cannot be read."""


@dataclass(frozen=True, slots=True)
class MaskTemplate:
    """What is blacked out on every image of one device.

    Attributes
    ----------
    manufacturer, model
        As in the device's files.
    rows, columns
        Only images of this size are meant.
    """

    manufacturer: str
    model: str
    rows: int
    columns: int
    rectangles: tuple[Rectangle, ...]

    @property
    def device(self) -> tuple[str, str, int, int]:
        """The key by which it is chosen."""
        return self.manufacturer, self.model, self.rows, self.columns


def read_masks(study_folder: Path) -> tuple[MaskTemplate, ...]:
    """Return the templates of a study.

    Raises
    ------
    MasksUnreadable
        Naming the file.
    """
    path = study_folder / _FILE
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return tuple(template_of(item) for item in table["masks"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise MasksUnreadable(
            f"{path} cannot be read ({error!r}). Correct it, or delete it and draw the "
            "rectangles again."
        ) from error


def add_mask(study_folder: Path, template: MaskTemplate) -> None:
    """Save a template; it replaces the device's earlier one."""
    kept = [mask for mask in read_masks(study_folder) if mask.device != template.device]
    text = json.dumps({"masks": [asdict(mask) for mask in (*kept, template)]}, indent=1)
    path = study_folder / _FILE
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


def template_of(item: dict[str, Any]) -> MaskTemplate:
    """Return a template from its table; checks that rectangles have four whole numbers."""
    rectangles = tuple(rectangle_of(values) for values in item["rectangles"])
    sizes = int(item["rows"]), int(item["columns"])
    return MaskTemplate(str(item["manufacturer"]), str(item["model"]), *sizes, rectangles)


def rectangle_of(values: Any) -> Rectangle:
    """Return a rectangle from four whole numbers.

    Raises
    ------
    ValueError
        If there are not four, or nothing lies inside.
    """
    x, y, width, height = (int(value) for value in values)
    if min(width, height) < 1:
        raise ValueError(f"a rectangle of {width} × {height} pixels")
    return x, y, width, height


def mask_for(
    templates: Iterable[MaskTemplate], manufacturer: str, model: str, rows: int, columns: int
) -> tuple[Rectangle, ...]:
    """Return the rectangles of a device's template; none for an unknown device."""
    device = (manufacturer, model, rows, columns)
    if not manufacturer and not model:
        return ()
    return next((mask.rectangles for mask in templates if mask.device == device), ())


def blacked_out(
    stored: NDArray[Any], attributes: DisplayAttributes, rectangles: Sequence[Rectangle]
) -> tuple[NDArray[Any], DisplayAttributes]:
    """Return an image with rectangles made black, on every frame of a stack.

    Parameters
    ----------
    stored
        Shape (H, W) or (N, H, W), with 3 at the end for colour.

    Returns
    -------
    tuple
        A copy of the values, and the attributes with the range of the remaining values.
    """
    hidden = np.zeros((attributes.rows, attributes.columns), bool)
    for x, y, width, height in rectangles:
        hidden[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = True
    size = attributes.rows, attributes.columns
    drawn = runs_of(plane_of(attributes.overlay, size) & ~hidden)
    attributes = replace(attributes, overlay=drawn)
    if attributes.is_colour:
        black = stored.copy()
        black[..., hidden, :] = 0
        return black, attributes
    left = stored[..., ~hidden]
    if left.size == 0:
        left = stored
    elif left.ndim == 2:  # a stack is processed frame by frame
        left = left[:, None]
    low, high = value_range(left, attributes.pixels, attributes.padding_range)
    result = stored.copy()
    result[..., hidden] = _black(stored, attributes)
    return result, replace(attributes, stored_low=low, stored_high=high)


def _black(stored: NDArray[Any], attributes: DisplayAttributes) -> int:
    """Return the stored value that is shown darkest; among equals, one that occurs in the image."""
    padding, kind = attributes.padding_value, np.iinfo(stored.dtype)
    if padding is not None and kind.min <= padding <= kind.max:
        return padding
    half = 2 ** (attributes.bits_stored - 1)
    low, high = (-half, half - 1) if attributes.signed else (0, 2 * half - 1)
    ends = np.array([[stored.min(), stored.max(), low, high]], stored.dtype)
    return int(ends[0, int(display_lut(attributes).apply(ends)[0].argmin())])
