"""One image on the screen: resampled to device pixels, through one table to grey, drawn 1:1.

Qt never scales the image (its 16-bit scaling leaves 16 grey levels). While a drag goes on the
stored values are sampled fast; at rest they are sampled smoothly once more.
"""

import math
from collections.abc import Callable

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

from app import theme
from app.images.greyscale import Window
from app.images.store import LoadedImage
from app.images.viewport import Rect
from app.widgets.image_view import FINE, ImageView
from app.widgets.keys import KeyMap
from devices.view import TileView

FRAME_MS = 16
"""Changes of the view are shown and told at most once a frame of a 60-Hz screen."""
REST_MS = 140
WHEEL_STEP = 1.15
ZOOM_PIXELS = 200.0
"""A right drag of this length zooms by e."""
_BACKGROUND = QColor(theme.CASE_BACKGROUND)


class ImageCanvas(QWidget):
    """Shows one image; mouse and keys change the view as on a PACS.

    Left drag windows (Shift: fine), middle drag pans, right drag and wheel zoom at the cursor.

    Attributes
    ----------
    view
        What is seen of the image; None without one.
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
        self.view: ImageView | None = None
        self.origin_desktop: QPointF | None = None
        self._drawn: NDArray[np.uint8] | None = None
        self._pending = ""
        self._dragged: tuple[Qt.MouseButton, QPointF, QPointF] | None = None
        self._frame = QElapsedTimer()
        self._frame.start()
        self._next_frame = self._timer(FRAME_MS, self.flush)
        self._rest = self._timer(REST_MS, self._settle)

    @property
    def image(self) -> LoadedImage | None:
        """What is shown."""
        return self.view.image if self.view else None

    @property
    def window_level(self) -> Window | None:
        """What is shown between black and white."""
        return self.view.window if self.view else None

    def set_image(self, image: LoadedImage | None) -> None:
        """Show an image in its first preset, fitted; None clears the canvas."""
        self._next_frame.stop()
        self._rest.stop()
        self._pending, self._dragged = "", None
        self.view = ImageView(image, self._tile(), _BACKGROUND.red()) if image else None
        self.update()
        if image is not None:
            self._pending = "open"
            self.flush()

    def tile_view(self, time_us: int, kind: str, tile: int = 0) -> TileView:
        """Return what is on the screen now, in the frame of the tracked screen.

        Raises
        ------
        RuntimeError
            If there is no image.
        """
        if self.view is None:
            raise RuntimeError("The canvas shows no image.")
        corner = self.origin_desktop
        if corner is None:
            corner = QPointF(self.screen().geometry().topLeft())
        origin = self.mapToGlobal(QPointF(0, 0)) - corner
        return self.view.tile_view(time_us, kind, tile, (origin.x(), origin.y()))

    def grey(self) -> NDArray[np.uint8]:
        """Return what is drawn, (height, width) in device pixels; empty without an image."""
        if self.view is None:
            return np.zeros((0, 0), np.uint8)
        return self.view.grey(self.devicePixelRatioF())

    def act(self, action: str) -> bool:
        """Do what a key stands for; whether the canvas knows the action."""
        if self.view is None:
            return False
        kind = self.view.act(action, self.devicePixelRatioF())
        if kind is None:
            return False
        self._changed(kind)
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
        if self.view is not None:
            self._changed("screen")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag."""
        if self._dragged is None and self.view is not None:
            self._dragged = (event.button(), event.position(), event.position())
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with a drag."""
        if self._dragged is None or self.view is None:
            return
        button, start, last = self._dragged
        self._dragged = (button, start, event.position())
        by = event.position() - last
        if button == Qt.MouseButton.LeftButton:
            fine = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._changed(self.view.window_by(by.x(), by.y(), FINE if fine else 1.0))
        elif button == Qt.MouseButton.MiddleButton:
            self._changed(self.view.pan(by.x(), by.y()))
        elif button == Qt.MouseButton.RightButton:
            factor = math.exp(-by.y() / ZOOM_PIXELS)
            self._changed(self.view.zoom(factor, start.x(), start.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        if self._dragged is not None and event.button() == self._dragged[0]:
            self._dragged = None
            self.flush()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        notches, at = event.angleDelta().y() / 120, event.position()
        if self.view is not None and notches:
            self._changed(self.view.zoom(WHEEL_STEP**notches, at.x(), at.y()))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what the key map says; other keys go to the page."""
        action = self.keys.action(event)
        if action is None or not self.act(action):
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the grey values one to one on the device's pixels."""
        painter = QPainter(self)
        if self.view is None:
            painter.fillRect(self.rect(), _BACKGROUND)
            return
        # QImage copies nothing: the array must live as long as it is drawn.
        grey = self._drawn = self.grey()
        height, width = grey.shape
        picture = QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8)
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        painter.drawImage(QPointF(0, 0), picture)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what the reader looks at where it is."""
        if self.view is not None:
            self._changed(self.view.set_tile(self._tile()))

    def event(self, event: QEvent) -> bool:
        """Draw anew on a screen with other pixels."""
        if event.type() == QEvent.Type.DevicePixelRatioChange and self.view is not None:
            self.view.stale()
            self._changed("screen")
        return super().event(event)

    def _changed(self, kind: str) -> None:
        if self.view is not None and not self.view.smooth:
            self._rest.start()
        self._pending = kind
        waited = self._frame.elapsed()
        if waited >= FRAME_MS:
            self.flush()
        elif not self._next_frame.isActive():
            self._next_frame.start(FRAME_MS - waited)

    def _settle(self) -> None:
        if self._dragged is None and self.view is not None and not self.view.smooth:
            self.view.settle()
            self.update()

    def _tile(self) -> Rect:
        return (0.0, 0.0, float(max(self.width(), 1)), float(max(self.height(), 1)))

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer
