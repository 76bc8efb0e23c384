"""Icons drawn on a 24-unit grid in one stroke weight, in any colour and size; no files."""

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

from app.ui import theme

_Draw = Callable[[QPainterPath], None]


def icon(name: str, colour: str = theme.TEXT, size: int = 24) -> QIcon:
    """Return an icon; its disabled state is drawn fainter.

    Raises
    ------
    KeyError
        If there is no icon of that name.
    """
    made = QIcon()
    made.addPixmap(pixmap(name, colour, size))
    made.addPixmap(pixmap(name, theme.FAINT, size), QIcon.Mode.Disabled)
    return made


def pixmap(name: str, colour: str = theme.TEXT, size: int = 24, ratio: float = 2.0) -> QPixmap:
    """Return an icon as a pixmap of `size` device-independent pixels."""
    path = QPainterPath()
    _DRAW[name](path)
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 24, size / 24)
    pen = QPen(QColor(colour), 1.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    if name in _FILLED:
        painter.setBrush(QColor(colour))
    painter.drawPath(path)
    painter.end()
    return image


def _line(path: QPainterPath, *points: tuple[float, float]) -> None:
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)


def _circle(path: QPainterPath, x: float, y: float, radius: float) -> None:
    path.addEllipse(QPointF(x, y), radius, radius)


def _worklist(path: QPainterPath) -> None:
    for y in (6, 12, 18):
        _circle(path, 5, y, 1)
        _line(path, (9, y), (20, y))


def _calibration(path: QPainterPath) -> None:
    _circle(path, 12, 12, 7)
    _circle(path, 12, 12, 1.2)
    for a, b in (
        ((12, 2.5), (12, 7)),
        ((12, 17), (12, 21.5)),
        ((2.5, 12), (7, 12)),
        ((17, 12), (21.5, 12)),
    ):
        _line(path, a, b)


def _reading(path: QPainterPath) -> None:
    path.moveTo(2, 12)
    path.quadTo(12, 1, 22, 12)
    path.quadTo(12, 23, 2, 12)
    _circle(path, 12, 12, 3.2)


def _training(path: QPainterPath) -> None:
    _line(path, (4, 3.5), (4, 20), (20.5, 20))
    path.moveTo(7, 6)
    path.cubicTo(9, 16, 13, 16, 20, 16.5)


def _open(path: QPainterPath) -> None:
    _line(path, (3, 19), (3, 5.5), (9, 5.5), (11, 8), (20, 8), (20, 11))
    _line(path, (3, 19), (6, 11), (22.5, 11), (19.5, 19), (3, 19))


def _new(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(4, 4, 16, 16), 2, 2)
    _line(path, (12, 8.5), (12, 15.5))
    _line(path, (8.5, 12), (15.5, 12))


def _import(path: QPainterPath) -> None:
    _line(path, (12, 3), (12, 15))
    _line(path, (7.5, 10.5), (12, 15), (16.5, 10.5))
    _line(path, (4, 16), (4, 20), (20, 20), (20, 16))


def _check(path: QPainterPath) -> None:
    _line(path, (5, 12.5), (10, 17.5), (19.5, 7))


def _warning(path: QPainterPath) -> None:
    _line(path, (12, 3.5), (22, 20), (2, 20), (12, 3.5))
    _line(path, (12, 9.5), (12, 14))
    _line(path, (12, 17), (12, 17.1))


def _dot(path: QPainterPath) -> None:
    _circle(path, 12, 12, 5)


def _ring(path: QPainterPath) -> None:
    _circle(path, 12, 12, 6)


def _half(path: QPainterPath) -> None:
    _circle(path, 12, 12, 6)
    path.moveTo(12, 6)
    path.arcTo(QRectF(6, 6, 12, 12), 90, 180)
    path.closeSubpath()


def _stop(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(7, 7, 10, 10), 1, 1)


def _play(path: QPainterPath) -> None:
    _line(path, (8, 5.5), (18.5, 12), (8, 18.5), (8, 5.5))


def _refresh(path: QPainterPath) -> None:
    path.arcMoveTo(QRectF(5, 5, 14, 14), 40)
    path.arcTo(QRectF(5, 5, 14, 14), 40, 280)
    _line(path, (17.5, 3), (17.5, 7.5), (13, 7.5))


def _cohort(path: QPainterPath) -> None:
    for x, height in ((5, 6), (9.5, 11), (14, 15), (18.5, 8)):
        _line(path, (x, 20), (x, 20 - height))
    _line(path, (2.5, 20), (21.5, 20))


def _similarity(path: QPainterPath) -> None:
    _circle(path, 9, 12, 6)
    _circle(path, 15, 12, 6)


def _runs(path: QPainterPath) -> None:
    _line(path, (3, 18), (8, 12), (13, 15), (21, 6))
    _line(path, (3, 12), (8, 8), (13, 10), (21, 16))


def _features(path: QPainterPath) -> None:
    for x, y in ((6, 7), (9, 10), (5, 12), (16, 6), (19, 9), (15, 16), (18, 18), (12, 18)):
        _circle(path, x, y, 1.1)


def _lock(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(5, 11, 14, 9), 1.5, 1.5)
    path.moveTo(8, 11)
    path.lineTo(8, 8)
    path.arcTo(QRectF(8, 4, 8, 8), 180, -180)
    path.lineTo(16, 11)


def _review(path: QPainterPath) -> None:
    path.arcMoveTo(QRectF(4, 4, 16, 16), 130)
    path.arcTo(QRectF(4, 4, 16, 16), 130, -310)
    _line(path, (3.5, 4), (4.5, 9), (9.5, 8))
    _line(path, (12, 8), (12, 12.5), (15.5, 14.5))


def _setup(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(3, 4, 18, 12), 1.5, 1.5)
    _line(path, (12, 16), (12, 20))
    _line(path, (8, 20), (16, 20))


def _settings(path: QPainterPath) -> None:
    for y, x in ((6, 9), (12, 15), (18, 8)):
        _line(path, (3.5, y), (20.5, y))
        _circle(path, x, y, 2)


def _analysis(path: QPainterPath) -> None:
    for y, stops in ((6, (3, 8, 14, 21)), (12, (3, 11, 21)), (18, (3, 6, 16, 21))):
        for start, end in pairwise(stops):
            _line(path, (start + 0.8, y), (end - 0.8, y))
    for x, y in ((8, 6), (14, 6), (11, 12), (6, 18), (16, 18)):
        _line(path, (x, y - 1.5), (x, y + 1.5))


def _performance(path: QPainterPath) -> None:
    _line(path, (4, 3.5), (4, 20), (20.5, 20))
    path.moveTo(4, 20)
    path.cubicTo(5, 9, 9, 6, 20, 5)


def _progress(path: QPainterPath) -> None:
    for y, end in ((6, 20), (12, 14), (18, 9)):
        _line(path, (4, y), (end, y))
    _line(path, (4, 3), (4, 21))


_DRAW: dict[str, _Draw] = {
    "progress": _progress,
    "analysis": _analysis,
    "performance": _performance,
    "review": _review,
    "setup": _setup,
    "settings": _settings,
    "cohort": _cohort,
    "similarity": _similarity,
    "runs": _runs,
    "features": _features,
    "lock": _lock,
    "worklist": _worklist,
    "calibration": _calibration,
    "reading": _reading,
    "training": _training,
    "open": _open,
    "new": _new,
    "import": _import,
    "check": _check,
    "warning": _warning,
    "dot": _dot,
    "ring": _ring,
    "half": _half,
    "stop": _stop,
    "play": _play,
    "refresh": _refresh,
}
_FILLED = frozenset({"dot"})
