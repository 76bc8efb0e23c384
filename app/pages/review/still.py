"""The picture of a replay at one instant, as a PNG: images, path, heat map and gaze as drawn."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtGui import QImage, QPainter

from app.errors import AppError
from app.pages.review.replay_view import ReplayView
from app.ui.text import tr


def still_of(views: Sequence[ReplayView]) -> QImage:
    """Return what the visible views show now, side by side, in pixels of the screen."""
    shown = [view.grab().toImage() for view in views if view.isVisible() and view.replay]
    width, height = sum(image.width() for image in shown), max(i.height() for i in shown)
    made = QImage(width, height, QImage.Format.Format_RGB32)
    made.fill(0)
    painter, left = QPainter(made), 0
    for image in shown:
        image.setDevicePixelRatio(1.0)
        painter.drawImage(left, 0, image)
        left += image.width()
    painter.end()
    return made


def write_still(image: QImage, path: Path) -> Path:
    """Write a picture as PNG; runs off the GUI thread.

    Raises
    ------
    AppError
        If it cannot be written.
    """
    path = path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")
    if not image.save(str(path)):
        raise AppError(
            tr(
                "{path} cannot be written. Choose a folder that you can write to.",
                path=path,
            )
        )
    return path
