"""Draws marks and tile frames over the images; thin, and in the one accent colour."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.hanging.image_view import ImageView
from app.hanging.lightbox import LENS_TILE, LightBox
from app.hanging.marks import Mark
from app.ui import theme

_REACH = 12.0


def draw_overlay(painter: QPainter, box: LightBox, marks: Iterable[Mark]) -> None:
    """Draw the frame of the active tile (where there are several), the marks, the lens's rim."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(theme.font("small"))
    if len(box.views) > 1 and box.view is not None:
        _outline(painter, box.view, theme.FAINT)
    for mark in marks:
        view = box.lens if mark.tile == LENS_TILE else box.views.get(mark.tile)
        if view is not None and view.frame == mark.frame:
            _draw(painter, view, mark)
    if box.lens is not None:
        _outline(painter, box.lens, theme.MUTED)


def _outline(painter: QPainter, view: ImageView, colour: str) -> None:
    painter.setPen(QPen(QColor(colour), 1))
    x, y, width, height = view.viewport.tile_view
    painter.drawRect(QRectF(x + 0.5, y + 0.5, width - 1, height - 1))


def _draw(painter: QPainter, view: ImageView, mark: Mark) -> None:
    ends = view.viewport.transform().map([mark.start_image, mark.end_image])
    start, end = QPointF(*ends[0]), QPointF(*ends[1])
    painter.save()
    painter.setClipRect(QRectF(*view.viewport.tile_view))
    # A dark line under a bright one: visible on black and on white.
    for colour, width in ((QColor(0, 0, 0, 150), 4.6), (QColor(theme.ACCENT), 2.2)):
        pen = QPen(colour, width)
        if mark.draft:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        _stroke(painter, mark, start, end)
    if mark.text:
        _write(painter, end + QPointF(10, -6), mark.text)
    painter.restore()


def _stroke(painter: QPainter, mark: Mark, start: QPointF, end: QPointF) -> None:
    if mark.kind == "box":
        painter.drawRect(QRectF(start, end).normalized())
    elif mark.kind == "ruler":
        painter.drawLine(start, end)
        for at in (start, end):
            painter.drawEllipse(at, 3, 3)
    else:
        painter.drawLine(start + QPointF(-_REACH, 0), start + QPointF(_REACH, 0))
        painter.drawLine(start + QPointF(0, -_REACH), start + QPointF(0, _REACH))


def _write(painter: QPainter, at: QPointF, text: str) -> None:
    # On a dark plate, so that it is readable on any image.
    plate = painter.fontMetrics().boundingRect(text).adjusted(-4, -2, 4, 2)
    plate.translate(at.toPoint())
    painter.fillRect(plate, QColor(0, 0, 0, 170))
    painter.drawText(at, text)
