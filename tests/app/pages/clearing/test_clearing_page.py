"""The contact sheet as its user works it: keys, mouse, and what becomes of the images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage
from PIL import ImageDraw
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from sqlalchemy import select

from app.images.clearing import clear, to_clear
from app.images.importing.importer import import_paths
from app.images.store import load
from app.pages.clearing.blackout import BlackoutView
from app.pages.clearing.controller import ClearingController
from app.pages.clearing.parts import MOST
from app.pages.clearing.zoom import Zoom
from app.station import Station
from migrations.study.folder import Study
from migrations.study.schema import Image
from tests.app.images.test_clearing import unsaid


def scan(path: Path, seed: int, text: str = "") -> Path:
    """Write a film scan, with a name burned in where one is given."""
    grey = np.random.default_rng(seed).integers(0, 90, (260, 200)).astype(np.uint8)
    picture = PilImage.fromarray(grey)
    if text:
        ImageDraw.Draw(picture).text((12, 8), text, fill=255)
    picture.save(path)
    return path


@pytest.fixture
def station(study: Study, tmp_path: Path, qtbot, no_leftovers):
    import_paths(
        study, [scan(tmp_path / f"{i}.png", i, "QUILL ADA" if i == 1 else "") for i in range(3)]
    )
    made = Station(study, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(made.window)
    made.window.show()
    yield made
    made.close()


@pytest.fixture
def page(station: Station, qtbot):
    qtbot.mouseClick(station.sitting.worklist.page.clear_images, Qt.MouseButton.LeftButton)
    shown = station.job(ClearingController).page
    shown.show_count(3)
    qtbot.waitUntil(lambda: shown.sheet.complete)
    return shown


def row(study: Study, number: int) -> Image:
    with study.database.read() as session:
        return session.scalars(select(Image).where(Image.import_number == number)).one()


def test_the_worklist_says_what_waits_and_offers_no_reading(station: Station) -> None:
    work = station.sitting.worklist.page
    assert work.clear_images.text().strip() == "Clear 3 images…"
    assert "3 need clearing" in work.state_text
    assert work.model.data(work.model.index(0, 1)) == "Needs clearing"
    assert not work.start.isEnabled()
    assert "Clear images" in work.start.toolTip()


def test_one_key_clears_the_sheet_less_what_was_kept_back(
    station: Station, page, study: Study, qtbot
) -> None:
    assert station.window.current == "clearing"
    assert "Enter your code first" in page.state_text
    qtbot.keyClicks(page.by, "AB")
    qtbot.keyClick(page.by, Qt.Key.Key_Return)
    qtbot.keyClick(page.sheet, Qt.Key.Key_Right)
    qtbot.keyClick(page.sheet, Qt.Key.Key_Space)
    assert "1 held back" in page.state_text
    qtbot.keyClick(page.sheet, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: len(page.images) == 1)
    assert [row(study, n).cleared_by for n in (1, 2, 3)] == ["AB", None, "AB"]
    assert page.sheet.held == {row(study, 2).id}
    assert not page.clear_sheet.isEnabled()
    assert station.sitting.worklist.page.start.isEnabled()


def test_text_is_hidden_by_a_rectangle_and_the_image_cleared(
    station: Station, page, study: Study, qtbot
) -> None:
    image_id = row(study, 2).id
    qtbot.keyClicks(page.by, "AB")
    page.sheet.setFocus()
    qtbot.keyClick(page.sheet, Qt.Key.Key_Right)
    qtbot.keyClick(page.sheet, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.large.picture_shown)
    area, scale = page.large._area()

    def at(x: int, y: int) -> QPoint:
        return QPoint(round(area.left() + x * scale), round(area.top() + y * scale))

    left = Qt.MouseButton.LeftButton
    for start, end in (((100, 100), (150, 150)), ((5, 3), (90, 25))):
        qtbot.mousePress(page.large, left, pos=at(*start))
        qtbot.mouseMove(page.large, at(*end))
        qtbot.mouseRelease(page.large, left, pos=at(*end))
        if start == (100, 100):
            qtbot.keyClick(page.large, Qt.Key.Key_Backspace)
    assert len(page.large.rectangles) == 1
    qtbot.keyClick(page.large, Qt.Key.Key_B)
    qtbot.waitUntil(lambda: bool(row(study, 2).details.get("blacked_out")))
    qtbot.waitUntil(
        lambda: page.sheet.cells[1].blacked_out and page.large.picture_shown,
    )
    stored = load(study, image_id).stored
    assert (stored[4:24, 6:89] == stored.min()).all()
    assert stored[60:90, 100:140].max() > 60
    qtbot.keyClick(page.large, Qt.Key.Key_Escape)
    qtbot.keyClick(page.sheet, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: not to_clear(study))
    qtbot.waitUntil(lambda: page.state_text == "No images need clearing.")
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert station.window.current == "worklist"
    assert not station.sitting.worklist.page.clear_images.isVisible()


def test_a_session_offers_cleared_cases_only(station: Station, study: Study, qtbot) -> None:
    clear(study, [row(study, 2).id], "AB")
    station.go("worklist")
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: station.sitting.reading.reading)
    assert station.sitting.session is not None
    case = station.sitting.session.current_case
    assert case is not None
    assert [tile.image_id for tile in case.tiles] == [row(study, 2).id]
    assert station.sitting.session.next_case() is None


def test_one_to_four_images_lie_on_a_sheet_and_those_not_seen_are_not_cleared(
    study: Study, tmp_path: Path, qtbot, no_leftovers
) -> None:
    import_paths(study, [scan(tmp_path / f"{i}.png", i) for i in range(MOST + 2)])
    station = Station(study, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(station.window)
    station.window.show()
    station.go("clearing")
    page = station.job(ClearingController).page
    page.by.setText("AB")
    page.sheet.setFocus()
    qtbot.waitUntil(page.sheet.hasFocus)
    assert len(page.images) == 2
    assert page.state_text == "Images 1 to 2 of 6 may carry burned-in text."
    qtbot.keyClick(page.sheet, Qt.Key.Key_4)
    qtbot.waitUntil(lambda: page.sheet.complete)
    assert len(page.images) == MOST
    assert page.clear_sheet.text().strip() == "Clear these 4 images (C)"
    qtbot.keyClick(page.sheet, Qt.Key.Key_Space)  # the first is kept back, and passed
    qtbot.keyClick(page.sheet, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: len(page.waiting) == 3 and page.sheet.complete)
    assert [row(study, n).cleared_by for n in range(1, 7)] == [None, "AB", "AB", "AB", None, None]
    assert [image.image_id for image in page.images] == [row(study, n).id for n in (5, 6)]
    qtbot.keyClick(page.sheet, Qt.Key.Key_PageUp)
    assert page.images[0].image_id == row(study, 1).id
    assert "1 held back" in page.state_text
    station.close()


def test_pictures_are_named_zoom_together_at_the_cursor_and_fit_again(page, qtbot) -> None:
    sheet = page.sheet
    assert all(cell.caption for cell in sheet.cells)
    assert sheet.cells[0].caption in sheet.accessibleName()
    area = sheet._area(0)
    at = area.topLeft() + QPointF(20, 10)
    before = sheet.zoom.place(area, 200, 260)
    sheet.zoom.turn(6, area, (200, 260), at)
    after = sheet.zoom.place(area, 200, 260)
    assert after.width() == pytest.approx(before.width() * 1.25**6)
    assert after.left() <= area.left() or after.width() <= area.width()
    qtbot.keyClick(sheet, Qt.Key.Key_0)
    assert sheet.zoom.place(area, 200, 260) == before
    qtbot.keyClick(sheet, Qt.Key.Key_Plus)
    assert sheet.zoom.factor == pytest.approx(1.25)


def test_what_is_under_the_cursor_stays_there_while_zooming() -> None:
    zoom, area, at = Zoom(), QRectF(0, 0, 400, 300), QPointF(250, 140)
    share = [0.0, 0.0]
    for notches in (3, 2, -1):
        lies = zoom.place(area, 800, 600)
        share = [(at.x() - lies.left()) / lies.width(), (at.y() - lies.top()) / lies.height()]
        zoom.turn(notches, area, (800, 600), at)
        lies = zoom.place(area, 800, 600)
        assert (at.x() - lies.left()) / lies.width() == pytest.approx(share[0])
        assert (at.y() - lies.top()) / lies.height() == pytest.approx(share[1])


def test_a_rectangle_drawn_on_a_zoomed_picture_lies_where_the_text_is(qtbot) -> None:
    view = BlackoutView()
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show()
    view.show_picture(np.zeros((100, 100), np.uint8))
    view.zoom_by(5, QPointF(0, 0))
    area, scale = view._area()
    assert scale == pytest.approx(4 * 1.25**5)
    ends = [QPoint(round(area.left() + v * scale), round(area.top() + v * scale)) for v in (10, 20)]
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=ends[0])
    qtbot.mouseMove(view, ends[1])
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=ends[1])
    ((x, y, width, height),) = view.rectangles
    assert {x, y} <= {9, 10}
    assert {width, height} <= {10, 11, 12}


def test_a_mask_for_the_device_is_offered_and_used(
    study: Study, tmp_path: Path, qtbot, no_leftovers
) -> None:
    import_paths(study, [unsaid(tmp_path / f"{i}.dcm", i, maker="Aloka") for i in range(3)])
    station = Station(study, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(station.window)
    station.window.show()
    station.go("clearing")
    page = station.job(ClearingController).page
    page.by.setText("AB")
    page.open_large(page.images[0].image_id)
    qtbot.waitUntil(lambda: page.large.picture_shown)
    assert "2 more images" in page.for_device.text()
    page.for_device.setChecked(True)
    page.large.rectangles.append((0, 0, 10, 10))
    page.large.changed.emit()
    page.black_out.click()
    qtbot.waitUntil(lambda: all("blacked_out" in row(study, n).details for n in (1, 2, 3)))
    assert (study.folder / "masks.json").is_file()
    station.close()
