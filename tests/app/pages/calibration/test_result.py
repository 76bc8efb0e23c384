"""The result of a calibration: drawn inside its frame, with date and age of what is in force."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from app.pages.calibration.offsets import OffsetPicture, TargetOffset, _inside
from app.pages.calibration.validation_view import in_force_text
from app.ui import theme

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "age"),
    [
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=30), "30 minutes ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=9), "9 days ago"),
    ],
)
def test_the_age_of_the_calibration_in_force_is_told(before: timedelta, age: str) -> None:
    assert age in in_force_text(NOW - before, NOW)


def test_a_tracker_that_calibrates_itself_is_said_to() -> None:
    assert "own software" in in_force_text(None, NOW)


def test_gaze_far_off_is_drawn_at_the_edge_of_the_frame() -> None:
    frame = QRectF(0, 0, 100, 50)
    assert frame.contains(_inside(frame, QPointF(900, -400)))
    assert _inside(frame, QPointF(40, 20)) == QPointF(40, 20)


def test_a_failed_validation_draws_nothing_beside_its_frame(qtbot) -> None:
    picture = OffsetPicture()
    qtbot.addWidget(picture)
    picture.resize(600, 240)  # the frame is narrower than the widget
    far = TargetOffset((0.1, 0.5), (3.0, -2.0), 17.7, (4.0, 4.0), (-3.0, -3.0))
    picture.show_offsets([far], 1.0, (0.4, 0.4))
    grabbed = picture.grab().toImage().convertToFormat(picture.grab().toImage().Format.Format_RGB32)
    pixels = np.frombuffer(grabbed.constBits(), np.uint8).reshape(240, -1, 4)
    frame = picture._screen()
    beside = pixels[: int(frame.bottom()), : int(frame.left()) - 2]
    assert (beside == beside[0, 0]).all()
    accent = np.array([int(theme.ACCENT[i : i + 2], 16) for i in (5, 3, 1)])
    assert (np.abs(pixels[..., :3].astype(int) - accent).sum(axis=2) < 30).any()
