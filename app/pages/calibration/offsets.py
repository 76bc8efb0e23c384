"""The picture of a validation: where the targets were and where the gaze was instead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.text import tr, trn

Point = tuple[float, float]
_REACH = 14
_LINE = 18.0
"""Height of a line of text."""
MAGNIFIED = 3
"""Offsets and limits are drawn larger than the screen around them, to be visible at all."""


@dataclass(frozen=True, slots=True)
class TargetOffset:
    """One target and the gaze on it, `_norm`; None where there was no gaze."""

    target_norm: Point
    gaze_norm: Point | None
    accuracy_deg: float | None
    left_norm: Point | None = None
    right_norm: Point | None = None


class OffsetPicture(QWidget):
    """Draws a small screen: targets as crosses, gaze as discs, the limit as a ring.

    Calibration targets are small squares; a click chooses one to be collected again.

    Signals
    -------
    chosen_changed
        The selection has changed.
    """

    chosen_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("offset_picture")
        self.setMinimumSize(320, 200)
        self._offsets: tuple[TargetOffset, ...] = ()
        self._aspect = 16 / 9
        self._limit_norm = (0.0, 0.0)
        self._collected: tuple[Point, ...] = ()
        self.chosen: tuple[Point, ...] = ()

    def show_collected(self, collected: Sequence[Point], chosen: Sequence[Point]) -> None:
        """Show calibration targets, some of them selected to be collected again."""
        self._collected, self.chosen = tuple(collected), tuple(chosen)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the calibration target under the mouse, or deselect it."""
        screen, at = self._screen(), event.position()
        for point in self._collected:
            if (_on(screen, point) - at).manhattanLength() <= _REACH:
                kept = tuple(each for each in self.chosen if each != point)
                wanted = {*kept, point} if len(kept) == len(self.chosen) else set(kept)
                self.chosen = tuple(each for each in self._collected if each in wanted)
                self.update()
                self.chosen_changed.emit()
                return

    def show_offsets(
        self, offsets: Sequence[TargetOffset], aspect: float, limit_norm: Point
    ) -> None:
        """Show a validation on a screen of this width to height, and the limit's half axes."""
        self._offsets, self._aspect, self._limit_norm = tuple(offsets), aspect, limit_norm
        count = len(offsets)
        self.setAccessibleName(
            trn("Gaze offset at {count} target", "Gaze offsets at {count} targets", count)
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the screen, the targets, the offsets, the legend."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        screen = self._screen()
        painter.setPen(QPen(QColor(theme.LINE), 1))
        painter.setBrush(QColor(theme.CASE_BACKGROUND))
        painter.drawRoundedRect(screen, 4, 4)
        for point in self._collected:
            self._draw_collected(painter, _on(screen, point), point in self.chosen)
        painter.save()
        painter.setClipRect(screen)  # a failed validation would draw all over the page
        for offset in self._offsets:
            self._draw(painter, screen, offset)
        painter.restore()
        self._legend(painter, screen)

    def _screen(self) -> QRectF:
        room = QRectF(self.rect()).adjusted(1, 1, -1, -32)
        width = min(room.width(), room.height() * self._aspect)
        height = width / self._aspect
        return QRectF((self.width() - width) / 2, room.top(), width, height)

    def _draw_collected(self, painter: QPainter, at: QPointF, chosen: bool) -> None:
        half = 7.0 if chosen else 4.0
        painter.setPen(QPen(QColor(theme.AMBER if chosen else theme.FAINT), 2 if chosen else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half))

    def _draw(self, painter: QPainter, screen: QRectF, offset: TargetOffset) -> None:
        at = _on(screen, offset.target_norm)
        radii = (
            self._limit_norm[0] * screen.width() * MAGNIFIED,
            self._limit_norm[1] * screen.height() * MAGNIFIED,
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.FAINT), 1, Qt.PenStyle.DashLine))
        painter.drawEllipse(at, *radii)
        _cross(painter, at)
        for letter, eye in (("L", offset.left_norm), ("R", offset.right_norm)):
            if eye is not None:
                self._draw_eye(
                    painter,
                    _inside(screen, at + (_on(screen, eye) - at) * MAGNIFIED),
                    letter,
                )
        if offset.gaze_norm is not None:
            there = _inside(screen, at + (_on(screen, offset.gaze_norm) - at) * MAGNIFIED)
            painter.setPen(QPen(QColor(theme.ACCENT), 1.6))
            painter.drawLine(at, there)
            painter.setBrush(QColor(theme.ACCENT))
            painter.drawEllipse(there, 3.5, 3.5)
        known = offset.accuracy_deg is not None
        painter.setPen(QColor(theme.MUTED if known else theme.AMBER))
        text = f"{offset.accuracy_deg:.2f}°" if known else tr("no gaze")
        below, above = at.y() + radii[1] + 4, at.y() - radii[1] - 4 - _LINE
        top = below if below + _LINE <= screen.bottom() else above
        spot = QRectF(at.x() - 48, top, 96, _LINE)
        painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, text)

    def _draw_eye(self, painter: QPainter, there: QPointF, letter: str) -> None:
        # L on the left of its place, R on the right: near each other they do not overprint.
        painter.setPen(QColor(theme.MUTED))
        painter.setBrush(QColor(theme.MUTED))
        painter.drawEllipse(there, 1.5, 1.5)
        left = there.x() - 16 if letter == "L" else there.x() + 4
        spot = QRectF(left, there.y() - 8, 12, 16)
        painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, letter)

    def _legend(self, painter: QPainter, screen: QRectF) -> None:
        legend: list[tuple[Callable[[QPointF], None] | None, str]] = [
            (lambda at: _cross(painter, at), tr("target")),
            (lambda at: _dot(painter, at), tr("gaze (offset × {times})", times=f"{MAGNIFIED:g}")),
            (lambda at: _ring(painter, at), tr("study limit")),
            (None, tr("L, R: each eye")),
        ]
        if self._collected:
            legend += [
                (lambda at: self._draw_collected(painter, at, False), tr("calibration point")),
                (lambda at: self._draw_collected(painter, at, True), tr("to redo (click)")),
            ]
        words, y = painter.fontMetrics(), screen.bottom() + 18
        signs = [14 if draw else 0 for draw, _ in legend]
        widths = [words.horizontalAdvance(text) for _, text in legend]
        whole = sum(signs) + sum(widths) + 22 * (len(legend) - 1)
        x = max(screen.center().x() - whole / 2, 8.0)
        for (draw, text), sign, width in zip(legend, signs, widths, strict=True):
            if draw is not None:
                draw(QPointF(x, y))
            _say(painter, x + sign, y, text)
            x += sign + width + 22


