"""Zoom and position shared by the pictures of a sheet, so that all show the same corner."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

_STEP, _MOST = 1.25, 24.0


@dataclass(slots=True)
class Zoom:
    """How much larger than fitted, and which part is in the middle.

    Attributes
    ----------
    factor
        1 fits the picture into its area.
    x, y
        Of the point in the middle of the area, as shares of the picture's width and height.
    """

    factor: float = 1.0
    x: float = 0.5
    y: float = 0.5

    def place(self, area: QRectF, width: int, height: int) -> QRectF:
        """Return where all of a picture is; what is outside the area is cut off."""
        scale = self.factor * min(area.width() / width, area.height() / height)
        wide, high = width * scale, height * scale
        left = area.left() + _start(area.width(), wide, self.x)
        return QRectF(left, area.top() + _start(area.height(), high, self.y), wide, high)

    def turn(self, notches: float, area: QRectF, size: tuple[int, int], at: QPointF) -> None:
        """Zoom, keeping what is under `at` in place."""
        before = self.place(area, *size)
        x, y = _shares(before, at)
        self.factor = min(max(self.factor * _STEP**notches, 1.0), _MOST)
        after = self.place(area, *size)
        middle = area.center()
        self.x = x - (at.x() - middle.x()) / after.width()
        self.y = y - (at.y() - middle.y()) / after.height()
        self._keep_inside(area, size)

    def move(self, by: QPointF, area: QRectF, size: tuple[int, int]) -> None:
        """Drag the picture."""
        lies = self.place(area, *size)
        self.x -= by.x() / lies.width()
        self.y -= by.y() / lies.height()
        self._keep_inside(area, size)

    def reset(self) -> None:
        """Fit again."""
        self.factor, self.x, self.y = 1.0, 0.5, 0.5

    def _keep_inside(self, area: QRectF, size: tuple[int, int]) -> None:
        lies = self.place(area, *size)
        self.x, self.y = _shares(lies, area.center())


def _shares(lies: QRectF, at: QPointF) -> tuple[float, float]:
    return (at.x() - lies.left()) / lies.width(), (at.y() - lies.top()) / lies.height()


def _start(room: float, length: float, share: float) -> float:
    if length <= room:
        return (room - length) / 2
    return min(max(room / 2 - share * length, room - length), 0.0)
