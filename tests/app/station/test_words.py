"""No text of the reader's pages misses translation, and a longer language is not cut off.

A made-up language puts every sentence into brackets and lengthens it by 40 %.
"""

from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QCoreApplication, QSize
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from app.images.clearing import SheetImage
from app.pages.calibration.offsets import TargetOffset
from app.pages.calibration.page import CalibrationPage, ValidationSummary
from app.pages.calibration.quality_table import EyeSummary
from app.pages.calibration.validation_view import in_force_text
from app.pages.clearing.page import ClearingPage
from app.pages.reading.page import ReadingPage
from app.pages.review.page import ReviewPage
from app.pages.settings.page import SettingsPage
from app.pages.setup.page import SetupPage
from app.pages.worklist.page import WorklistPage
from app.recording.screen_setup import StationSetup, warnings_of
from app.recording.worklist import WorklistRow
from app.shell.new_study.page import NewStudyPage
from app.shell.start_page import StartPage
from app.shell.window import MainWindow
from app.ui.page import Page
from app.ui.text import told, tr, trn
from devices.gaze.geometry import ScreenGeometry
from tests.app.station.made_up import SIZE, cut_headings, cut_off, made_up, missed

__all__ = ["made_up"]


def worklist(qtbot) -> QWidget:
    page = WorklistPage()
    fields = {"practice": False, "hanging": "one-up", "image_count": 2}
    page.show_rows([
        WorklistRow(0, "c1", "Case 001", state="to read", **fields),
        WorklistRow(1, "c2", "Case 001", state="finished", to_clear=2, **fields),
    ])  # fmt: skip
    page.show_readers(["R1"], None)
    page.show_devices([], "")
    page.show_missing(tr("None was found."))
    page.show_ready(False, False, "Choose a reader first.")
    page.show_import(tr("Looking for files…"), 1, 2)
    return page


def calibration(qtbot) -> QWidget:
    page = CalibrationPage()
    page.show_device("Tobii", True, 9)
    eyes = tuple(EyeSummary(tr(eye), 1.4, 0.2, 0.3, 0.2)
                 for eye in ("Both eyes", "Left eye", "Right eye"))  # fmt: skip
    offsets = (
        TargetOffset((0.2, 0.2), (0.21, 0.2), 1.4),
        TargetOffset((0.8, 0.2), None, None),
    )
    now = datetime.now(UTC)
    page.show_result(
        ValidationSummary(
            offsets, 1.6, (0.02, 0.03), eyes, 1.0, 0.1, tr("Distance assumed."),
            in_force_text(now, now), collected=((0.2, 0.2),), bad=((0.2, 0.2),), may_correct=True,
        )
    )  # fmt: skip
    return page


def uncalibrated(qtbot) -> QWidget:
    page = CalibrationPage()
    page.show_device("Tobii", True, 9)
    page.lead_here()
    return page


def reading(qtbot) -> QWidget:
    page = ReadingPage()
    page.strip.show_case("Case 001", 1, 13)
    page.hold(tr("If you leave, this reading is saved as interrupted."))
    return page


def keys(qtbot) -> QWidget:
    page = reading(qtbot)
    page._panels.show(page._panels.help)
    return page


def read(qtbot) -> QWidget:
    page = ReadingPage()
    page.show_complete(tr("You have read all cases."), correctable=True)
    page.note.open()
    return page


def clearing(qtbot) -> QWidget:
    page = ClearingPage()
    page.show_images([
        SheetImage(f"i{k}", "Case 001", 300, 240, "yes", "", "", ()) for k in range(4)
    ])  # fmt: skip
    return page


def cleared(qtbot) -> QWidget:
    page = ClearingPage()
    page.show_images([])
    return page


def clearing_one(qtbot) -> QWidget:
    page = clearing(qtbot)
    page.by.setText("R1")
    page.open_large("i0")
    page.show_same_device(2)
    return page


def start(qtbot) -> QWidget:
    return StartPage()


