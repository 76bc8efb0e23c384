"""The screen used for reading, as Qt knows it."""

import sys

from PySide6.QtCore import QPointF
from PySide6.QtGui import QScreen

from app.ui.text import tr
from devices.gaze.geometry import ScreenGeometry

_MM_PER_INCH = 25.4
_USUAL_DPI = 96.0
_SLACK = 8.0
"""A window's frame may extend beyond the screen's edge by this many device-independent pixels."""


def screen_geometry(screen: QScreen) -> ScreenGeometry:
    """Return a screen's size and position.

    Millimetres are those reported by the monitor, to be checked by hand before degrees are trusted;
    without a report, 96 pixels per inch are assumed.
    """
    place, size_mm = screen.geometry(), screen.physicalSize()
    usual_mm = _MM_PER_INCH / _USUAL_DPI
    return ScreenGeometry(
        width_screen=float(place.width()),
        height_screen=float(place.height()),
        width_mm=size_mm.width() if size_mm.width() > 0 else place.width() * usual_mm,
        height_mm=size_mm.height() if size_mm.height() > 0 else place.height() * usual_mm,
        x_desktop=float(place.x()),
        y_desktop=float(place.y()),
        device_pixel_ratio=screen.devicePixelRatio(),
        refresh_hz=screen.refreshRate(),
        name=_model(screen),
    )


def desktop_point(geometry: ScreenGeometry, x_norm: float, y_norm: float) -> QPointF:
    """Return the position of a point of the tracked screen on the desktop, in Qt's units."""
    x, y = geometry.norm_to_screen([(x_norm, y_norm)])[0].tolist()
    return QPointF(geometry.x_desktop + x, geometry.y_desktop + y)


def _model(screen: QScreen) -> str:
    # The serial number of a monitor identifies a workplace; its model does not.
    words = [screen.manufacturer(), screen.model()]
    return " ".join(word for word in words if word) or f"{sys.platform} screen"


def outside_screen(
    place_desktop: tuple[float, float, float, float], geometry: ScreenGeometry
) -> str:
    """Return why images at (x, y, width, height) of the desktop cannot be read; "" if they can.

    Gaze outside the tracked screen is not tracked, so all of the images must be on it.
    """
    x, y, width, height = place_desktop
    left, top = x - geometry.x_desktop, y - geometry.y_desktop
    inside = (
        left >= -_SLACK
        and top >= -_SLACK
        and left + width <= geometry.width_screen + _SLACK
        and top + height <= geometry.height_screen + _SLACK
    )
    if inside:
        return ""
    if geometry.name:
        return tr(
            "Not all images are on the tracked screen. Move the window back to {screen}, then "
            "resume.",
            screen=geometry.name,
        )
    return tr("Not all images are on the tracked screen. Move the window back, then resume.")
