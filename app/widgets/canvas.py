"""One image on the screen: resampled to device pixels, through one table to grey, drawn 1:1.

Qt never scales the image (its 16-bit scaling leaves 16 grey levels). While a drag goes on the
stored values are sampled fast; at rest they are sampled smoothly once more.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QElapsedTimer, QPointF, QRectF, Qt, QTimer, Signal
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

from app import theme
from app.images.greyscale import DisplayLut, Window, default_window, display_lut, presets
from app.images.store import LoadedImage
from app.images.viewport import Rect, Resampled, Viewport
from app.widgets.keys import KeyMap
from devices.view import Affine, TileView

FRAME_MS = 16
"""Changes of the view are shown and told at most once a frame of a 60-Hz screen."""
REST_MS = 140
WHEEL_STEP = 1.15
KEY_STEP = 1.25
FINE = 0.1
"""Share of the usual speed of a window drag while Shift is held."""
_DRAG_PIXELS = 800.0
"""A drag of this length runs through the whole range of the image's values."""
_BACKGROUND = QColor(theme.CASE_BACKGROUND)
_VIEW_KEYS = {
    "invert", "flip_horizontally", "flip_vertically", "rotate_right", "rotate_left", "zoom_in",
    "zoom_out", "fit", "one_to_one", "reset",
}  # fmt: skip


