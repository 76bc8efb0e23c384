"""One to four pictures at once, large enough to read; the arrows select one, Space marks it."""

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.pages.clearing.cells import Cell, Shown, columns_of, rect_of, words_of
from app.pages.clearing.zoom import Zoom
from app.ui import theme
from app.ui.pixels import picture_of
from app.ui.text import tr

_CAPTION = 3 * theme.GRID
_NOTCH = 120.0


class ContactSheet(QWidget):
    """A few pictures side by side, zoomed together.

    Attributes
    ----------
    held
        Images that the user holds back, including those on other sheets.

    Signals
    -------
    opened : str
        An image should be enlarged.
    held_changed
        An image was held back, or released.
    """

    opened = Signal(str)
    held_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("contact_sheet")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(480, 240))
        self.held: set[str] = set()
        self.zoom = Zoom()
        self._cells: tuple[Cell, ...] = ()
        self._kept: dict[str, Shown] = {}  # QImage copies nothing
        self._pictures: dict[str, tuple[QImage, QImage]] = {}
        self._at = 0
        self._drag: QPointF | None = None

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The images on the sheet."""
        return self._cells

    @property
    def complete(self) -> bool:
        """Whether every picture is there."""
        return all(cell.image_id in self._pictures for cell in self._cells)

    @property
    def current(self) -> str:
        """The image with the frame; empty on an empty sheet."""
        return self._cells[self._at].image_id if self._cells else ""

    def side_wanted(self) -> int:
        """Return how many screen pixels the longer side of a picture takes."""
        rect = self._rect(0)
        return max(int(max(rect.width(), rect.height()) * self.devicePixelRatioF()), 320)

    def show_cells(self, cells: tuple[Cell, ...]) -> None:
        """Show other images, fitted; pictures that are already loaded stay."""
        ids = [cell.image_id for cell in cells]
        if ids != [cell.image_id for cell in self._cells]:
            self.zoom.reset()
        self._cells = cells
        self._kept = {i: p for i, p in self._kept.items() if i in ids}
        self._pictures = {i: p for i, p in self._pictures.items() if i in ids}
        self._go(min(self._at, max(len(cells) - 1, 0)))

    def show_picture(self, image_id: str, shown: Shown) -> None:
        """Show an image's picture in its cell."""
        if any(cell.image_id == image_id for cell in self._cells):
            full, small = (np.ascontiguousarray(p) for p in (shown.full, shown.small))
            self._kept[image_id] = Shown(full, small)
            self._pictures[image_id] = picture_of(full), picture_of(small)
            self.update()

    def has_picture(self, image_id: str) -> bool:
        """Return whether an image's picture is there."""
        return image_id in self._pictures

    def forget(self, image_id: str) -> None:
        """Discard an outdated picture."""
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

    def hold(self) -> None:
        """Hold the framed image back, or release it."""
        if self.current:
            self.held ^= {self.current}
            self.held_changed.emit()
            self.update()

    def zoom_by(self, notches: float) -> None:
        """Zoom all pictures around their middle."""
        if self._cells:
            area = self._area(self._at)
            self.zoom.turn(notches, area, self._size(self._at), area.center())
            self.update()

    def fit(self) -> None:
        """Show all of each picture again."""
        self.zoom.reset()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move, Space holds back, Enter opens."""
        columns = self._columns()
        steps = {
            Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns,
        }  # fmt: skip
        key = event.key()
        if key in steps:
            self.step(steps[Qt.Key(key)])
        elif key == Qt.Key.Key_Space:
            self.hold()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current:
            self.opened.emit(self.current)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the frame on a picture and grab it; the right button holds it back."""
        index = self._index_at(event.position())
        if index is None:
            return
        self._go(index)
        if event.button() == Qt.MouseButton.RightButton:
            self.hold()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._drag = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move all pictures."""
        if self._drag is not None:
            by = event.position() - self._drag
            self._drag = event.position()
            self.zoom.move(by, self._area(self._at), self._size(self._at))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._drag = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open a picture."""
        if self._index_at(event.position()) is not None:
            self.opened.emit(self.current)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom all pictures at the cursor."""
        index = self._index_at(event.position())
        if index is not None:
            notches = event.angleDelta().y() / _NOTCH
            self.zoom.turn(notches, self._area(index), self._size(index), event.position())
            self.update()
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that it has the keyboard focus."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that it has lost the focus."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cells."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(theme.font("body"))
        for index, cell in enumerate(self._cells):
            self._draw(painter, index, cell)

    def _draw(self, painter: QPainter, index: int, cell: Cell) -> None:
        rect, area = self._rect(index), self._area(index)
        painter.fillRect(rect, QColor(theme.CASE_BACKGROUND))
        held = cell.image_id in self.held
        pictures = self._pictures.get(cell.image_id)
        if pictures is None:
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, tr("Loading…"))
        else:
            painter.setClipRect(area)
            painter.drawImage(
                self.zoom.place(area, *self._size(index)), pictures[self.zoom.factor <= 1.0]
            )
            if held:
                painter.setPen(QPen(QColor(theme.AMBER), 2))
                painter.drawLine(area.topLeft(), area.bottomRight())
                painter.drawLine(area.topRight(), area.bottomLeft())
            painter.setClipping(False)
        painter.setPen(QColor(theme.AMBER if held or cell.says_text else theme.TEXT))
        line = QRect(rect.left() + 8, rect.bottom() - _CAPTION, rect.width() - 16, _CAPTION)
        text = painter.fontMetrics().elidedText(
            words_of(cell, held=held), Qt.TextElideMode.ElideRight, line.width()
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)
        if index == self._at:
            painter.setPen(QPen(QColor(theme.ACCENT if self.hasFocus() else theme.LINE), 2))
            painter.drawRect(rect.adjusted(1, 1, -1, -1))

    def _columns(self) -> int:
        return columns_of(self._cells, self.width(), self.height())

    def _rect(self, index: int) -> QRect:
        return rect_of(index, self._cells, self.width(), self.height())

    def _area(self, index: int) -> QRectF:
        return QRectF(self._rect(index).adjusted(2, 2, -2, -_CAPTION - 2))

    def _size(self, index: int) -> tuple[int, int]:
        return self._cells[index].width, self._cells[index].height

    def _index_at(self, at: QPointF) -> int | None:
        inside = (i for i in range(len(self._cells)) if self._rect(i).contains(at.toPoint()))
        return next(inside, None)

    def _go(self, index: int) -> None:
        self._at = index
        if self._cells:
            cell = self._cells[index]
            self.setAccessibleName(
                tr(
                    "Contact sheet, image {name}",
                    name=words_of(cell, held=cell.image_id in self.held),
                )
            )
        self.update()
