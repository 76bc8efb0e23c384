"""From the wizard to the report by keys and mouse: two arms, three questions, four readers."""

import csv
import re
from collections import Counter
from html import unescape
from itertools import count
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QPushButton, QSpinBox, QWidget
from sqlalchemy import select, text

from app.demo.hands import click, press
from app.pages.clearing.controller import ClearingController
from app.station import Station
from devices.gaze.geometry import ScreenGeometry
from devices.simulated import SimulatedParameters, SimulatedTracker
from main import main
from migrations.study.schema import CaseImage, Image, Reading
from tests.app.station.test_station import _pictures

pytestmark = pytest.mark.slow

FORM = """
[[question]]
key = "finding"
options = ["no", "yes"]
[[question]]
key = "side"
options = ["left", "right"]
condition = "finding = yes"
[[question]]
key = "sure"
kind = "confidence"
[[arm]]
key = "zebra"
[[arm]]
key = "quagga"
second_look = true
"""
READERS, IMAGES = ("R1", "R2", "R3", "R4"), 3
TRUTH = ("yes", "no", "yes")
ERROR_RATES = {"zebra": 4 / 12, "quagga": 1 / 12}
COUNTS = """
SELECT question.key, answer.value, arm.key, count(*) FROM answer
JOIN question ON question.id = answer.question_id JOIN reading ON reading.id = answer.reading_id
JOIN arm ON arm.id = reading.arm_id
WHERE undone_us IS NULL AND reading.state = 'finished' GROUP BY 1, 2, 3
"""
WRONG = """
SELECT arm.key, count(*) FROM answer
JOIN question ON question.id = answer.question_id JOIN reading ON reading.id = answer.reading_id
JOIN arm ON arm.id = reading.arm_id JOIN case_image ON case_image.case_id = reading.case_id
JOIN image ON image.id = case_image.image_id
WHERE question.key = 'finding' AND undone_us IS NULL AND answer.value != image.label GROUP BY 1
"""


def is_wrong(reader: int, image: int, look: int) -> bool:
    """Return whether a reader errs: each once at the first look, the first also at the second."""
    return (image + reader) % IMAGES == 0 and (look == 0 or reader == 0)