def window(qtbot) -> QWidget:
    window = MainWindow()
    window.show_reader(tr("No reader selected"))
    window.show_device(tr("No tracker selected"), stand_in=tr("SIMULATED GAZE"))
    window.show_session("open")
    return window


def review(qtbot) -> QWidget:
    page = ReviewPage()
    page.show_rows((), side_by_side=True, open_session=True)
    return page


def replaying(qtbot) -> QWidget:
    page = ReviewPage()
    page.show_rows((), side_by_side=True, open_session=False)
    page._pages.setCurrentIndex(1)
    page.span.set_length(10_000_000)
    page.span.set_end(0, 2_000_000)
    return page


def station(qtbot) -> QWidget:
    page = SetupPage()
    geometry = ScreenGeometry(1366, 768, 347.0, 195.0, name="mm")
    page.show_setup(StationSetup(), geometry)
    page.show_warnings([tr("It has not been confirmed that HDR is off.")])
    return page


def settings(qtbot) -> QWidget:
    return SettingsPage()


PAGES = (
    worklist, calibration, uncalibrated, reading, keys, read, review, replaying,
    clearing, clearing_one, cleared, settings, station, start, window,
)  # fmt: skip


@pytest.mark.parametrize("make", PAGES, ids=lambda make: make.__name__)
def test_every_text_of_a_readers_page_is_translated_and_fits_when_it_is_longer(
    made_up, qtbot, make
) -> None:
    page = make(qtbot)
    qtbot.addWidget(page)
    page.resize(SIZE)
    with qtbot.waitExposed(page):
        page.show()
    assert (missed(page), cut_off(page), cut_headings(page)) == ([], [], [])
    least = page.minimumSizeHint()
    assert (least.width() <= SIZE.width(), least.height() <= SIZE.height()) == (True, True)


def test_every_text_of_every_step_to_a_new_study_is_translated_and_fits(made_up, qtbot) -> None:
    page, whole = NewStudyPage(), QSize(1366, SIZE.height())  # no navigation stands beside it
    qtbot.addWidget(page)
    page.resize(whole)
    page.show()
    qtbot.waitExposed(page)
    page.folder.setText("/")
    page.folder.textEdited.emit("/")
    qtbot.keyClicks(page.findChild(QLineEdit, "new_name"), "R1")
    page.images.line.setText("/nowhere")
    page.images.line.returnPressed.emit()
    for step in range(len(page.steps)):
        page.show_step(step)
        for _ in range(4):  # a layout asks for another one inside it
            QCoreApplication.processEvents()
        faults = missed(page, data="/nowhere|/"), cut_off(page)
        assert faults == ([], []), page.steps[step].name
        assert page.minimumSizeHint().width() <= whole.width()


def test_warnings_of_the_screen_are_stored_in_english_and_shown_in_the_windows_language(
    made_up,
) -> None:
    now = ScreenGeometry(1366, 768, 347.0, 195.0, name="mm")
    changed = {"device_pixel_ratio": 7.0, "refresh_hz": 7.0, "calibrated_on": "2020-01-01"}
    measured = StationSetup(400.0, 225.0, **changed)
    found = [
        *warnings_of(measured, now, night_light=True, tracker_mm=(500.0, 300.0)),
        *warnings_of(measured, now),
        *warnings_of(StationSetup(), now),
    ]
    assert len(found) == 17
    for warning in found:
        assert "⟦" not in str(warning)
        assert told(warning).startswith("⟦")
    assert "7 Hz when the station was set up and is 60 Hz now." in str(found[3])


def test_the_check_finds_what_is_not_translated(made_up, qtbot) -> None:
    page = Page("plain", tr("A title"))
    qtbot.addWidget(page)
    page.body.addWidget(QLabel("Forgotten"))
    page.body.addWidget(QLabel(trn("{count} case", "{count} cases", 3)))
    assert missed(page) == ["QLabel : Forgotten"]


def test_the_check_finds_what_is_cut_off(made_up, qtbot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    narrow = QLabel(tr("Wider than it may be"), page)
    narrow.setFixedWidth(40)
    page.show()
    assert len(cut_off(page)) == 1
