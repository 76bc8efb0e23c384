"""The radiologist's first-day guide, followed word for word through the window by mouse and key."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QWidget,
)
from sqlalchemy import select

from app.demo.hands import click, press
from app.pages.calibration.offsets import OffsetPicture
from app.pages.review.controller import ReviewController
from app.station import Station
from devices.gaze.geometry import ScreenGeometry
from devices.simulated import SimulatedParameters, SimulatedTracker
from migrations.study.folder import Study
from migrations.study.schema import Annotation, Reader, Reading, StudyCase
from migrations.study.settings import read_settings, write_settings
from tests import ROOT

GUIDE = ROOT / "docs" / "first-day-radiologist.md"
KEYS = {"Enter", "B", "Esc"}
SPEED = 8.0


def plain(text: str) -> str:
    """Return a text without marks, links and line breaks."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`]", "", text).split())


def steps_of(guide: str) -> list[str]:
    """Return the numbered steps of the guide, each as plain words."""
    found = re.findall(r"^\d+\. (.*(?:\n   .*)*)", guide, flags=re.MULTILINE)
    return [plain(step) for step in found]


class FirstDay:
    """A new reader who does what each sentence of the guide says; `walk` names the sentences."""

    def __init__(self, station: Station, qtbot) -> None:  # type: ignore[no-untyped-def]
        self.station, self.window = station, station.window
        self.wait: Callable[[Callable[[], bool]], None] = lambda until: qtbot.waitUntil(until)
        self.worklist = station.sitting.worklist.page
        self.calibration = station.sitting.calibration.page
        self.reading = station.sitting.reading.page

    def walk(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """Return each sentence of the guide's steps with what it makes a reader do or see."""
        return (
            ("The page is Worklist.", self.sees_the_worklist),
            ("Under Reader choose New reader… and type the pseudonym you were given (never your "
             "name).", self.chooses_new_reader),
            ("Read the consent text and press Enter or I agree; Not now goes back.", self.agrees),
            ("Next time your pseudonym is in the list.", self.is_in_the_list),
            ("Under Tracker choose the eye tracker.", self.chooses_the_tracker),
            ("An amber badge (SIMULATED GAZE, MOUSE) on the left means that the tracker chosen "
             "does not record your eyes: choose another one.", self.sees_the_badge),
            ("If the page shows Clear images…, the images must be checked for burned-in names "
             "before anyone reads them.", self.need_not_clear),
            ("This is not your task: call the researcher.", self.nothing),
            ("Press Calibrate.", self.presses_calibrate),
            ("The study may first ask for speciality, years and eyewear, once: choose, or leave "
             "Prefer not to say, and press Continue.", self.says_who),
            ("Sit as you do when you read.", self.nothing),
            ("Look at each dot until it moves on.", self.looks),
            ("The result shows each target as a cross and your gaze as a disc.", self.sees_result),
            ("If limits are not met, the page says which: press Calibrate again, or Redo points "
             "for single targets.", self.finds_both_buttons),
            ("Press Start reading.", self.starts),
            ("Practice cases come first; they never count.", self.reads_practice),
            ("The question and its answers are under the images: press the digit of your answer, "
             "or click it.", self.answers),
            ("Enter goes to the next case, B to the previous one.", self.goes_on_and_back),
            ("Esc pauses: the images are hidden.", self.pauses),
            ("Resume or Enter takes you back.", self.resumes),
            ("F12 shows every key.", self.sees_keys),
            ("The others are in the reading guide.", self.guide_is_there),
            ("Press End session, under the navigation on every page.", self.ends),
            ("Until then the tracker keeps its raw data.", self.nothing),
            ("Review replays your readings; readers cannot see each other's.", self.reviews),
            ("You can leave at any time: an unfinished case comes first when you return.",
             self.comes_back),
        )  # fmt: skip

    def nothing(self) -> None:
        """Do what no window shows."""

    def button(self, page: QWidget, words: str) -> QAbstractButton:
        """Return the one button that is seen and called so."""
        (found,) = [
            each
            for each in page.findChildren(QAbstractButton)
            if each.isVisible() and each.text().strip() == words
        ]
        return found

    def dialog(self) -> QDialog:
        """Return the dialog that is open."""
        self.wait(lambda: bool(self._dialogs()))
        return self._dialogs()[0]

    def _dialogs(self) -> list[QDialog]:
        return [each for each in self.window.findChildren(QDialog) if each.isVisible()]

    def sees_the_worklist(self) -> None:
        assert self.window.current == "worklist"
        assert "Worklist" in [each.text() for each in self.worklist.findChildren(QLabel)]

    def choose(self, chooser: QComboBox, begin: str) -> None:
        """Choose by the keyboard the entry that begins so."""
        (place,) = [k for k in range(chooser.count()) if chooser.itemText(k).startswith(begin)]
        chooser.setFocus()
        press(chooser, Qt.Key.Key_Home)
        for _ in range(place):
            press(chooser, Qt.Key.Key_Down)

    def chooses_new_reader(self) -> None:
        self.choose(self.worklist.reader, "New reader…")
        dialog = self.dialog()
        assert "pseudonym" in " ".join(each.text() for each in dialog.findChildren(QLabel))
        self.type_into(dialog, "R7")

    def type_into(self, dialog: QDialog, words: str) -> None:
        self.wait(lambda: isinstance(dialog.focusWidget(), QLineEdit))
        field = dialog.focusWidget()
        for letter in words:
            press(field, Qt.Key(ord(letter)), letter)

    def agrees(self) -> None:
        click(self.button(self.dialog(), "Not now"))
        assert self.worklist.reader.currentText() == "Choose…"
        self.chooses_new_reader()
        dialog = self.dialog()
        assert self.station.study.settings.consent in [
            each.text() for each in dialog.findChildren(QLabel)
        ]
        assert self.button(dialog, "I agree").isEnabled()
        press(dialog.focusWidget(), Qt.Key.Key_Return)
        assert not dialog.isVisible()

    def is_in_the_list(self) -> None:
        assert self.worklist.reader.currentText() == "R7"

    def chooses_the_tracker(self) -> None:
        self.wait(lambda: self.worklist.device.count() > 1)
        self.choose(self.worklist.device, "Simulated reader")

    def sees_the_badge(self) -> None:
        seen = [each.text() for each in self.window.findChildren(QLabel) if each.isVisible()]
        assert any("SIMULATED GAZE" in words for words in seen)  # all that a test has

    def need_not_clear(self) -> None:
        assert not self.worklist.clear_images.isVisible()

    def presses_calibrate(self) -> None:
        click(self.button(self.worklist, "Calibrate"))

    def says_who(self) -> None:
        dialog = self.dialog()
        choosers = dialog.findChildren(QComboBox)
        assert {each.currentText() for each in choosers} == {"Prefer not to say"}
        self.choose(choosers[0], choosers[0].itemText(1))
        click(self.button(dialog, "Continue"))

    def looks(self) -> None:
        self.wait(lambda: self.calibration.state == "done")

    def sees_result(self) -> None:
        assert self.calibration.result is not None
        drawn = self.calibration.findChild(OffsetPicture)
        assert drawn.isVisible()
        assert drawn.accessibleName().startswith("Gaze offsets at")

    def finds_both_buttons(self) -> None:
        assert self.button(self.calibration, "Calibrate").isEnabled()
        assert "Redo" in self.calibration.redo.text()

    def starts(self) -> None:
        click(self.calibration.start)
        assert self.calibration.start.text().strip() in ("Start reading", "Read anyway")
        self.wait(lambda: self.reading.state == "reading")

    def reads_practice(self) -> None:
        assert self._case().practice
        self.practice = self.reading.current_case_id
        press(self.reading.canvas, Qt.Key.Key_1)
        self._next()

    def answers(self) -> None:
        assert not self._case().practice
        bar = self.reading.bar
        assert bar.isVisible()
        assert bar.text == self.station.study.settings.questions[0].text
        press(self.reading.canvas, Qt.Key.Key_1)
        assert [each.isChecked() for each in bar.buttons] == [True, False]
        click(bar.buttons[1])
        assert [each.isChecked() for each in bar.buttons] == [False, True]

    def goes_on_and_back(self) -> None:
        before = self.reading.current_case_id
        self._next()
        press(self.reading.canvas, Qt.Key.Key_B)
        assert self.reading.state == "addendum"
        press(self.reading.canvas, Qt.Key.Key_Return)
        assert self.reading.state == "reading"
        assert self.reading.current_case_id != before

    def pauses(self) -> None:
        press(self.reading.canvas, Qt.Key.Key_Escape)
        assert self.reading.state == "paused"
        assert not self.reading.canvas.isVisible()

    def resumes(self) -> None:
        press(self.reading.focusWidget(), Qt.Key.Key_Return)
        assert self.reading.state == "reading"
        press(self.reading.canvas, Qt.Key.Key_Escape)
        click(self.button(self.reading, "Resume"))
        assert self.reading.state == "reading"

    def sees_keys(self) -> None:
        press(self.reading.canvas, Qt.Key.Key_F12)
        panel = self.reading.panel
        assert panel is not None
        assert panel.isVisible()
        press(panel, Qt.Key.Key_Escape)
        assert self.reading.panel is None

    def guide_is_there(self) -> None:
        assert (ROOT / "docs" / "reading-guide.md").is_file()

    def ends(self) -> None:
        self.left_open = self.reading.current_case_id
        press(self.reading.canvas, Qt.Key.Key_Escape)
        click(self.button(self.window, "Leave"))
        click(self.button(self.window, "End session"))
        self.wait(lambda: not self.station.sitting.sessions.busy)

    def reviews(self) -> None:
        click(self.button(self.window, "Review"))
        assert self.window.current == "review"
        assert {row.reader for row in self.station.job(ReviewController).page._rows} == {"R7"}

    def comes_back(self) -> None:
        click(self.button(self.window, "Worklist"))
        click(self.button(self.worklist, "Start reading"))
        self.starts()
        assert self.reading.current_case_id == self.left_open

    def _case(self) -> StudyCase:
        with self.station.study.database.read() as session:
            case = session.get(StudyCase, self.reading.current_case_id)
            session.expunge_all()
        assert case is not None
        return case

    def _next(self) -> None:
        before = self.reading.current_case_id
        press(self.reading.canvas, Qt.Key.Key_Return)
        self.wait(lambda: self.reading.current_case_id not in (None, before))


@pytest.fixture
def study(tmp_path: Path, filled: Path) -> Iterator[Study]:
    shutil.copytree(filled, tmp_path / "study")
    file = tmp_path / "study" / "study.toml"
    asked = replace(read_settings(file), reader_attributes=("speciality", "years"))
    write_settings(file, asked)
    study = Study.open(tmp_path / "study")
    with study.database.write() as session:
        session.scalars(select(StudyCase).order_by(StudyCase.position)).first().practice = True
    yield study
    study.close()


@pytest.fixture
def day(study: Study, qtbot, no_leftovers) -> Iterator[FirstDay]:
    def simulated(_id: str, geometry: ScreenGeometry) -> SimulatedTracker:
        return SimulatedTracker(geometry, SimulatedParameters(rate_hz=120.0), seed=1)

    station = Station(
        study, device_id="", speed=SPEED, tracker_source=simulated, full_screen=False
    )  # fmt: skip
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    with qtbot.waitExposed(station.window):
        station.show()
    yield FirstDay(station, qtbot)
    station.close()


def test_every_sentence_of_the_guides_steps_is_followed_in_the_window(day: FirstDay) -> None:
    walk = day.walk()
    assert " ".join(said for said, _ in walk) == " ".join(
        steps_of(GUIDE.read_text(encoding="utf-8"))
    )
    for said, act in walk:
        try:
            act()
        except Exception as error:
            raise AssertionError(f"“{said}”: {error}") from error
        QApplication.processEvents()
    with day.station.study.database.read() as session:
        readings = session.scalars(select(Reading).order_by(Reading.started_us)).all()
        assert [r.practice for r in readings][:2] == [True, False]
        assert session.scalars(select(Reader)).one().pseudonym == "R7"
        assert {a.label for a in session.scalars(select(Annotation))} == {"normal", "mass"}


def test_every_button_of_the_guide_is_called_so_in_the_window() -> None:
    wanted = set(re.findall(r"\*\*([^*]+)\*\*", GUIDE.read_text(encoding="utf-8"))) - KEYS
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    assert len(wanted) > 8
    assert [name for name in wanted if f'"{name}"' not in code] == []


def test_the_guides_pages_are_in_the_navigation() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    for page in ("Worklist", "Review"):
        assert f'"{page}"' in code
