"""Operates a station on phantoms by mouse and keys, and keeps a picture of each page and state."""

import shutil
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QWidget
from sqlalchemy import select

from app.demo.hands import click, drag, press, wheel
from app.demo.phantoms import write_cohort
from app.demo.steps import Script, Until, run_script
from app.hanging.grouping import Arrival, hang_cases
from app.images.importing.importer import import_paths
from app.pages.review.controller import ReviewController
from app.station import Station
from app.ui import theme
from app.ui.dialogs import MessageDialog
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Image, StudyCase
from migrations.study.settings import StudySettings

_CASES = 7
_SPEED = 12.0
_SETTINGS = StudySettings(
    name="Lungs and breasts",
    question="Is there a mass?",
    classes=("normal", "mass", "calcification"),
    order="fixed",
    annotations=("box", "keypoint", "note", "confidence"),
    incidental_contact="the chief resident",
    break_after_cases=2,
    drift_every_cases=0,
    absence_s=0,
)


def shoot(out: Path, desktop: str) -> None:
    """Make all pictures of one kind of desktop: FOLDER/<desktop>-<nn>-<state>.png."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    theme.apply(application)
    study = small_study(out / "study")
    station = Station(study, reader="R1", consented=True, speed=_SPEED, full_screen=False)
    station.sitting.offer_all()
    place = application.screens()[-1].geometry()
    station.show()
    inset = 40 if desktop == "two-screens" else 0
    station.window.move(place.topLeft() + QPoint(inset, inset))
    application.processEvents()  # on its screen first: a size is in that screen's pixels
    station.window.resize(place.size() - QSize(2 * inset, 2 * inset))
    photographer = Photographer(station, out, desktop)
    try:
        run_script(photographer.all())
    finally:
        station.close()
        station.window.close()
        shutil.rmtree(out / "study", ignore_errors=True)
        shutil.rmtree(out / "configuration", ignore_errors=True)


class Photographer:
    """Goes from page to page."""

    def __init__(self, station: Station, out: Path, desktop: str) -> None:
        self._station, self._out, self._desktop = station, out, desktop
        self._count = 0

    def all(self) -> Script:
        """Go through everything once."""
        yield from self._before()
        yield from self._reading()
        yield from self._after()

    def _before(self) -> Script:
        station = self._station
        start, work = station.shell.start, station.sitting.worklist.page
        yield Until("the trackers", lambda: station.sitting.worklist.devices.found is not None, 30)
        station.window.show_page("start")
        yield from self._keep("start")
        start.show_error("/data/trial is not a Foveate study (it has no study.toml).")
        yield from self._keep("start-error")
        station.go("worklist")
        rows = work.model.rows
        work.show_rows([])
        yield from self._keep("worklist-empty")
        work.show_rows(rows)
        work.show_import("Importing 120 of 400 files, 8.0 files/s, 35 s left", 120, 400)
        yield from self._keep("worklist-busy")
        work.show_imported(
            "398 added, 2 refused.", [("a.dcm", "it is truncated: 8 of 8,388,608 bytes")]
        )
        yield from self._keep("worklist")
        station.go("clearing")
        yield from self._pause(2.0)
        yield from self._keep("clearing")
        station.go("calibration")
        yield from self._keep("calibration")
        station.go("setup")
        yield from self._pause(0.5)
        yield from self._keep("station")
        station.go("review")
        yield from self._keep("review-empty")
        dialog = MessageDialog(
            station.window, "The session could not be opened",
            "The tracker Tobii Pro Spark does not answer. Check its cable, then try again.",
        )  # fmt: skip
        dialog.open()
        yield from self._pause(0.2)
        self._grab(dialog, "error-dialog")
        dialog.close()

    def _reading(self) -> Script:
        page, canvas = self._station.sitting.reading.page, self._station.sitting.reading.page.canvas
        self._station.go("worklist")
        page.show_loading()
        self._station.window.show_page("reading")
        yield from self._keep("reading-busy")
        self._station.sitting.start_reading(anyway=True)
        yield Until("the first case", lambda: page.state == "reading", 60)
        yield from self._pause(2.5)
        yield from self._keep("reading-mammography")
        press(canvas, Qt.Key.Key_Z)
        wheel(canvas, QPointF(canvas.width() * 0.4, canvas.height() * 0.3), 4)
        yield from self._pause(0.4)
        yield from self._keep("reading-linked-zoom")
        press(canvas, Qt.Key.Key_2)
        press(canvas, Qt.Key.Key_Return)
        yield Until("the second case", lambda: page.state == "reading" and not page.answer, 60)
        yield from self._marks(canvas)
        yield from self._panels()

    def _marks(self, canvas: QWidget) -> Script:
        left = Qt.MouseButton.LeftButton
        middle = QPointF(canvas.width() * 0.45, canvas.height() * 0.45)
        yield from self._pause(1.0)
        yield from self._keep("reading")
        press(canvas, Qt.Key.Key_D)
        drag(canvas, left, middle, QPointF(120, 40), 6)
        press(canvas, Qt.Key.Key_D)
        press(canvas, Qt.Key.Key_X)
        drag(canvas, left, middle + QPointF(40, 90), QPointF(90, 70), 6)
        press(canvas, Qt.Key.Key_X)
        press(canvas, Qt.Key.Key_K)
        yield from self._pause(0.3)
        yield from self._keep("reading-ruler-box-keypoint")
        press(canvas, Qt.Key.Key_M)
        yield from self._pause(0.3)
        yield from self._keep("reading-magnifier")
        press(canvas, Qt.Key.Key_M)
        press(canvas, Qt.Key.Key_I)
        yield from self._keep("reading-inverted")
        press(canvas, Qt.Key.Key_I)

    def _panels(self) -> Script:
        page, canvas = self._station.sitting.reading.page, self._station.sitting.reading.page.canvas
        press(canvas, Qt.Key.Key_F12)
        yield from self._keep("reading-keys")
        press(page, Qt.Key.Key_Escape)
        press(canvas, Qt.Key.Key_C)
        yield from self._keep("reading-note")
        click(_button(page, "drop_note"))
        press(canvas, Qt.Key.Key_B)
        yield from self._keep("reading-correct-last")
        press(canvas, Qt.Key.Key_Return)
        press(canvas, Qt.Key.Key_Escape)
        yield from self._keep("reading-paused")
        press(page, Qt.Key.Key_Escape)
        page.hold("The window does not lie on the tracked screen with all of its images. Move it "
                  "back and go on.", "Recording is paused")  # fmt: skip
        yield from self._keep("reading-off-screen")
        press(page, Qt.Key.Key_Escape)
        press(canvas, Qt.Key.Key_1)
        press(canvas, Qt.Key.Key_Return)
        yield Until("the break", lambda: page.state == "between", 30)
        yield from self._keep("reading-break")
        press(page, Qt.Key.Key_Return)
        while page.state != "complete":
            yield Until("a case", lambda: page.state in ("reading", "between", "complete"), 60)
            yield from self._pause(0.4)
            if page.state == "reading":
                press(canvas, Qt.Key.Key_1)
                press(canvas, Qt.Key.Key_Return)
            elif page.state == "between":
                press(page, Qt.Key.Key_Return)
        yield from self._keep("reading-complete")

    def _after(self) -> Script:
        station = self._station
        yield Until("the session to close", lambda: not station.sitting.sessions.busy, 60)
        click(_button(station.sitting.reading.page, "back_to_worklist"))
        yield from self._keep("worklist-read")
        station.go("review")
        review = station.job(ReviewController).page
        review.list.setCurrentRow(review.list.count() - 1)
        view = review.views[0]
        yield Until("the replay", lambda: view.replay is not None, 30)
        review.slider.setValue(review.slider.maximum() // 2)
        yield from self._keep("review")
        heat = review.findChild(QCheckBox, "show_heat")
        assert isinstance(heat, QCheckBox)
        heat.setChecked(True)
        yield from self._keep("review-heat-map")
        station.shell.enter_workspace()
        yield from self._pause(1.0)
        yield from self._keep("researcher-cohort")
        for name in ("settings", "training", "runs"):
            station.go(name)
            yield from self._pause(0.5)
            yield from self._keep(f"researcher-{name}")

    def _pause(self, seconds: float) -> Script:
        clock = self._station.clock
        until_us = clock.now_us() + round(seconds * 1e6 * clock.speed)
        yield Until("time to pass", lambda: clock.now_us() >= until_us, 30 + seconds)

    def _keep(self, state: str) -> Script:
        yield from self._pause(0.25)
        self._grab(self._station.window, state)

    def _grab(self, widget: QWidget, state: str) -> None:
        self._count += 1
        QApplication.processEvents()
        widget.grab().save(str(self._out / f"{self._desktop}-{self._count:02d}-{state}.png"))


def _button(inside: QWidget, name: str) -> QAbstractButton:
    found = inside.findChild(QAbstractButton, name)
    assert isinstance(found, QAbstractButton)
    return found


def small_study(folder: Path) -> Study:
    """Make a study of phantoms: the first case hangs as a mammography."""
    shutil.rmtree(folder, ignore_errors=True)
    cohort = write_cohort(folder / "source", _CASES, 3)
    study = Study.create(folder, _SETTINGS, durable=False)
    import_paths(study, cohort.paths, labels=cohort.labels)
    with study.database.read() as session:
        query = (
            select(Image.id)
            .join(CaseImage, CaseImage.image_id == Image.id)
            .join(StudyCase, StudyCase.id == CaseImage.case_id)
            .order_by(StudyCase.position)
        )
        ids = list(session.scalars(query))
    hang_cases(study, [Arrival(i, "mammography") for i in ids[:4]], "mammo")
    return study