def _on(screen: QRectF, point: Point) -> QPointF:
    return QPointF(
        screen.left() + point[0] * screen.width(), screen.top() + point[1] * screen.height()
    )


def _inside(screen: QRectF, point: QPointF) -> QPointF:
    """Return the nearest point in the frame: gaze far away is drawn at its edge."""
    edge = 6.0
    return QPointF(
        min(max(point.x(), screen.left() + edge), screen.right() - edge),
        min(max(point.y(), screen.top() + edge), screen.bottom() - edge),
    )


def _cross(painter: QPainter, at: QPointF) -> None:
    painter.setPen(QPen(QColor(theme.TEXT), 1.2))
    painter.drawLine(at - QPointF(6, 0), at + QPointF(6, 0))
    painter.drawLine(at - QPointF(0, 6), at + QPointF(0, 6))


def _dot(painter: QPainter, at: QPointF) -> None:
    painter.setPen(QPen(QColor(theme.ACCENT), 1.6))
    painter.setBrush(QColor(theme.ACCENT))
    painter.drawEllipse(at, 3.5, 3.5)


def _ring(painter: QPainter, at: QPointF) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.FAINT), 1, Qt.PenStyle.DashLine))
    painter.drawEllipse(at, 6, 6)


def _say(painter: QPainter, x: float, y: float, text: str) -> None:
    painter.setPen(QColor(theme.MUTED))
    painter.drawText(QPointF(x, y + 4), text)
