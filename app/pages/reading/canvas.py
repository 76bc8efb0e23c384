"""The images of a case on the screen: resampled to device pixels, through a table, drawn 1:1.

Qt never scales an image (its 16-bit scaling leaves 16 grey levels). While a drag goes on the
stored values are sampled fast; at rest they are sampled smoothly once more.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QElapsedTimer, QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.hanging.image_view import FINE, ImageView
from app.hanging.lightbox import LENS_TILE, Changes, Hung, LightBox
from app.hanging.marks import Mark
from app.images.greyscale import Window
from app.images.store import LoadedImage
from app.pages.reading.overlay import draw_overlay
from app.ui import theme
from app.ui.background import run
from app.ui.drawing import Drawing
from app.ui.keys import KeyMap
from devices.gaze.view import CLOSED, TileView

FRAME_MS = 16
"""Changes of the view are shown and told at most once a frame of a 60-Hz screen."""
REST_MS = 140
WHEEL_STEP = 1.15
ZOOM_PIXELS = 200.0
"""A zoom drag of this length zooms by e."""
_BACKGROUND = QColor(theme.CASE_BACKGROUND)
_BUTTONS = {
    Qt.MouseButton.LeftButton: "left",
    Qt.MouseButton.MiddleButton: "middle",
    Qt.MouseButton.RightButton: "right",
}
_DRAWN = ("ruler", "box")


class ImageCanvas(QWidget):
    """Shows the images of one case; mouse and keys change the view as on a PACS.

    Left drag windows (Shift: fine), middle drag pans, right drag zooms; the wheel zooms at the
    cursor, on a stack it scrolls (Ctrl+wheel zooms there).

    Attributes
    ----------
    box
        What hangs here.
    origin_desktop
        Top-left corner of the tracked screen on the desktop; None: of the canvas's own screen.
    view_pixel_mm
        Width of a device-independent pixel on the screen; None where it is not known.
    marks
        What is drawn over the images.

    Signals
    -------
    view_changed : str, int
        The kind of a change and its tile, when it reaches the screen (`TileView.kind`).
    drawn : object
        A box (`Mark`) was drawn.
    message : str
        Something the reader should know.
    """

    view_changed = Signal(str, int)
    drawn = Signal(object)
    message = Signal(str)

    def __init__(self, parent: QWidget | None = None, keys: KeyMap | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setAccessibleName("Image")
        self.keys = keys or KeyMap()
        self.box = LightBox(_BACKGROUND.red())
        self.origin_desktop: QPointF | None = None
        self.view_pixel_mm: float | None = None
        self.marks: list[Mark] = []
        self._drawing: Drawing | None = None
        self._magnifying = False
        self._cursor = QPointF()
        self._drawn: list[NDArray[np.uint8]] = []
        self._pending: Changes = {}
        self._dragged: tuple[Qt.MouseButton, int, QPointF, QPointF] | None = None
        self._frame = QElapsedTimer()
        self._frame.start()
        self._next_frame = self._timer(FRAME_MS, self.flush)
        self._rest = self._timer(REST_MS, self._settle)

    @property
    def view(self) -> ImageView | None:
        """What keys act on; None without an image."""
        return self.box.view

    @property
    def image(self) -> LoadedImage | None:
        """What keys act on."""
        return self.view.image if self.view else None

    @property
    def window_level(self) -> Window | None:
        """What is shown of it between black and white."""
        return self.view.window if self.view else None

    @property
    def tool(self) -> str:
        """What a left drag draws: "ruler", "box" or, empty, nothing."""
        return self._drawing.kind if self._drawing else ""

    @property
    def tiles(self) -> list[int]:
        """The tiles on the screen, the lens among them."""
        return [*self.box.views, *([LENS_TILE] if self.box.lens else [])]

    def set_image(self, image: LoadedImage | None) -> None:
        """Show one image; None clears the canvas."""
        self.set_case([Hung(0, image)] if image else [], "one-up")

    def set_case(self, images: Sequence[Hung], hanging: str) -> None:
        """Hang the images of a case, each in its first preset, fitted; none clears the canvas."""
        self._next_frame.stop()
        self._rest.stop()
        self._pending, self._dragged, self._drawing = {}, None, None
        self._magnifying, self.marks = False, []
        self.box.hang(images, hanging, self._size(), self.devicePixelRatioF())
        self.update()
        self._pending = dict.fromkeys(self.box.views, "open")
        self._rest.start()
        self.flush()

    def take_down(self) -> LightBox:
        """Return what hangs here and clear the canvas for something else; tells nothing."""
        self._lens_off()
        self._next_frame.stop()
        self._pending, self._dragged, self._drawing = {}, None, None
        hung, self.box = self.box, LightBox(_BACKGROUND.red())
        return hung

    def put_up(self, hung: LightBox) -> None:
        """Show again what was taken down; tells nothing."""
        self._pending, self.box = {}, hung
        self.box.layout(self._size(), self.devicePixelRatioF())
        self.update()

    def tile_view(self, time_us: int, kind: str, tile: int | None = None) -> TileView:
        """Return how a tile (the active one) lies now, in the frame of the tracked screen.

        Raises
        ------
        RuntimeError
            If there is no image.
        """
        if not self.box.views:
            raise RuntimeError("The canvas shows no image.")
        corner = self.origin_desktop
        if corner is None:
            corner = QPointF(self.screen().geometry().topLeft())
        origin = self.mapToGlobal(QPointF(0, 0)) - corner
        chosen = self.box.active if tile is None else tile
        return self.box.tile_view(time_us, kind, chosen, (origin.x(), origin.y()))

    def grey(self) -> NDArray[np.uint8]:
        """Return what is drawn of the active tile, (height, width) in device pixels."""
        if self.view is None:
            return np.zeros((0, 0), np.uint8)
        return self.view.grey(self.devicePixelRatioF())

    def act(self, action: str) -> bool:
        """Do what a key stands for; whether the canvas knows the action."""
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
            self.message.emit("True size needs the file's spacing and the screen's millimetres.")
        self._changed(changed)
        return True

    def use_tool(self, kind: str) -> None:
        """Let a left drag draw a ruler or a box; empty for windowing again."""
        self._drawing = Drawing(kind) if kind in _DRAWN else None
        self.update()

    def flush(self) -> None:
        """Show and tell the changes that wait for their frame; before a reading ends."""
        self._next_frame.stop()
        pending, self._pending = self._pending, {}
        if pending:
            self._frame.restart()
            self.update()
            for tile, kind in pending.items():
                if kind:
                    self.view_changed.emit(kind, tile)

    def placement_changed(self) -> None:
        """Tell that the window was moved on the desktop or to another screen."""
        self._changed(dict.fromkeys(self.tiles, "screen"))

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
        """Go on with a drag; move the lens."""
        self._cursor = event.position()
        if self._dragged is not None:
            button, tile, start, last = self._dragged
            self._dragged = (button, tile, start, self._cursor)
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._drag(button, tile, start, self._cursor - last, fine)
        elif self._magnifying:
            self._move_lens()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        if self._dragged is None or event.button() != self._dragged[0]:
            return
        self._dragged = None
        if self._drawing and event.button() == Qt.MouseButton.LeftButton:
            self._take(self._drawing.end(self.box))
        self.flush()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor; on a stack scroll, unless Ctrl is held."""
        notches, at = event.angleDelta().y() / 120, event.position()
        tile = self.box.tile_at(at.x(), at.y())
        event.accept()
        if tile is None or not notches:
            return
        view = self.box.views[tile]
        if view.frames > 1 and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._changed({tile: view.scroll(-int(math.copysign(max(1, abs(notches)), notches)))})
        else:
            self._changed(self.box.zoom(tile, WHEEL_STEP**notches, at.x(), at.y()))

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
        """Leave Tab to the key map: it goes from image to image."""
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the grey values one to one on the device's pixels, marks above them."""
        painter = QPainter(self)
        if len(self.box.views) != 1 or not self._filled(next(iter(self.box.views.values()))):
            painter.fillRect(self.rect(), _BACKGROUND)
        # QImage copies nothing: the arrays must live as long as they are drawn.
        self._drawn = []
        lens = [self.box.lens] if self.box.lens else []
        for view in (*self.box.views.values(), *lens):
            self._paint(painter, view)
        draft = self._drawing.draft(self.box) if self._drawing else None
        draw_overlay(painter, self.box, [*self.marks, *([draft] if draft else [])])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what the reader looks at where it is."""
        if self.box.views:
            self._lens_off()
            self._changed(self.box.layout(self._size(), self.devicePixelRatioF()))

    def event(self, event: QEvent) -> bool:
        """Draw anew on a screen with other pixels."""
        if event.type() == QEvent.Type.DevicePixelRatioChange and self.box.views:
            self.box.layout(self._size(), self.devicePixelRatioF())
            for view in self.box.views.values():
                view.stale()
            self._changed(dict.fromkeys(self.tiles, "screen"))
        return super().event(event)

    def _filled(self, view: ImageView) -> bool:
        """Return whether one tile covers the canvas, so that nothing need lie behind it."""
        x, y, width, height = view.viewport.tile_view
        return x <= 0 and y <= 0 and width >= self.width() and height >= self.height()

    def _paint(self, painter: QPainter, view: ImageView) -> None:
        grey = view.grey(self.devicePixelRatioF())
        self._drawn.append(grey)
        height, width = grey.shape
        picture = QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8)
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        x, y, _, _ = view.viewport.tile_view
        painter.drawImage(QPointF(x, y), picture)

    def _drag(
        self, button: Qt.MouseButton, tile: int, start: QPointF, by: QPointF, fine: bool
    ) -> None:
        if self._drawing and button == Qt.MouseButton.LeftButton:
            self._drawing.move(self.box, (self._cursor.x(), self._cursor.y()))
            self.update()
            return
        does = self.keys.mouse.get(_BUTTONS.get(button, ""), "")
        if does == "window":
            speed = FINE if fine else 1.0
            self._changed({tile: self.box.views[tile].window_by(by.x(), by.y(), speed)})
        elif does == "pan":
            self._changed(self.box.pan(tile, by.x(), by.y()))
        elif does == "zoom":
            factor = math.exp(-by.y() / ZOOM_PIXELS)
            self._changed(self.box.zoom(tile, factor, start.x(), start.y()))

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
            self._move_lens()
        else:
            self._lens_off()

    def _move_lens(self) -> None:
        was = self.box.lens is not None
        at = (self._cursor.x(), self._cursor.y())
        up = self.box.magnify(*at, self._size())
        if up or was:
            self._changed({LENS_TILE: "magnifier" if up else CLOSED})

    def _lens_off(self) -> None:
        self._magnifying = False
        if self.box.lens is not None:
            self.box.lens = None
            self._changed({LENS_TILE: CLOSED})

    def _toggle_tool(self, kind: str) -> None:
        self.use_tool("" if self.tool == kind else kind)

    def _toggle_link(self) -> None:
        self.box.linked = not self.box.linked
        self.message.emit("Zoom linked." if self.box.linked else "Zoom no longer linked.")

    def _next_tile(self, step: int) -> None:
        self.box.activate_next(step)
        self.update()

    def _changed(self, changed: Changes) -> None:
        if any(not view.smooth for view in self.box.views.values()):
            self._rest.start()
        self._pending |= {tile: kind for tile, kind in changed.items() if kind}
        if self._magnifying and self.box.lens is not None and LENS_TILE not in changed:
            self._move_lens()  # what it magnifies has changed
        waited = self._frame.elapsed()
        if waited >= FRAME_MS:
            self.flush()
        elif not self._next_frame.isActive():
            self._next_frame.start(FRAME_MS - waited)

    def _settle(self) -> None:
        """Sample smoothly, off the GUI thread."""
        if self._dragged is not None or self._rest.isActive():
            return
        rough = [view for view in self.box.views.values() if not view.smooth]
        ratio = self.devicePixelRatioF()
        seen = [(view.viewport.copy(), view.image.stored) for view in rough]

        def work() -> None:
            for viewport, stored in seen:
                viewport.resample_ahead(stored, ratio)

        def done(_none: object) -> None:
            if self._dragged is not None or self._rest.isActive():
                return  # moved on; it settles when it rests again
            for view in rough:
                view.settle()
            self.update()

        if rough:
            run(self, work, done, lambda _error: done(None))

    def room(self, hanging: str) -> tuple[str, tuple[float, float], float]:
        """Return where a case will hang, for what samples it ahead."""
        return hanging, self._size(), self.devicePixelRatioF()

    def _size(self) -> tuple[float, float]:
        return float(max(self.width(), 1)), float(max(self.height(), 1))

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer


_OWN: dict[str, Callable[[ImageCanvas], None]] = {
    "magnifier": ImageCanvas._toggle_lens,
    "ruler": lambda canvas: canvas._toggle_tool("ruler"),
    "link": ImageCanvas._toggle_link,
    "next_tile": lambda canvas: canvas._next_tile(1),
    "previous_tile": lambda canvas: canvas._next_tile(-1),
}
