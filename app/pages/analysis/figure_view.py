"""A figure on a dark background; a click on a reading in it asks for its replay."""

from PySide6.QtCore import QByteArray, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QToolTip, QWidget

from app.ui.text import tr
from app.workspace.results import Place, ResultFigure

_LARGEST = 1.6
"""Maximum magnification of the sheet."""


class FigureView(QWidget):
    """Shows the drawing of one figure as wide as there is space.

    Signals
    -------
    replay_wanted : str
        The name of the reading that was clicked.
    rows_wanted : object
        The place whose rows are behind the click.
    """

    replay_wanted = Signal(str)
    rows_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("figure_view")
        self.setMouseTracking(True)
        self.figure: ResultFigure | None = None
        self._room = 0
        self._drawing = QSvgRenderer(self)

    def show_figure(self, figure: ResultFigure | None) -> bool:
        """Show a figure, or none; return whether its file can be drawn."""
        self.figure = figure
        data = b"" if figure is None else _on_dark(figure)
        is_drawn = bool(data) and self._drawing.load(QByteArray(data))
        if not is_drawn:
            self.figure = None
        self.setAccessibleName(figure.title if figure else "")
        self._take_height()
        self.update()
        return is_drawn

    def give_room(self, height: int) -> None:
        """Draw no higher than this, as long as the figure can still be read."""
        self._room = height
        self._take_height()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the drawing's shape."""
        super().resizeEvent(event)
        self._take_height()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the figure."""
        if self.figure is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            size = self._drawing.defaultSize() * 1.0
            scale = self._scale()
            self._drawing.render(painter, QRectF(0, 0, size.width() * scale,
                                                 size.height() * scale))  # fmt: skip

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say which reading is under the pointer."""
        place = self.place_at(event.position())
        hand = Qt.CursorShape.PointingHandCursor
        self.setCursor(hand if place else Qt.CursorShape.ArrowCursor)
        if place:
            QToolTip.showText(event.globalPosition().toPoint(), invitation(place), self)
        else:
            QToolTip.hideText()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask for the replay of the reading under the pointer."""
        place = self.place_at(event.position())
        if place is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if place.reading:
            self.replay_wanted.emit(place.reading)
        else:
            self.rows_wanted.emit(place)

    def place_at(self, point: QPointF) -> Place | None:
        """Return what lies at a point of the widget; None for nothing."""
        if self.figure is None:
            return None
        scale = self._scale()
        return self.figure.place_at(point.x() / scale, point.y() / scale)

    def _scale(self) -> float:
        size = self._drawing.defaultSize()
        by_height = self._room / max(size.height(), 1)
        return min(self.width() / max(size.width(), 1), _LARGEST, max(by_height, 1.0))

    def _take_height(self) -> None:
        height = self._drawing.defaultSize().height() * self._scale() if self.figure else 0
        self.setMinimumHeight(round(height))


def invitation(place: Place) -> str:
    """Return what a click on a place does, in words."""
    if place.reading:
        return tr("Click to replay reading {reading}.", reading=place.reading)
    what = told(place)
    if place.least and place.table == "marks":
        return tr("Click to list the marks at this threshold and above ({what}).", what=what)
    if place.least:
        return tr("Click to list the answers at this threshold and above ({what}).", what=what)
    if what:
        return tr("Click to list the rows behind this ({what}).", what=what)
    return tr("Click to list the rows behind this.")


def told(place: Place) -> str:
    """Return which rows are at a place: columns with their values."""
    same = [f"{column} {value}" for column, value in place.where.items() if value]
    return ", ".join([*same, *(f"{c} ≥ {value:g}" for c, value in place.least.items())])


def _on_dark(figure: ResultFigure) -> bytes:
    """Return the drawing in colours for a dark background; "" if it cannot be read."""
    try:
        text = figure.drawing.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return b""
    for printed, shown in figure.dark.items():
        text = text.replace(f'"{printed}"', f'"{shown}"')
    return text.encode("utf-8")