class ImageCanvas(QWidget):
    """Shows one image; mouse and keys change the view as on a PACS.

    Left drag windows (Shift: fine), middle drag pans, right drag and wheel zoom at the cursor.

    Attributes
    ----------
    viewport
        How the image lies on the canvas; None without an image.
    window_level, inverted
        What is shown between black and white.
    origin_desktop
        Top-left corner of the tracked screen on the desktop; None: of the canvas's own screen.

    Signals
    -------
    view_changed : str
        The kind of the change, when it reaches the screen (`TileView.kind`).
    """

    view_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None, keys: KeyMap | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Image")
        self.keys = keys or KeyMap()
        self.viewport: Viewport | None = None
        self.window_level: Window | None = None
        self.inverted = False
        self.origin_desktop: QPointF | None = None
        self._image: LoadedImage | None = None
        self._lut: DisplayLut | None = None
        self._sampled: Resampled | None = None
        self._grey: NDArray[np.uint8] | None = None
        self._smooth = True
        self._pending = ""
        self._dragged: tuple[Qt.MouseButton, QPointF, QPointF] | None = None
        self._frame = QElapsedTimer()
        self._frame.start()
        self._next_frame = self._timer(FRAME_MS, self.flush)
        self._rest = self._timer(REST_MS, self._settle)

    @property
    def image(self) -> LoadedImage | None:
        """What is shown."""
        return self._image

    def set_image(self, image: LoadedImage | None) -> None:
        """Show an image in its first preset, fitted; None clears the canvas."""
        self._image = image
        self._pending, self._dragged = "", None
        self.viewport = None
        if image is not None:
            self.viewport = Viewport(
                image.width, image.height, self._tile(), image.attributes.pixel_aspect
            )
            self.window_level, self.inverted = default_window(image.attributes), False
        self._smooth = True
        self._changed("open" if image is not None else "", at_once=True)

    def tile_view(self, time_us: int, kind: str, tile: int = 0) -> TileView:
        """Return what is on the screen now, in the frame of the tracked screen.

        Raises
        ------
        RuntimeError
            If there is no image.
        """
        if self._image is None or self.viewport is None or self.window_level is None:
            raise RuntimeError("The canvas shows no image.")
        origin = self._origin_screen()
        x, y = origin.x(), origin.y()
        window = self.window_level
        return TileView(
            time_us,
            kind,
            tile,
            self._image.image_id,
            self._image.width,
            self._image.height,
            self.viewport.transform().then(Affine(tx=x, ty=y)),
            (x, y, float(self.width()), float(self.height())),
            window_center=window.center,
            window_width=window.width,
            inverted=self.inverted,
            flipped_horizontally=self.viewport.flipped_horizontally,
            flipped_vertically=self.viewport.flipped_vertically,
            rotation_deg=self.viewport.rotation_deg,
        )

    def grey(self) -> NDArray[np.uint8]:
        """Return what is drawn, (height, width) in device pixels, uint8."""
        if self._grey is None:
            stored, mask = self._samples()
            grey = self._table().apply(stored)
            grey[~mask] = _BACKGROUND.red()
            self._grey = np.ascontiguousarray(grey)
        return self._grey

    def act(self, action: str) -> bool:
        """Do what a key stands for; whether the canvas knows the action."""
        viewport = self.viewport
        if viewport is None or self._image is None:
            return False
        if action.startswith("preset_"):
            return self._preset(int(action[-1]) - 1)
        if action not in _VIEW_KEYS:
            return False
        self._act(viewport, action)
        return True

    def flush(self) -> None:
        """Show and tell a change that waits for its frame; before a reading ends."""
        self._next_frame.stop()
        kind, self._pending = self._pending, ""
        if kind:
            self._frame.restart()
            self.update()
            self.view_changed.emit(kind)

    def placement_changed(self) -> None:
        """Tell that the window was moved on the desktop or to another screen."""
        if self._image is not None:
            self._changed("screen")

    # ---- what the reader does -------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag."""
        if self._dragged is None and self.viewport is not None:
            self._dragged = (event.button(), event.position(), event.position())
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with a drag."""
        if self._dragged is None:
            return
        button, start, last = self._dragged
        here = event.position()
        self._dragged = (button, start, here)
        self._drag(button, start, here - last, event.modifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        if self._dragged is not None and event.button() == self._dragged[0]:
            self._dragged = None
            self.flush()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        notches = event.angleDelta().y() / 120
        if self.viewport is not None and notches:
            self._zoom(WHEEL_STEP**notches, event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what the key map says; other keys go to the page."""
        action = self.keys.action(event)
        if action is None or not self.act(action):
            event.ignore()

    # ---- drawing --------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the grey values one to one on the device's pixels."""
        painter = QPainter(self)
        if self._image is None:
            painter.fillRect(self.rect(), _BACKGROUND)
            return
        grey = self.grey()
        height, width = grey.shape
        # QImage copies nothing: `grey` stays alive as self._grey while it is drawn.
        picture = QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8)
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        painter.drawImage(QPointF(0, 0), picture)
        if self.hasFocus() and self.property("show_focus"):
            painter.setPen(QColor(theme.ACCENT))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what the reader looks at where it is."""
        if self.viewport is not None:
            self.viewport.set_tile(self._tile())
            self._changed("resize")

    # ---- inside ---------------------------------------------------------------------------

    def _drag(
        self,
        button: Qt.MouseButton,
        start: QPointF,
        by: QPointF,
        modifiers: Qt.KeyboardModifier,
    ) -> None:
        if self.viewport is None:
            return
        if button == Qt.MouseButton.LeftButton:
            self._window_by(by, FINE if modifiers & Qt.KeyboardModifier.ShiftModifier else 1.0)
        elif button == Qt.MouseButton.MiddleButton:
            self.viewport.pan_by(by.x(), by.y())
            self._changed("pan", fast=True)
        elif button == Qt.MouseButton.RightButton:
            self._zoom(math.exp(-by.y() / 200), start)

    def _window_by(self, by: QPointF, speed: float) -> None:
        if self._image is None or self.window_level is None:
            return
        whole = presets(self._image.attributes)[-1]
        step = whole.width / _DRAG_PIXELS * speed
        low, high = whole.center - whole.width, whole.center + whole.width
        center = min(max(self.window_level.center + by.y() * step, low), high)
        width = self.window_level.width + by.x() * step
        width = min(max(width, min(2.0, whole.width)), 2 * whole.width)
        self.window_level = Window(center, width)
        self._changed("window", resample=False)

    def _preset(self, index: int) -> bool:
        if self._image is None:
            return False
        offered = presets(self._image.attributes)
        if index < len(offered):
            self.window_level = offered[index]
            self._changed("window", resample=False)
        return True

    def _act(self, viewport: Viewport, action: str) -> None:
        middle = QPointF(self.width() / 2, self.height() / 2)
        if action == "invert":
            self.inverted = not self.inverted
            self._changed("invert", resample=False)
        elif action in ("zoom_in", "zoom_out"):
            self._zoom(KEY_STEP if action == "zoom_in" else 1 / KEY_STEP, middle)
        elif action in ("flip_horizontally", "flip_vertically"):
            viewport.flip(
                horizontally=action == "flip_horizontally", vertically=action == "flip_vertically"
            )
            self._changed("flip")
        elif action in ("rotate_right", "rotate_left"):
            viewport.rotate_by(90 if action == "rotate_right" else -90)
            self._changed("rotate")
        else:
            self._place(viewport, action)

    def _place(self, viewport: Viewport, action: str) -> None:
        if action == "fit":
            viewport.fit()
        elif action == "one_to_one":
            viewport.one_to_one(self.devicePixelRatioF())
        else:
            viewport.reset()
            if self._image is not None:
                self.window_level, self.inverted = default_window(self._image.attributes), False
        self._changed(action)

    def _zoom(self, factor: float, at: QPointF) -> None:
        if self.viewport is not None:
            self.viewport.zoom_at(at.x(), at.y(), factor)
            self._changed("zoom", fast=True)

    def _changed(
        self, kind: str, *, resample: bool = True, fast: bool = False, at_once: bool = False
    ) -> None:
        self._lut = self._grey = None
        if resample:
            self._sampled, self._smooth = None, not fast
        if fast:
            self._rest.start()
        self._pending = kind
        waited = self._frame.elapsed()
        if at_once or waited >= FRAME_MS:
            self.flush()
        elif not self._next_frame.isActive():
            self._next_frame.start(FRAME_MS - waited)
        if not kind:
            self.update()

    def _settle(self) -> None:
        if not self._smooth and self._dragged is None:
            self._smooth, self._sampled, self._grey = True, None, None
            self.update()

    def _samples(self) -> Resampled:
        if self._sampled is None:
            assert self.viewport is not None
            assert self._image is not None
            self._sampled = self.viewport.resample(
                self._image.stored, self.devicePixelRatioF(), self._smooth
            )
        return self._sampled

    def _table(self) -> DisplayLut:
        if self._lut is None:
            assert self._image is not None
            self._lut = display_lut(self._image.attributes, self.window_level, self.inverted)
        return self._lut

    def _tile(self) -> Rect:
        return (0.0, 0.0, float(max(self.width(), 1)), float(max(self.height(), 1)))

    def _origin_screen(self) -> QPointF:
        corner = self.origin_desktop
        if corner is None:
            corner = QPointF(self.screen().geometry().topLeft())
        return self.mapToGlobal(QPointF(0, 0)) - corner

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer
