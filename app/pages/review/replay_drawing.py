"""A reading drawn as it was on the reader's screen, at a smaller size, with gaze over it."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from app.hanging.edge_words import edge_words
from app.hanging.upright import Upright
from app.images.attributes import DisplayAttributes, Window
from app.images.greyscale import default_window, display_lut, window_shown
from app.images.resample import device_grid, sampled
from app.recording.replay import Replay, SeenFixation
from app.ui import theme
from app.ui.edge_bands import band_of, draw_bands, text_pixels
from app.ui.pixels import picture_of
from devices.gaze.density import colour, heat_map
from devices.gaze.view import Affine, TileView

_TRAIL_US = 400_000
_HEAT_SIGMA_SHARE = 0.02
_US_PER_RADIUS = 25_000.0
_SMALLEST_SHARE = 0.45
"""Of the size of circles on a whole screen: they stay circles on a small one."""
_LEAST_TEXT = 9.0
"""Minimum text size of an image's words, pixels: smaller text is unreadable."""
_BACKGROUND = QColor(theme.CASE_BACKGROUND)
Grey = NDArray[np.uint8]


class ReplayDrawing:
    """Draws one reading at one instant; used by one thread at a time.

    Attributes
    ----------
    width, height, ratio
        Size of the surface: in device-independent pixels, and real pixels per each.
    show_path, show_heat, show_gaze
        What is drawn over the images.
    """

    def __init__(self) -> None:
        self.width, self.height, self.ratio = 320, 200, 1.0
        self.show_path, self.show_heat, self.show_gaze = True, False, True
        self._replay: Replay | None = None
        self._time_us = 0
        self._span: tuple[int, int] | None = None
        self._pictures: dict[int, tuple[object, Grey]] = {}
        self._heats: dict[tuple[str, int], Grey | None] = {}
        self._kept: list[object] = []

    @property
    def replay(self) -> Replay | None:
        """What is shown."""
        return self._replay

    def set_replay(self, replay: Replay | None) -> None:
        """Show another reading from its start."""
        self._replay, self._time_us, self._span = replay, 0, None
        self._pictures, self._heats = {}, {}

    def set_span(self, span: tuple[int, int] | None) -> None:
        """Draw path and heat map only for a span of microseconds; None for the whole reading."""
        self._span, self._heats = span, {}

    def set_time(self, time_us: int) -> None:
        """Show an instant since the start."""
        self._time_us = time_us

    def to_widget(self) -> Affine:
        """Return the map from `_screen`, as it was at this instant, to this widget."""
        assert self._replay is not None
        width, height = self._replay.size_screen_at(self._time_us)
        scale = min(self.width / width, self.height / height)
        left, top = (self.width - scale * width) / 2, (self.height - scale * height) / 2
        return Affine(a=scale, d=scale, tx=left, ty=top)

    def draw(self, painter: QPainter) -> None:
        """Draw the images with their words as they were, then what is selected over them."""
        painter.fillRect(0, 0, self.width, self.height, _BACKGROUND)
        if self._replay is None:
            return
        self._kept = []
        to_widget = self.to_widget()
        views = self._replay.views_at(self._time_us)
        for view in views:
            self._draw_tile(painter, view, to_widget)
            self._draw_words(painter, view, to_widget)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for view in views:
            painter.save()
            painter.setClipRect(_rect(view, to_widget))
            self._draw_over(painter, view, view.transform.then(to_widget))
            painter.restore()
        if self.show_gaze:
            self._draw_gaze(painter, to_widget)

    def _draw_tile(self, painter: QPainter, view: TileView, to_widget: Affine) -> None:
        grey = self._grey(view, to_widget)
        self._kept.append(grey)
        picture = picture_of(grey)
        picture.setDevicePixelRatio(self.ratio)
        painter.drawImage(_rect(view, to_widget).topLeft(), picture)
        if self.show_heat:
            heat = self._heat(view, to_widget)
            if heat is not None:
                self._kept.append(heat)
                shown = QImage(
                    heat.data, heat.shape[1], heat.shape[0], 4 * heat.shape[1],
                    QImage.Format.Format_RGBA8888,
                )  # fmt: skip
                shown.setDevicePixelRatio(self.ratio)
                painter.drawImage(_rect(view, to_widget).topLeft(), shown)

    def _draw_words(self, painter: QPainter, view: TileView, to_widget: Affine) -> None:
        """Draw the words of the image's bands: side, view, window, zoom, frame."""
        assert self._replay is not None
        attributes = self._replay.images[view.image_id].attributes
        turn = Upright(view.rotation_deg, view.flipped_horizontally, view.flipped_vertically)
        window = _window_of(attributes, view)
        zoom = math.hypot(view.transform.a, view.transform.b)
        zoom *= self._replay.pixel_ratio_at(self._time_us)
        words = edge_words(attributes, turn, window or default_window(attributes), view.frame, zoom)
        text = max(_LEAST_TEXT, text_pixels(None) * to_widget.a)
        tile = _rect(view, to_widget)
        # Words enlarged to be readable may extend into the tile below.
        reach = tile.adjusted(0, 0, 0, 2 * band_of(text))
        others = (
            _rect(v, to_widget) for v in self._replay.views_at(self._time_us) if v is not view
        )
        free = not any(reach.intersects(other) and other.top() > tile.top() for other in others)
        draw_bands(painter, tile, words, text, below_too=free)

    def _grey(self, view: TileView, to_widget: Affine) -> Grey:
        """Return a tile's grey values; computed again only when its view has changed."""
        key = (view, self.width, self.height, self.ratio)
        held = self._pictures.get(view.tile)
        if held is not None and held[0] == key:
            return held[1]
        assert self._replay is not None
        image = self._replay.images[view.image_id].at_frame(view.frame)
        place, ratio = _rect(view, to_widget), self.ratio
        tile = (place.x(), place.y(), place.width(), place.height())
        to_image = view.transform.then(to_widget).inverse()
        scale = abs(view.transform.a + view.transform.b) * to_widget.a * ratio
        size = (image.width, image.height)
        seen = sampled(image.stored, to_image, tile, size, (ratio, scale), smooth=False)
        window = _window_of(image.attributes, view)
        grey = display_lut(image.attributes, window, view.inverted).apply(seen.pixels)
        shutter = image.attributes.shutter
        if shutter is not None:
            grey[~shutter.open_on(*device_grid(to_image, tile, ratio))] = shutter.grey
        grey[~seen.mask] = _BACKGROUND.red()
        grey = np.ascontiguousarray(grey)
        self._pictures[view.tile] = (key, grey)
        return grey

    def _heat(self, view: TileView, to_widget: Affine) -> Grey | None:
        """Return the heat map of all gaze on the frame a tile shows, warped into the tile."""
        shown = (view.image_id, view.frame)
        if shown not in self._heats:
            self._heats[shown] = self._small_heat(view)
        small, ratio = self._heats[shown], self.ratio
        if small is None:
            return None
        place = _rect(view, to_widget)
        to_small = Affine(a=small.shape[1] / view.image_width, d=small.shape[0] / view.image_height)
        device = Affine(a=1 / ratio, d=1 / ratio, tx=place.x(), ty=place.y())
        t = device.then(view.transform.then(to_widget).inverse()).then(to_small)
        warped = cv2.warpAffine(
            small,
            np.array([[t.a, t.c, t.tx], [t.b, t.d, t.ty]]),
            (max(round(place.width() * ratio), 1), max(round(place.height() * ratio), 1)),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        return np.ascontiguousarray(warped, np.uint8)

    def _small_heat(self, view: TileView) -> Grey | None:
        """Return the heat map of a frame in colours; None if no one looked at it."""
        assert self._replay is not None
        begin_us, end_us = self._span or (0, self._replay.duration_us)
        points = self._replay.points_on(view.image_id, end_us, view.frame, begin_us)
        if len(points) == 0:
            return None
        width, height = view.image_width, view.image_height
        sigma = _HEAT_SIGMA_SHARE * max(width, height)
        return colour(heat_map(points, np.ones(len(points)), width, height, sigma, 256))

    def _draw_over(self, painter: QPainter, view: TileView, to_widget: Affine) -> None:
        assert self._replay is not None
        if self.show_path:
            begin_us, end_us = self._span or (0, self._time_us)
            so_far = [
                f for f in self._replay.fixations
                if begin_us <= f.start_us <= end_us and f.image_id == view.image_id
                and f.frame == view.frame and f.x_image is not None
            ]  # fmt: skip
            smaller = min(1.0, max(_SMALLEST_SHARE, self.to_widget().a))
            _draw_path(painter, so_far, to_widget, smaller)
        painter.setPen(QPen(QColor(theme.AMBER), 1.6))
        for time_us, image_id, mark in self._replay.marks:
            if image_id == view.image_id and mark.frame == view.frame and time_us <= self._time_us:
                ends = to_widget.map([mark.start_image, mark.end_image])
                start, end = QPointF(*ends[0]), QPointF(*ends[1])
                if mark.kind == "box":
                    painter.drawRect(QRectF(start, end).normalized())
                else:
                    painter.drawLine(start - QPointF(8, 0), start + QPointF(8, 0))
                    painter.drawLine(start - QPointF(0, 8), start + QPointF(0, 8))

    def _draw_gaze(self, painter: QPainter, to_widget: Affine) -> None:
        assert self._replay is not None
        first, last = np.searchsorted(
            self._replay.time_us, (self._time_us - _TRAIL_US, self._time_us)
        )
        trail = to_widget.map(self._replay.gaze.points_screen[first:last])
        trail = trail[~np.isnan(trail[:, 0])]
        if len(trail) == 0:
            return
        painter.setPen(QPen(QColor(theme.ACCENT), 1.2))
        painter.drawPolyline([QPointF(*point) for point in trail.tolist()])
        painter.setBrush(QColor(theme.ACCENT))
        painter.drawEllipse(QPointF(*trail[-1].tolist()), 4, 4)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_path(
    painter: QPainter, fixations: list[SeenFixation], to_widget: Affine, smaller: float
) -> None:
    """Draw circles as large as dwell was long, smaller where the screen is drawn smaller."""
    if not fixations:
        return
    places = to_widget.map([(f.x_image or 0.0, f.y_image or 0.0) for f in fixations]).tolist()
    points = [QPointF(x, y) for x, y in places]
    painter.setPen(QPen(QColor(255, 255, 255, 90), 1))
    painter.drawPolyline(points)
    painter.setPen(QPen(QColor(theme.ACCENT), 1.4))
    for fixation, at in zip(fixations, points, strict=True):
        radius = max(2.5, (fixation.duration_us / _US_PER_RADIUS) ** 0.5 * 2.5 * smaller)
        painter.drawEllipse(at, radius, radius)


def _window_of(attributes: DisplayAttributes, view: TileView) -> Window | None:
    if view.window_center is None or view.window_width is None:
        return None
    return window_shown(attributes, view.window_center, view.window_width)


def _rect(view: TileView, to_widget: Affine) -> QRectF:
    x, y, width, height = view.rect_screen
    (left, top), (right, bottom) = to_widget.map([(x, y), (x + width, y + height)])
    return QRectF(left, top, right - left, bottom - top)
