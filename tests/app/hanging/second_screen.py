"""Shows a spot on a second screen left of and above the first, and prints where it lies.

python -m tests.app.hanging.second_screen; Qt needs the screens before it starts.
"""

import json
import sys
import time

import numpy as np
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.hanging.lightbox import Hung
from app.pages.reading.canvas import ImageCanvas
from app.ui.screen import screen_geometry
from tests.app.hanging.pictures import picture

SPOT = (150.0, 110.0)


def main() -> None:
    """Print what the view says and what the picture shows, in image pixels."""
    app = QApplication(sys.argv[:1])
    screen = next(s for s in app.screens() if s.geometry().x() < 0)
    rows, columns = np.mgrid[:300, :400]
    away = (columns + 0.5 - SPOT[0]) ** 2 + (rows + 0.5 - SPOT[1]) ** 2
    image = picture(stored=(4000 * np.exp(-away / 32)).astype(np.uint16))
    canvas = ImageCanvas()
    canvas.resize(700, 500)
    canvas.move(screen.geometry().topLeft() + QPoint(120, 90))
    canvas.show()
    app.processEvents()
    geometry = screen_geometry(screen)
    canvas.origin_desktop = QPointF(geometry.x_desktop, geometry.y_desktop)
    canvas.set_case([Hung(0, image), Hung(1, picture("other"))], "two-up")
    for action in ("rotate_right", "flip_vertically", "zoom_in"):
        canvas.act(action)
    app.processEvents()
    for _ in range(20):
        time.sleep(0.02)
        app.processEvents()
    shown = canvas.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    bits = np.frombuffer(shown.constBits(), np.uint8)
    bits = bits.reshape(shown.height(), -1)[:, : shown.width()].astype(float)
    bits[bits < 60] = 0
    bits[:, shown.width() // 2 - 12 :] = 0
    bits[:8], bits[-8:], bits[:, :8] = 0, 0, 0  # the frame of the active tile
    j, i = np.nonzero(bits)
    weight = bits[j, i]
    at = (
        np.array([(i + 0.5) @ weight, (j + 0.5) @ weight]) / weight.sum() / shown.devicePixelRatio()
    )
    desktop = canvas.mapToGlobal(QPointF(*at))
    norm = np.array([desktop.x() - geometry.x_desktop, desktop.y() - geometry.y_desktop])
    norm /= (geometry.width_screen, geometry.height_screen)
    view = canvas.tile_view(0, "open", 0)
    landed = view.to_image(geometry.norm_to_screen([norm.tolist()]))[0]
    sys.stdout.write(json.dumps({
        "ratio": canvas.devicePixelRatioF(), "x": geometry.x_desktop, "y": geometry.y_desktop,
        "landed": landed.tolist(), "spot": SPOT,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
