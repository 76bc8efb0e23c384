"""The images of a case on the screen: resampled to device pixels, through a table, drawn 1:1.

Qt never scales an image (its 16-bit scaling leaves 16 grey levels). During a drag, the stored
values are sampled fast; at rest, they are sampled smoothly once more.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.hanging.edge_words import edge_words
from app.hanging.image_view import ImageView
from app.hanging.lightbox import LENS_TILE, Changes, Hung, LightBox
from app.hanging.marks import Mark
from app.hanging.upright import turn_of
from app.images.greyscale import Window
from app.images.store import LoadedImage
from app.pages.reading.frame_pacer import FramePacer
from app.pages.reading.overlay import draw_overlay
from app.pages.reading.smoother import Smoother
from app.ui import theme
from app.ui.edge_bands import band_pixels, draw_bands, text_pixels
from app.ui.pixels import picture_of, screen_pixels
from app.ui.text import tr
from devices.gaze.view import TileView

_BACKGROUND = QColor(theme.CASE_BACKGROUND)


class ImageArea(QWidget):
    """Shows the images of one case, and reports what the reader sees of them, and since when.

    Attributes
    ----------
    box
        What hangs here.
    origin_desktop
        Top-left corner of the tracked screen on the desktop; None: of the widget's own screen.
    view_pixel_mm
        Width of a device-independent pixel on the screen; None where it is not known.
    marks
        What is drawn over the images.
    with_words
        Whether side, view, letters, window and zoom are shown above and below each image.

    Signals
    -------
    view_changed : str, int
        The kind of a change and its tile, when it reaches the screen (`TileView.kind`).
    """

    view_changed = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Image"))
        self.box = LightBox(_BACKGROUND.red())
        self.origin_desktop: QPointF | None = None
        self.view_pixel_mm: float | None = None
        self.marks: list[Mark] = []
        self.with_words = False
        self._drawn: list[NDArray[np.uint8]] = []
        self._frames = FramePacer(self, self._show)
        self._smoother = Smoother(self, lambda: self.box.views.values(), self._is_held)

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
    def tiles(self) -> list[int]:
        """The tiles on the screen, the lens among them."""
        return [*self.box.views, *([LENS_TILE] if self.box.lens else [])]

    def set_image(self, image: LoadedImage | None) -> None:
        """Show one image; None clears the canvas."""
        self.set_case([Hung(0, image)] if image else [], "one-up")

    def set_case(self, images: Sequence[Hung], hanging: str) -> None:
        """Hang the images of a case, each in its first preset, fitted; none clears the canvas."""
        self._frames.forget()
        self._smoother.stop()
        self._put_tools_down()
        self.marks = []
        self.box.band_view = self._band()
        self.box.hang(images, hanging, self._size(), self.devicePixelRatioF())
        self.update()
        self._smoother.start()
        self._frames.add(dict.fromkeys(self.box.views, "open"))
        self._frames.flush()

    def take_down(self) -> LightBox:
        """Return what hangs here and clear the canvas for something else; reports nothing."""
        self._take_lens_off()
        self._put_tools_down()
        self._frames.forget()
        hung, self.box = self.box, LightBox(_BACKGROUND.red(), self._band())
        return hung

    def put_up(self, hung: LightBox) -> None:
        """Show again what was taken down; reports nothing."""
        self._frames.forget()
        self.box = hung
        self.box.layout(self._size(), self.devicePixelRatioF())
        self.update()

    def tile_view(self, time_us: int, kind: str, tile: int | None = None) -> TileView:
        """Return the position of a tile (the active one) in the frame of the tracked screen.

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
        """Return what is drawn of the active tile, as `ImageView.grey` does."""
        if self.view is None:
            return np.zeros((0, 0), np.uint8)
        return self.view.grey(self.devicePixelRatioF())

    def flush(self) -> None:
        """Show and report the changes that wait for their frame; before a reading ends."""
        self._frames.flush()

    def placement_changed(self) -> None:
        """Report that the window was moved on the desktop or to another screen."""
        self._changed(dict.fromkeys(self.tiles, "screen"))

    def room(self, hanging: str) -> tuple[str, tuple[float, float], float, float]:
        """Return where a case will hang, for sampling it ahead."""
        return hanging, self._size(), self.devicePixelRatioF(), self._band()

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
        if self.with_words:
            self._paint_words(painter)
        draft = self._draft()
        draw_overlay(painter, self.box, [*self.marks, *([draft] if draft else [])])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what the reader is looking at where it is.

        A canvas that is shown is told its size even if it was laid out for it before.
        """
        if self.box.views and self.box.size_view != self._size():
            self._take_lens_off()
            self._changed(self.box.layout(self._size(), self.devicePixelRatioF()))

    def event(self, event: QEvent) -> bool:
        """Redraw on a screen with other pixels."""
        if event.type() == QEvent.Type.DevicePixelRatioChange and self.box.views:
            self.box.layout(self._size(), self.devicePixelRatioF())
            for view in self.box.views.values():
                view.stale()
            self._changed(dict.fromkeys(self.tiles, "screen"))
        return super().event(event)

    def _is_held(self) -> bool:
        """Return whether a drag is in progress, so that the images do not rest."""
        return False

    def _draft(self) -> Mark | None:
        """Return what is being drawn, if anything."""
        return None

    def _put_tools_down(self) -> None:
        """Cancel what mouse and keys had begun: other images are coming."""

    def _take_lens_off(self) -> None:
        """Remove the lens."""

    def _changed(self, changed: Changes) -> None:
        """Show and report changes of tiles, in their frame."""
        self._smoother.disturb()
        self._frames.add(changed)

    def _show(self, changed: Changes) -> None:
        self.update()
        for tile, kind in changed.items():
            self.view_changed.emit(kind, tile)

    def _filled(self, view: ImageView) -> bool:
        """Return whether one tile covers the canvas, so that nothing behind it need be drawn."""
        x, y, width, height = view.viewport.tile_view
        return x <= 0 and y <= 0 and width >= self.width() and height >= self.height()

    def _paint(self, painter: QPainter, view: ImageView) -> None:
        pixels = screen_pixels(view.grey(self.devicePixelRatioF()))
        self._drawn.append(pixels)
        picture = picture_of(pixels)
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        x, y, _, _ = view.viewport.tile_view
        painter.drawImage(QPointF(x, y), picture)

    def _paint_words(self, painter: QPainter) -> None:
        text, ratio = text_pixels(self.view_pixel_mm), self.devicePixelRatioF()
        for view in self.box.views.values():
            turn, zoom = turn_of(view.viewport), view.viewport.zoom * ratio
            words = edge_words(view.image.attributes, turn, view.window, view.frame, zoom)
            draw_bands(painter, QRectF(*view.viewport.tile_view), words, text)

    def _band(self) -> float:
        return band_pixels(self.view_pixel_mm) if self.with_words else 0.0

    def _size(self) -> tuple[float, float]:
        return float(max(self.width(), 1)), float(max(self.height(), 1))
