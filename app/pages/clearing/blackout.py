"""One image enlarged, with the rectangles to black out drawn on it by mouse."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.images.masks import Rectangle
from app.pages.clearing.zoom import Zoom
from app.ui import theme
from app.ui.pixels import picture_of
from app.ui.text import tr

_LEAST = 3
_NOTCH = 120.0
_MOVES = (Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton)


class BlackoutView(QWidget):
    """Shows a picture; a drag draws a rectangle in source pixels, a right drag moves the picture.

    Attributes
    ----------
    rectangles
        What was drawn, (x, y, width, height) in source pixels.

    Signals
    -------
    changed
        A rectangle was drawn or undone.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("blackout_view")
        self.setAccessibleName(tr("Image; drag over text to draw a black rectangle"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.rectangles: list[Rectangle] = []
        self.zoom = Zoom()
        self._drag: QPointF | None = None
        self._grey: NDArray[np.uint8] | None = None
        self._picture: QImage | None = None
        self._from: QPointF | None = None
        self._to = QPointF()

    @property
    def picture_shown(self) -> bool:
        """Whether the image is there."""
        return self._picture is not None

    def show_picture(self, grey: NDArray[np.uint8] | None) -> None:
        """Show another image, (H, W) or (H, W, 3), without rectangles; None while it is loading."""
        self.rectangles, self._from, self._picture = [], None, None
        self.zoom.reset()
        self._grey = None if grey is None else np.ascontiguousarray(grey)
        if self._grey is not None:
            self._picture = picture_of(self._grey)
        self.changed.emit()
        self.update()

    def undo(self) -> None:
        """Undo the last rectangle."""
        if self.rectangles:
            self.rectangles.pop()
            self.changed.emit()
            self.update()

    def zoom_by(self, notches: float, at: QPointF | None = None) -> None:
        """Zoom around a point; around the middle if none is given."""
        if self._picture is not None:
            whole = QRectF(self.rect())
            size = self._picture.width(), self._picture.height()
            self.zoom.turn(notches, whole, size, whole.center() if at is None else at)
            self.update()

    def fit(self) -> None:
        """Show the whole picture again."""
        self.zoom.reset()
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        self.zoom_by(event.angleDelta().y() / _NOTCH, event.position())
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again."""
        super().resizeEvent(event)
        self.zoom.reset()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a rectangle, or take hold of the picture."""
        if self._picture is None:
            return
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = self._to = event.position()
        elif event.button() in _MOVES:
            self._drag = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Continue it."""
        if self._from is not None:
            self._to = event.position()
        elif self._drag is not None and self._picture is not None:
            by, self._drag = event.position() - self._drag, event.position()
            size = self._picture.width(), self._picture.height()
            self.zoom.move(by, QRectF(self.rect()), size)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End it; a simple click draws none."""
        self._drag = None
        if self._from is None:
            return
        drawn = self._in_source(QRectF(self._from, event.position()).normalized())
        self._from = None
        if drawn is not None:
            self.rectangles.append(drawn)
            self.changed.emit()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture and what is drawn on it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.CASE_BACKGROUND))
        if self._picture is None:
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("Loading…"))
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area, scale = self._area()
        painter.drawImage(area, self._picture)
        painter.setPen(QPen(QColor(theme.AMBER), 2))
        painter.setBrush(QColor(0, 0, 0))
        for x, y, width, height in self.rectangles:
            place = QRectF(x * scale, y * scale, width * scale, height * scale)
            painter.drawRect(place.translated(area.topLeft()))
        if self._from is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self._from, self._to).normalized())

    def _area(self) -> tuple[QRectF, float]:
        """Return where the picture is, and how many of our pixels one of its own takes."""
        assert self._picture is not None
        place = self.zoom.place(QRectF(self.rect()), self._picture.width(), self._picture.height())
        return place, place.width() / self._picture.width()

    def _in_source(self, drawn: QRectF) -> Rectangle | None:
        area, scale = self._area()
        drawn = drawn.intersected(area).intersected(QRectF(self.rect()))
        if drawn.width() < _LEAST or drawn.height() < _LEAST:
            return None
        drawn.translate(-area.topLeft())
        # Rounded outwards to whole pixels, so that no part of a letter remains.
        grown = QRectF(drawn.topLeft() / scale, drawn.bottomRight() / scale).toAlignedRect()
        assert self._picture is not None
        kept = grown.intersected(QRect(0, 0, self._picture.width(), self._picture.height()))
        return kept.x(), kept.y(), kept.width(), kept.height()
