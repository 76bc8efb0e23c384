"""The reader's pages, driven by mouse and keys: wizard, worklist, calibration, review, reading."""

from collections.abc import Callable
from datetime import timedelta

from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLineEdit

from app.demo.hands import drag, press, wheel
from app.demo.steps import Script, Until
from app.images.clearing import clear, to_clear
from app.pages.calibration.offsets import TargetOffset
from app.pages.calibration.page import ValidationSummary
from app.pages.calibration.quality_table import EyeSummary
from app.pages.calibration.validation_view import in_force_text
from app.pages.review.controller import ReviewController
from app.station import Station
from app.ui.text import tr
from tests.app.screenshots.fixed import BEGIN

Keep = Callable[..., Script]


def before_reading(station: Station, keep: Keep) -> Script:
    """Go through the pages that need no session."""
    yield from _wizard(station, keep)
    study, sitting = station.study, station.sitting
    assert study is not None
    worklist = sitting.worklist.page
    yield Until("the trackers", lambda: sitting.worklist.devices.found is not None, 60)
    station.go("clearing")
    yield from keep("clearing", "clearing_page")
    clear(study, [image.image_id for image in to_clear(study)], "demo")
    station.go("worklist")
    yield Until("the cases", lambda: len(worklist.model.rows) > 1, 60)
    yield from keep("worklist", "worklist_page", "start_reading")
    station.go("calibration")
    sitting.calibration.page.show_result(_validation())
    yield from keep("calibration", "calibration_page")
    yield from _review(station, keep)


def _wizard(station: Station, keep: Keep) -> Script:
    page = station.shell.new_study
    station.window.show_page("new_study")
    page.findChild(QLineEdit, "new_name").setText("Breast masses")
    page.show_step([step.name for step in page.steps].index("form"))
    example = next(b for b in page.findChildren(QAbstractButton) if "example" in b.text())
    example.click()
    yield from keep("new-study", "new_study_page")


def _validation() -> ValidationSummary:
    """Return a calibration in which one target is worth another look."""
    places = [(x, y) for y in (0.12, 0.5, 0.88) for x in (0.1, 0.5, 0.9)]
    errors = (0.4, 0.3, 0.5, 0.35, 0.2, 0.45, 0.6, 0.4, 1.1)
    shifts = ((3, 1), (-2, 2), (2, -2), (-3, 1), (1, 1), (3, 2), (-3, -2), (2, 3), (-8, -7))
    offsets = tuple(
        TargetOffset(at, (at[0] + 0.001 * dx, at[1] + 0.0015 * dy), error)
        for at, error, (dx, dy) in zip(places, errors, shifts, strict=True)
    )
    eyes = (
        EyeSummary(tr("Both eyes"), 0.48, 0.11, 0.19, 0.021),
        EyeSummary(tr("Left eye"), 0.55, 0.13, 0.22, 0.026),
        EyeSummary(tr("Right eye"), 0.52, 0.12, 0.21, 0.034),
    )
    made = BEGIN + timedelta(hours=1)
    force = in_force_text(made, made + timedelta(minutes=2))
    note = tr("Distance measured by the tracker.")
    return ValidationSummary(offsets, 1.6, (0.018, 0.029), eyes, 1.0, 0.1, note, force,
                             collected=tuple(places), bad=(places[-1],))  # fmt: skip


def _review(station: Station, keep: Keep) -> Script:
    station.go("review")
    review = station.job(ReviewController).page
    yield Until("the readings", lambda: review.list.count() > 3, 60)
    review.list.setCurrentRow(review.list.count() - 2)
    view = review.views[0]
    yield Until("the replay", lambda: view.replay is not None, 60)
    heat = review.findChild(QCheckBox, "show_heat")
    heat.setChecked(True)
    review.slider.setValue(review.slider.maximum() // 3)
    review.span.set_end(0, review.time_us // 4)
    review.slider.setValue(2 * review.slider.maximum() // 3)
    review.span.set_end(1, review.time_us)
    yield from keep("review", "review_page", "readings", "replay_time", "show_heat")


def reading(station: Station, keep: Keep) -> Script:
    """Read two cases, with marks; look back at the first one."""
    page, canvas = station.sitting.reading.page, station.sitting.reading.page.canvas

    def at_rest() -> bool:
        """Return whether every image is sampled as smoothly as it will be."""
        views = canvas.box.views.values()
        return bool(views) and all(view.smooth for view in views)

    station.go("worklist")
    station.sitting.start_reading(anyway=True)
    yield Until("the first case", lambda: page.state == "reading", 120)
    yield Until("the images at rest", at_rest, 60)
    yield from keep("reading-mammography", "reading_page")
    press(canvas, Qt.Key.Key_2)
    press(canvas, Qt.Key.Key_Return)
    yield Until("the second case", lambda: page.state == "reading" and not page.answer, 120)
    wheel(canvas, QPointF(canvas.width() * 0.5, canvas.height() * 0.5), 2)
    press(canvas, Qt.Key.Key_2)
    yield Until("the images at rest", at_rest, 60)
    yield from keep("reading", "reading_page")
    press(canvas, Qt.Key.Key_Space)
    left, middle = Qt.MouseButton.LeftButton, QPointF(canvas.width() / 2, canvas.height() / 2)
    press(canvas, Qt.Key.Key_D)
    drag(canvas, left, middle + QPointF(-20, -28), QPointF(58, 10), 6)
    press(canvas, Qt.Key.Key_D)
    press(canvas, Qt.Key.Key_X)
    drag(canvas, left, middle + QPointF(-205, -125), QPointF(75, 75), 6)
    press(canvas, Qt.Key.Key_X)
    QTest.mouseMove(canvas, (middle + QPointF(20, 130)).toPoint())
    press(canvas, Qt.Key.Key_M)
    yield Until("the images at rest", at_rest, 60)
    yield from keep("reading-marks", "reading_page")
    press(canvas, Qt.Key.Key_M)
    press(canvas, Qt.Key.Key_B)
    yield Until("the images at rest", at_rest, 60)
    yield from keep("reading-correct", "reading_page")
    press(canvas, Qt.Key.Key_Return)
    press(canvas, Qt.Key.Key_F12)
    yield from keep("reading-keys", "close_keys")
