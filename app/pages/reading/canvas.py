"""The images of a case, controlled by the reader's mouse and keys as on a PACS."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.hanging.lightbox import LENS_TILE, Changes
from app.hanging.marks import Mark
from app.pages.reading.gestures import dragged, wheeled
from app.pages.reading.image_area import ImageArea
from app.ui.drawing import Drawing
from app.ui.keys import KeyMap
from app.ui.text import tr
from devices.gaze.view import CLOSED

_BUTTONS = {
    Qt.MouseButton.LeftButton: "left",
    Qt.MouseButton.MiddleButton: "middle",
    Qt.MouseButton.RightButton: "right",
}
_DRAWN = ("ruler", "box")


class ImageCanvas(ImageArea):
    """Takes the reader's mouse and keys.

    Left drag windows (Shift: fine), middle drag pans, right drag zooms; the wheel zooms at the
    cursor, on a stack it scrolls (Ctrl+wheel zooms there).

    Signals
    -------
    drawn : object
        A box (`Mark`) was drawn.
    message : str
        Something that the reader should know.
    """

    drawn = Signal(object)
    message = Signal(str)

    def __init__(self, parent: QWidget | None = None, keys: KeyMap | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.keys = keys or KeyMap()
        self._drawing: Drawing | None = None
        self._magnifying = False
        self._cursor = QPointF()
        self._dragged: tuple[Qt.MouseButton, int, QPointF, QPointF] | None = None

    @property
    def tool(self) -> str:
        """What a left drag draws: "ruler", "box" or, empty, nothing."""
        return self._drawing.kind if self._drawing else ""

    def act(self, action: str) -> bool:
        """Do what a key means; return whether the canvas knows the action."""
        if self.view is None:
            return False
        if action in _OWN:
            _OWN[action](self)
            return True
        changed = self.box.act(action, self.devicePixelRatioF(), self.view_pixel_mm)
        if changed is None:
            return False
        if action == "reset":
            self.marks = [mark for mark in self.marks if mark.kind != "ruler"]
            self.use_tool("")
        if action == "true_size" and not changed.get(self.box.active):
            self.message.emit(
                tr("True size needs the pixel spacing of the file and the size of the screen.")
            )
        self._changed(changed)
        return True

    def use_tool(self, kind: str) -> None:
        """Make a left drag draw a ruler or a box; "" for windowing again."""
        self._drawing = Drawing(kind) if kind in _DRAWN else None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag on the image under the cursor."""
        at = event.position()
        tile = self.box.tile_at(at.x(), at.y())
        if self._dragged is not None or tile is None:
            return
        self.box.active = tile
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._dragged = (event.button(), tile, at, at)
        if self._drawing and event.button() == Qt.MouseButton.LeftButton:
            self._drawing.begin(self.box, tile, (at.x(), at.y()))
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Continue a drag; move the lens."""
        self._cursor = event.position()
        if self._dragged is not None:
            button, tile, start, last = self._dragged
            self._dragged = (button, tile, start, self._cursor)
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._drag(button, tile, start, self._cursor - last, fine)
        elif self._magnifying:
            self._changed(self._moved_lens())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        if self._dragged is None or event.button() != self._dragged[0]:
            return
        self._dragged = None
        if self._drawing and event.button() == Qt.MouseButton.LeftButton:
            self._take(self._drawing.end(self.box))
        self.flush()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor; on a stack, scroll unless Ctrl is held."""
        notches, at = event.angleDelta().y() / 120, event.position()
        tile = self.box.tile_at(at.x(), at.y())
        event.accept()
        if tile is None or not notches:
            return
        zoom = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self._changed(wheeled(self.box, tile, notches, (at.x(), at.y()), zoom=zoom))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what the key map says; other keys go to the page."""
        if self._drawing and self._drawing.key(self.box, event):
            self._take(self._drawing.placed())
            self.update()
            return
        action = self.keys.action(event)
        if action is None or not self.act(action):
            event.ignore()

    def focusNextPrevChild(self, _next: bool) -> bool:
        """Leave Tab to the key map: it moves from image to image."""
        return False

    def _drag(
        self, button: Qt.MouseButton, tile: int, start: QPointF, by: QPointF, fine: bool
    ) -> None:
        if self._drawing and button == Qt.MouseButton.LeftButton:
            self._drawing.move(self.box, (self._cursor.x(), self._cursor.y()))
            self.update()
            return
        does = self.keys.mouse.get(_BUTTONS.get(button, ""), "")
        began, moved = (start.x(), start.y()), (by.x(), by.y())
        if does:
            self._changed(dragged(self.box, tile, does, began, moved, fine=fine))

    def _take(self, mark: Mark | None) -> None:
        if mark is None:
            return
        if mark.kind == "ruler":
            self.marks.append(mark)
            self.message.emit(mark.text)
        else:
            self.drawn.emit(mark)
        self.update()

    def _toggle_lens(self) -> None:
        self._magnifying = not self._magnifying
        if self._magnifying:
            if self.box.tile_at(self._cursor.x(), self._cursor.y()) is None and self.view:
                x, y, width, height = self.view.viewport.tile_view
                self._cursor = QPointF(x + width / 2, y + height / 2)
            self._changed(self._moved_lens())
        else:
            self._take_lens_off()

    def _moved_lens(self) -> Changes:
        """Put the lens at the cursor; outside the images there is none."""
        was = self.box.lens is not None
        up = self.box.magnify(self._cursor.x(), self._cursor.y(), self._size())
        return {LENS_TILE: "magnifier" if up else CLOSED} if up or was else {}

    def _take_lens_off(self) -> None:
        self._magnifying = False
        if self.box.lens is not None:
            self.box.lens = None
            self._changed({LENS_TILE: CLOSED})

    def _toggle_tool(self, kind: str) -> None:
        self.use_tool("" if self.tool == kind else kind)

    def _toggle_link(self) -> None:
        self.box.linked = not self.box.linked
        self.message.emit(tr("Zoom linked.") if self.box.linked else tr("Zoom unlinked."))

    def _turn_page(self) -> None:
        self._magnifying = False
        changed = self.box.turn_page(1, self._size(), self.devicePixelRatioF())
        if not changed:
            self.message.emit(tr("This case has no more views."))
            return
        self._drawing, self._dragged = None, None
        self._changed(changed)
        self.message.emit(
            tr("Views {page} of {count}.", page=self.box.page + 1, count=self.box.page_count)
        )

    def _next_tile(self, step: int) -> None:
        self.box.activate_next(step)
        self.update()

    def _changed(self, changed: Changes) -> None:
        if self._magnifying and self.box.lens is not None and LENS_TILE not in changed:
            changed = changed | self._moved_lens()  # the magnified content has changed
        super()._changed(changed)

    def _is_held(self) -> bool:
        return self._dragged is not None

    def _draft(self) -> Mark | None:
        return self._drawing.draft(self.box) if self._drawing else None

    def _put_tools_down(self) -> None:
        self._magnifying = False
        self._dragged, self._drawing = None, None


_OWN: dict[str, Callable[[ImageCanvas], None]] = {
    "magnifier": ImageCanvas._toggle_lens,
    "ruler": lambda canvas: canvas._toggle_tool("ruler"),
    "link": ImageCanvas._toggle_link,
    "further_views": ImageCanvas._turn_page,
    "next_tile": lambda canvas: canvas._next_tile(1),
    "previous_tile": lambda canvas: canvas._next_tile(-1),
}
