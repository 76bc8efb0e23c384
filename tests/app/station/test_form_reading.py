"""At the station: a form of case and marks is answered by keys alone and lies in rows, per arm."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from sqlalchemy import select

from app.demo.hands import press
from app.station import Station
from devices.simulated import SimulatedParameters, SimulatedTracker
from migrations.study.answers import answers_of
from migrations.study.arms import Arm
from migrations.study.folder import Study
from migrations.study.forms import Question
from migrations.study.names import names_of
from migrations.study.schema import Annotation, Answer, Reading
from migrations.study.schema import Arm as ArmRow
from migrations.study.settings import write_settings

FORM = (
    Question("finding", "Finding?", options=("nothing", "mass")),
    Question("signs", "Signs?", kind="multiple", options=("calc", "node"),
             condition="finding = mass"),
    Question("score", "Score?", kind="scale", options=("0", "100")),
    Question("size", "Size?", scope="mark", kind="scale", options=("1", "5")),
)  # fmt: skip
ARMS = (Arm("zebra"), Arm("quagga", boxes="ai.csv", second_look=True))


@pytest.fixture
def study(tmp_path: Path, filled: Path):
    folder = tmp_path / "study"
    shutil.copytree(filled, folder)
    study = Study.open(folder)
    settings = replace(
        study.settings, form=FORM, question="Finding?", classes=("nothing", "mass"), arms=ARMS,
        annotations=("box",), drift_every_cases=0,
    )  # fmt: skip
    with study.database.read() as rows:
        names = list(names_of(rows, "image").values())
    study.close()
    write_settings(folder / "study.toml", settings)
    with (folder / "ai.csv").open("w", newline="") as file:
        lines = [(name, 1, 1, 4, 4, "0.8") for name in names]
        csv.writer(file).writerows([("image", "x", "y", "width", "height", "text"), *lines])
    study = Study.open(folder, durable=True)
    yield study
    study.close()


def type_into_form(page, text: str, qtbot) -> None:
    line = page.form.findChild(QLineEdit, "question_line")
    qtbot.keyClicks(line, text)
    press(line, Qt.Key.Key_Return)


def test_a_form_is_answered_by_keys_and_each_look_has_its_own_rows(study, qtbot) -> None:
    def source(_id, geometry) -> SimulatedTracker:
        return SimulatedTracker(geometry, SimulatedParameters(rate_hz=60.0), seed=1)

    station = Station(
        study, reader="R1", consented=True, speed=4.0, tracker_source=source, full_screen=False
    )
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    station.window.show()
    page = station.sitting.reading.page
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: page.state == "reading")
    first = page.current_case_id
    assert [m.text for m in page.canvas.marks] == []
    press(page, Qt.Key.Key_2)
    press(page, Qt.Key.Key_1)
    press(page, Qt.Key.Key_Return)
    type_into_form(page, "70", qtbot)
    press(page.canvas, Qt.Key.Key_U)  # undoes the score, which is asked again
    type_into_form(page, "80", qtbot)
    for key in (Qt.Key.Key_X, Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_X):
        press(page.canvas, key)
    assert page.form.state.mark_number() == 1
    press(page, Qt.Key.Key_3)
    session = station.sitting.session
    press(page, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: page.state == "reading" and session.reading_id is not None
        and bool(page.canvas.marks),
    )  # fmt: skip
    assert page.current_case_id == first  # the second look, with its boxes
    assert {m.text for m in page.canvas.marks} == {"0.8"}
    press(page, Qt.Key.Key_1)
    type_into_form(page, "20", qtbot)
    station.sitting.close_session()
    qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
    with study.database.read() as rows:
        one, two = rows.scalars(select(Reading).order_by(Reading.id))
        assert [(a.key, a.value) for a in answers_of(rows, one.id)] == [
            ("finding", "mass"), ("signs", '["calc"]'), ("score", "80"), ("size", "3"),
        ]  # fmt: skip
        assert [(a.key, a.value) for a in answers_of(rows, two.id)] == [
            ("finding", "nothing"), ("score", "20"),
        ]  # fmt: skip
        keys = [rows.get_one(ArmRow, r.arm_id).key for r in (one, two)]
        assert keys == ["zebra", "quagga"]
        box = rows.scalars(select(Annotation).where(Annotation.kind == "box")).one()
        sized = rows.scalars(select(Answer).where(Answer.annotation_id == box.id)).one()
        assert sized.value == "3"
        undone = select(Answer.value).where(Answer.undone_us.is_not(None))
        assert "70" in set(rows.scalars(undone))
