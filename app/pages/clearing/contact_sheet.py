"""Forty small pictures at once: looked at one by one with the arrow keys, marked with Space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui import theme
from app.ui.pixels import picture_of

COLUMNS, ROWS = 8, 5
_GAP = theme.GRID // 2
_CAPTION = 20
_STEPS = {
    Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -COLUMNS, Qt.Key.Key_Down: COLUMNS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One image on the sheet.

    Attributes
    ----------
    caption
        Under the picture: its name.
    says_text
        Whether its file says that text is burned in.
    blacked_out
        Whether something was blacked out already.
    """

    image_id: str
    caption: str
    says_text: bool = False
    blacked_out: bool = False


class ContactSheet(QWidget):
    """A grid of pictures.

    Attributes
    ----------
    held
        Images the user keeps back.

    Signals
    -------
    opened : str
        An image is to be looked at large.
    held_changed
        An image was kept back, or no more.
    """

    opened = Signal(str)
    held_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("contact_sheet")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(COLUMNS * 64, ROWS * 72))
        self.held: set[str] = set()
        self._cells: tuple[Cell, ...] = ()
        self._pictures: dict[str, QImage] = {}
        self._kept: dict[str, NDArray[np.uint8]] = {}
        self._at = 0

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What lies on the sheet."""
        return self._cells

    @property
    def complete(self) -> bool:
        """Whether every picture is there."""
        return all(cell.image_id in self._pictures for cell in self._cells)

    @property
    def current(self) -> str:
        """The image with the frame; empty on an empty sheet."""
        return self._cells[self._at].image_id if self._cells else ""

    def show_cells(self, cells: tuple[Cell, ...]) -> None:
        """Lay out other images; pictures that are there already stay."""
        ids = {cell.image_id for cell in cells}
        self._cells = cells
        self.held &= ids
        self._pictures = {i: p for i, p in self._pictures.items() if i in ids}
        self._kept = {i: p for i, p in self._kept.items() if i in ids}
        self._go(min(self._at, max(len(cells) - 1, 0)))

    def show_picture(self, image_id: str, grey: NDArray[np.uint8]) -> None:
        """Show an image's picture, (H, W) or (H, W, 3); it fits its cell's square."""
        grey = np.ascontiguousarray(grey)
        self._kept[image_id] = grey  # QImage copies nothing
        self._pictures[image_id] = picture_of(grey)
        self.update()

    def has_picture(self, image_id: str) -> bool:
        """Return whether an image's picture is there."""
        return image_id in self._pictures

    def forget(self, image_id: str) -> None:
        """Drop a picture that is true no more."""
        self._pictures.pop(image_id, None)
        self.update()

    def select(self, image_id: str) -> None:
        """Put the frame on an image."""
        ids = [cell.image_id for cell in self._cells]
        if image_id in ids:
            self._go(ids.index(image_id))

    def step(self, by: int) -> str:
        """Move the frame; return the image it is on now."""
        self._go(min(max(self._at + by, 0), max(len(self._cells) - 1, 0)))
        return self.current

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move, Space keeps back, Enter opens."""
        key = event.key()
        if key in _STEPS:
            self.step(_STEPS[Qt.Key(key)])
        elif key == Qt.Key.Key_Space:
            self._hold(self.current)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current:
            self.opened.emit(self.current)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the frame on a picture; the right button keeps it back."""
        for index in range(len(self._cells)):
            if self._rect(index).contains(event.position().toPoint()):
                self._go(index)
                if event.button() == Qt.MouseButton.RightButton:
                    self._hold(self.current)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open a picture."""
        if self._cells and self._rect(self._at).contains(event.position().toPoint()):
            self.opened.emit(self.current)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys go."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that the keys go elsewhere."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cells that are to be drawn."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(theme.font("small"))
        for index, cell in enumerate(self._cells):
            self._draw(painter, self._rect(index), cell, framed=index == self._at)

    def _draw(self, painter: QPainter, rect: QRect, cell: Cell, *, framed: bool) -> None:
        painter.fillRect(rect, QColor(theme.CASE_BACKGROUND))
        area = rect.adjusted(2, 2, -2, -_CAPTION)
        picture = self._pictures.get(cell.image_id)
        if picture is not None:
            size = picture.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
            shown = QRect(area.topLeft(), size)
            shown.moveCenter(area.center())
            painter.drawImage(shown, picture)
        held = cell.image_id in self.held
        if held:
            painter.setPen(QPen(QColor(theme.AMBER), 2))
            painter.drawLine(area.topLeft(), area.bottomRight())
            painter.drawLine(area.topRight(), area.bottomLeft())
        words = [cell.caption, "kept back" if held else ""]
        words += ["⚠ text" if cell.says_text else "", "blacked out" if cell.blacked_out else ""]
        painter.setPen(QColor(theme.AMBER if held or cell.says_text else theme.MUTED))
        line = QRect(rect.left() + 4, rect.bottom() - _CAPTION, rect.width() - 8, _CAPTION)
        text = painter.fontMetrics().elidedText(
            " · ".join(w for w in words if w), Qt.TextElideMode.ElideRight, line.width()
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)
        if framed:
            painter.setPen(QPen(QColor(theme.ACCENT if self.hasFocus() else theme.LINE), 2))
            painter.drawRect(rect.adjusted(1, 1, -1, -1))

    def _rect(self, index: int) -> QRect:
        wide = (self.width() - (COLUMNS - 1) * _GAP) // COLUMNS
        high = (self.height() - (ROWS - 1) * _GAP) // ROWS
        line, place = divmod(index, COLUMNS)
        return QRect(place * (wide + _GAP), line * (high + _GAP), wide, high)

    def _hold(self, image_id: str) -> None:
        if image_id:
            self.held ^= {image_id}
            self.held_changed.emit()
            self.update()

    def _go(self, index: int) -> None:
        self._at = index
        if self._cells:
            cell = self._cells[index]
            self.setAccessibleName(f"Contact sheet, image {cell.caption}")
        self.update()