class Person:
    """Sits before the station: has keys and a mouse, and nothing else."""

    def __init__(self, station: Station, qtbot) -> None:
        self.station, self._qtbot = station, qtbot

    def find(self, kind: type, name: str) -> QWidget:
        """Return what can be seen under a name."""
        return self.station.window.findChild(kind, name)

    def wait(self, done) -> None:
        """Wait until something can be seen."""
        self._qtbot.waitUntil(done)

    def hit(self, key: Qt.Key) -> None:
        """Press a key where the keyboard is."""
        press(self.station.window.focusWidget(), key)

    def type(self, words: str) -> None:
        """Type where the keyboard is, line by line."""
        widget = self.station.window.focusWidget()
        for number, line in enumerate(words.strip().splitlines()):
            if number:
                self._qtbot.keyClick(widget, Qt.Key.Key_Return)
            self._qtbot.keyClicks(widget, line)

    def go_to(self, widget: QWidget) -> None:
        """Click into a field."""
        self._qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
        widget.setFocus()

    def make_study(self, folder: Path, *images: Path) -> None:
        """Go through the wizard to its end."""
        page = self.station.shell.new_study
        click(self.find(QPushButton, "new_study"))
        self.type("Two arms")
        self.go_to(page.folder)
        self._qtbot.keyClick(page.folder, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.type(str(folder))
        self.hit(Qt.Key.Key_Return)
        self.go_to(page.design.editor)
        self.type(FORM)
        click(self.find(QPushButton, "new_next"))
        self.hit(Qt.Key.Key_Return)
        for path in images:
            self.type(str(path))
            self.hit(Qt.Key.Key_Return)
        self.hit(Qt.Key.Key_Return)
        drift = self.find(QSpinBox, "new_drift_every_cases")
        self.go_to(drift)
        self._qtbot.keyClick(drift, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self._qtbot.keyClicks(drift, "0")
        click(self.find(QCheckBox, "new_trial"))
        for _ in range(3):
            self.hit(Qt.Key.Key_Return)

    def clear_images(self) -> None:
        """Look at the images and say that they carry no names."""
        page = self.station.job(ClearingController).page
        click(self.find(QPushButton, "clear_images"))
        self.wait(lambda: bool(page.images))
        self.go_to(page.by)
        self.type("DM")
        press(page.by, Qt.Key.Key_Return)
        while page.waiting:
            before = len(page.waiting)
            self.wait(page.clear_sheet.isEnabled)
            click(page.clear_sheet)
            self.wait(lambda n=before: len(page.waiting) < n)
        press(page.back, Qt.Key.Key_Return)
        self.wait(lambda: self.station.window.current == "worklist")

    def become(self, pseudonym: str) -> None:
        """Sit down as a new reader, who agrees."""
        chooser = self.station.sitting.worklist.page.reader
        press(chooser, Qt.Key.Key_End)
        self.wait(lambda: self.find(QPushButton, "consent_agree") is not None)
        self._qtbot.keyClicks(self.find(QWidget, "pseudonym"), pseudonym)
        click(self.find(QPushButton, "consent_agree"))
        self.wait(lambda: self.station.sitting.worklist.page.start.isEnabled())

    def read(self, reader: int) -> None:
        """Read all, with the errors stated."""
        station, page = self.station, self.station.sitting.reading.page
        click(station.sitting.worklist.page.start)
        click(station.sitting.calibration.page.start)
        looks: Counter[str] = Counter()
        for place in count():
            self.wait(lambda n=place: page.state == "complete" or self._shown(n))
            if page.state == "complete":
                break
            image, look = self._image(page.current_case_id), looks[page.current_case_id]
            looks[page.current_case_id] += 1
            truth = TRUTH[image] == "yes"
            says_yes = truth != is_wrong(reader, image, look)
            self.hit(Qt.Key.Key_2 if says_yes else Qt.Key.Key_1)
            if says_yes:
                self.hit(Qt.Key.Key_1 if reader % 2 else Qt.Key.Key_2)
            self.hit(Qt.Key.Key_5 if look else Qt.Key.Key_3)
            self.hit(Qt.Key.Key_Return)
        press(page, Qt.Key.Key_Return)
        self.wait(lambda: station.window.current == "worklist")
        self.wait(lambda: not station.sitting.sessions.busy)

    def _shown(self, place: int) -> bool:
        session, page = self.station.sitting.session, self.station.sitting.reading.page
        if session is None or page.state != "reading" or session.reading_id is None:
            return False
        new = session.reading_id != getattr(self, "_last", "")
        if new:
            self._last = session.reading_id
        return new

    def _image(self, case_id: str) -> int:
        with self.station.study.database.read() as rows:
            query = select(Image.import_number).join(CaseImage, CaseImage.image_id == Image.id)
            numbers = sorted(rows.scalars(select(Image.import_number)))
            return numbers.index(rows.scalar(query.where(CaseImage.case_id == case_id)))


def table_of(html: str, caption: str) -> list[list[str]]:
    """Return the cells of a table of the report."""
    table = next(t for t in re.findall("<table>.*?</table>", html, re.S) if caption in t)
    lines = re.findall("<tr>(.*?)</tr>", table, re.S)
    return [[unescape(re.sub("<.*?>", "", c)) for c in re.findall("<t[hd].*?</t[hd]>", line, re.S)]
            for line in lines]  # fmt: skip


def test_a_study_goes_from_wizard_to_report_by_keys_and_mouse(qtbot, tmp_path: Path) -> None:
    pictures = _pictures(tmp_path / "pictures", IMAGES)
    labels = tmp_path / "labels.csv"
    with labels.open("w", newline="") as file:
        lines = [(p.name, truth) for p, truth in zip(pictures, TRUTH, strict=True)]
        csv.writer(file).writerows([("image", "label"), *lines])

    def source(_id: str, geometry: ScreenGeometry) -> SimulatedTracker:
        return SimulatedTracker(geometry, SimulatedParameters(rate_hz=60.0), seed=1)

    station = Station(speed=8.0, tracker_source=source, full_screen=False)
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    with qtbot.waitExposed(station.window):
        station.window.show()
    person = Person(station, qtbot)
    person.make_study(tmp_path / "study", tmp_path / "pictures", labels)
    assert station.study is not None
    person.wait(lambda: not station.sitting.worklist.imports.running)
    person.clear_images()
    for number, reader in enumerate(READERS):
        person.become(reader)
        person.read(number)
    with station.study.database.read() as rows:
        counted = {(q, v, a): n for q, v, a, n in rows.execute(text(COUNTS))}
        wrong = {arm: n for arm, n in rows.execute(text(WRONG))}
        states = Counter(rows.scalars(select(Reading.state)))
    readings = len(READERS) * IMAGES
    assert states == {"finished": 2 * readings}
    assert {arm: n / readings for arm, n in wrong.items()} == ERROR_RATES

    assert main(["report", "--study", str(station.study.folder)]) == 0
    html = next(station.study.folder.rglob("*report*.html")).read_text(encoding="utf-8")
    said = {}
    for key in ("finding", "side", "sure"):
        head, *lines = table_of(html, f"{key} (")
        said |= {(key, line[0], arm): int(n) for line in lines
                 for arm, n in zip(head[1:], line[1:], strict=True) if int(n)}  # fmt: skip
    assert said == counted
    assert sum(n for (key, *_), n in said.items() if key == "sure") == 2 * readings
