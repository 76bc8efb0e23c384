"""Images for the tests of hanging: made in memory, linear grey, any size and spacing."""

import numpy as np

from app.hanging.lightbox import Hung
from app.images.attributes import DisplayAttributes, Window
from app.images.store import LoadedImage


def picture(
    image_id: str = "i",
    size: tuple[int, int] = (400, 300),
    stored: np.ndarray | None = None,
    **attributes: object,
) -> LoadedImage:
    """An image of `size` (width, height) whose grey is its stored value over 16."""
    width, height = size
    if stored is None:
        stored = np.zeros((height, width), np.uint16)
    shown = {"rows": height, "columns": width, "photometric": "MONOCHROME2", "bits_stored": 12,
             "bits_allocated": 16, "signed": False, "stored_low": 0, "stored_high": 4095,
             "windows": (Window(2048, 4096),)}  # fmt: skip
    return LoadedImage(image_id, stored, DisplayAttributes(**{**shown, **attributes}))


def breast(laterality: str, view: str, *, wall: str, size=(300, 400), mm: float = 0.1) -> Hung:
    """A mammogram with its tissue at the `wall` edge, in the tile of its view."""
    from app.hanging.mammography import tile_of

    width, height = size
    x = np.arange(width) if wall == "left" else np.arange(width)[::-1]
    stored = np.tile(np.where(x < width * 0.6, 3000 - 4 * x, 0).astype(np.uint16), (height, 1))
    image = picture(
        f"{laterality}{view}", size, stored, laterality=laterality, view=view, modality="MG",
        row_spacing_mm=mm, column_spacing_mm=mm, spacing_source="calibrated",
    )  # fmt: skip
    return Hung(tile_of(laterality, view), image)
