"""What is on a contact sheet, and where, so that each picture is as large as possible."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect

from app.ui import theme
from app.ui.text import tr

_GAP = theme.GRID


@dataclass(frozen=True, slots=True)
class Cell:
    """One image on the sheet.

    Attributes
    ----------
    caption
        Under the picture: its name.
    width, height
        Of the image, in pixels.
    says_text
        Whether its file says that text is burned in.
    blacked_out
        Whether something was blacked out already.
    """

    image_id: str
    caption: str
    width: int = 1
    height: int = 1
    says_text: bool = False
    blacked_out: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture at full size, and shrunk with its fine strokes kept.

    Attributes
    ----------
    full, small
        Shape (H, W) or (H, W, 3).
    """

    full: NDArray[np.uint8]
    small: NDArray[np.uint8]


def words_of(cell: Cell, *, held: bool) -> str:
    """Return the line under a picture: its name, and what is wrong with it."""
    said = [cell.caption]
    said += [tr("held back")] if held else []
    said += [tr("⚠ marked as containing text")] if cell.says_text else []
    said += [tr("partly blacked out")] if cell.blacked_out else []
    return " · ".join(said)


def columns_of(cells: Sequence[Cell], width: int, height: int) -> int:
    """Return how many pictures fit side by side on a sheet of this size."""

    def longest_side(columns: int) -> float:
        wide, high = _cell_size(len(cells), columns, width, height)
        return min(min(wide / c.width, high / c.height) * max(c.width, c.height) for c in cells)

    return max(range(1, len(cells) + 1), key=longest_side, default=1)


def rect_of(index: int, cells: Sequence[Cell], width: int, height: int) -> QRect:
    """Return where a cell lies on a sheet of this size."""
    columns = columns_of(cells, width, height)
    wide, high = _cell_size(max(len(cells), 1), columns, width, height)
    line, place = divmod(index, columns)
    return QRect(place * (wide + _GAP), line * (high + _GAP), wide, high)


def _cell_size(count: int, columns: int, width: int, height: int) -> tuple[int, int]:
    rows = -(-count // columns)
    return (width - (columns - 1) * _GAP) // columns, (height - (rows - 1) * _GAP) // rows
