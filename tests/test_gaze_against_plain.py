"""Gaze against plain, from the button to the sentence, with the real trainer."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QTableView, QWidget

from app.demo.hands import click
from app.pages.pretrain.controller import TrainingController
from app.station import Station
from migrations.study.folder import Study
from tests.trainer.tiny_study import make_study
from trainer.sweep.rows import read_rows

pytestmark = pytest.mark.slow


@pytest.fixture
def study(tmp_path: Path):
    made = make_study(tmp_path / "study", images=16, test_images=6)
    yield made
    made.close()


def fill(qtbot, field: QWidget, value: int) -> None:
    """Type a number over what stands there."""
    qtbot.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(field, str(value))


def filled(qtbot, study: Study) -> Station:
    """Open Pretrain and fill in the form by keys."""
    station = Station(study, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(station.window, before_close_func=lambda _w: station.close())
    station.window.show()
    station.shell.enter_workspace()
    click(station.window.findChild(QAbstractButton, "go_training"))
    page = station.job(TrainingController).page
    for name, value in (("epochs", 1), ("size", 32), ("batch", 4)):
        fill(qtbot, page.form.basic.editors[name], value)
    fill(qtbot, page.compare.seeds, 2)
    return station


def compared(qtbot, station: Station) -> str:
    """Press the button; return what the page says in the end."""
    page = station.job(TrainingController).page
    qtbot.waitUntil(page.compare.start.isEnabled)
    qtbot.mouseClick(page.compare.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.state in ("finished", "failed", "stopped"), timeout=600_000)
    assert page.state == "finished", page.message
    assert page.compared.isVisible()
    return page.compared.text


def test_the_button_ends_in_the_paired_difference_and_its_interval(qtbot, study) -> None:
    station = filled(qtbot, study)
    said = compared(qtbot, station)
    assert said.startswith(("✓ Gaze helped.", "Gaze made it worse.", "No gain:"))
    assert "95 % interval" in said
    assert "2 seeds" in said
    rows = read_rows(study.exports / "sweep" / "sweep.jsonl")
    assert sorted({row.seed for row in rows}) == [0, 1]
    assert len(rows) == 4
    page = station.job(TrainingController).page
    assert page.state_text == "✓ Compared with 2 seeds."
    assert page.compared.findChild(QTableView, "compared_table").model().rowCount() == 1
