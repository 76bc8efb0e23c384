"""Drawing a ruler or a box: by a drag, or a box by the arrow keys."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.hanging.lightbox import LightBox
from app.hanging.marks import Kind, Mark, Point, inside, length_text

_LEAST_VIEW = 3.0
"""A shorter drag is unintentional."""
_STEP_VIEW = 12.0
_FIRST_VIEW = 80.0
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_PLACE = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Drawing:
    """What is being drawn on a light box.

    Arrow keys move a box, Shift makes them change its size, Ctrl makes them fine; Enter places it.
    """

    def __init__(self, kind: str) -> None:
        self.kind: Kind = "box" if kind == "box" else "ruler"
        self._tile = 0
        self._start: Point | None = None
        self._end: Point = (0.0, 0.0)
        self._placed = False
        self._by_key = False

    def begin(self, box: LightBox, tile: int, at_view: Point) -> None:
        """Press the mouse."""
        self._tile, self._by_key = tile, False
        self._start = self._end = self._image_point(box, at_view)

    def move(self, box: LightBox, at_view: Point) -> None:
        """Continue the drag."""
        if self._start is not None:
            self._end = self._image_point(box, at_view)

    def end(self, box: LightBox) -> Mark | None:
        """Release the mouse; None if nothing was drawn."""
        mark = self._mark(box)
        self._start = None
        if mark is None or self._size_view(box, mark) < _LEAST_VIEW:
            return None
        return mark

    def key(self, box: LightBox, event: QKeyEvent) -> bool:
        """Handle a key press; return whether the drawing used it."""
        key = Qt.Key(event.key())
        if self.kind != "box" or box.view is None:
            return False
        if key in _PLACE and self._by_key and self._start is not None:
            self._placed, self._last = True, self._mark(box)
            self._start = None
            return True
        if key not in _ARROWS:
            return False
        self._step(box, _ARROWS[key], event.modifiers())
        return True

    def placed(self) -> Mark | None:
        """Return the box that was just placed by key."""
        if not self._placed:
            return None
        self._placed = False
        return self._last

    def draft(self, box: LightBox) -> Mark | None:
        """Return what is drawn so far."""
        mark = self._mark(box)
        if mark is None:
            return None
        return Mark(mark.kind, mark.tile, mark.frame, mark.start_image, mark.end_image,
                    mark.text, draft=True)  # fmt: skip

    def _mark(self, box: LightBox) -> Mark | None:
        view = box.views.get(self._tile)
        if self._start is None or view is None:
            return None
        text = length_text(view, self._start, self._end) if self.kind == "ruler" else ""
        return Mark(self.kind, self._tile, view.frame, self._start, self._end, text)

    def _step(self, box: LightBox, arrow: tuple[int, int], held: Qt.KeyboardModifier) -> None:
        if self._start is None or not self._by_key or self._tile != box.active:
            self._first(box)
        step = _STEP_VIEW / (4 if held & Qt.KeyboardModifier.ControlModifier else 1)
        view = box.views[self._tile]
        to_view, to_image = view.viewport.transform(), view.viewport.transform().inverse()
        by = (arrow[0] * step, arrow[1] * step)
        assert self._start is not None

        def moved(point: Point) -> Point:
            x, y = to_image.map(to_view.map(point) + by).tolist()
            return inside(view, (x, y))

        if not held & Qt.KeyboardModifier.ShiftModifier:
            self._start = moved(self._start)
        self._end = moved(self._end)

    def _first(self, box: LightBox) -> None:
        """Put a box of default size into the middle of the active tile."""
        self._tile, self._by_key = box.active, True
        view = box.views[self._tile]
        x, y, width, height = view.viewport.tile_view
        half = _FIRST_VIEW / 2
        middle = (x + width / 2, y + height / 2)
        self._start = self._image_point(box, (middle[0] - half, middle[1] - half))
        self._end = self._image_point(box, (middle[0] + half, middle[1] + half))

    def _image_point(self, box: LightBox, at_view: Point) -> Point:
        view = box.views[self._tile]
        x, y = view.viewport.transform().inverse().map(at_view).tolist()
        return inside(view, (x, y))

    def _size_view(self, box: LightBox, mark: Mark) -> float:
        view = box.views[mark.tile]
        ends = view.viewport.transform().map([mark.start_image, mark.end_image])
        return float(abs(ends[1] - ends[0]).max())
