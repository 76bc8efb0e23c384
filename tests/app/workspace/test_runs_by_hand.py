"""Runs are compared, renamed and deleted by keys and mouse, and go by their names everywhere."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QWidget

from app.pages.probe.controller import ProbeController
from app.pages.workspace.job import WorkspaceJob
from app.pages.workspace.runs_page import RunsPage
from app.station import Station
from app.workspace.run_edits import edit
from app.workspace.runs import runs
from migrations.study.errors import AmbiguousName, UnknownName
from migrations.study.run_names import find_run, folder_name, runs_of
from tests.app.workspace.cohort_study import add_run, make_study
from trainer.probe.candidates import NoSuchEncoder, find_encoder

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def study(tmp_path: Path):
    made = make_study(tmp_path / "study", 3, pictures=False)
    for name in ("gaze", "plain"):
        add_run(made, name, pairs="gzpt" if name == "gaze" else "none")
    yield made
    made.close()


def _row(qtbot, page: RunsPage, row: int, keys=Qt.KeyboardModifier.NoModifier) -> None:
    place = page.table.visualRect(page.model.index(row, 0)).center()
    qtbot.mouseClick(page.table.viewport(), LEFT, keys, place)


def _press(qtbot, top: QWidget, name: str) -> None:
    button = top.findChild(QAbstractButton, name)
    assert button.isVisible()
    qtbot.mouseClick(button, LEFT)


def test_a_researcher_compares_renames_saves_and_deletes_runs_by_hand(
    qtbot, study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = Station(study, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(station.window, before_close_func=lambda _w: station.close())
    station.window.show()
    station.shell.enter_workspace("runs")
    page = station.job(WorkspaceJob).inside.runs
    qtbot.waitUntil(lambda: len(page.rows) == 2)

    _row(qtbot, page, 0)
    _row(qtbot, page, 1, Qt.KeyboardModifier.ControlModifier)
    assert page.differences.rowCount() == 1  # the pairs
    assert list(page.curves.plots) == ["loss"]
    spread = page.curves.boxes["feature_spread"]
    qtbot.mouseClick(spread, LEFT, pos=QPoint(8, spread.height() // 2))
    assert list(page.curves.plots) == ["loss", "feature_spread"]
    assert not page.edit.isEnabled()  # one name for two runs is none

    _row(qtbot, page, 1)
    _press(qtbot, page, "run_edit")
    dialog = station.window.findChild(QWidget, "run_dialog")
    for name, text in (("run_name", "first try"), ("run_tags", "knee, first"), ("run_note", "So")):
        field = dialog.findChild(QWidget, name)
        field.setFocus()
        qtbot.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        qtbot.keyClicks(field, text)
    _press(qtbot, dialog, "run_edit_ok")
    qtbot.waitUntil(lambda: [r.name for r in page.rows] == ["plain", "first try"])
    assert (page.rows[1].tags, page.rows[1].note) == (("knee", "first"), "So")

    target = tmp_path / "runs.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    _press(qtbot, page, "runs_save")
    assert "first try" in target.read_text(encoding="utf-8")

    _row(qtbot, page, 0)
    _press(qtbot, page, "run_delete")
    _press(qtbot, station.window.findChild(QWidget, "confirm_dialog"), "run_delete_now")
    qtbot.waitUntil(lambda: [r.name for r in page.rows] == ["first try"])
    station.go("probe")
    listed = station.job(ProbeController).page.runs
    qtbot.waitUntil(lambda: listed.count() == 1)
    assert listed.item(0).text().startswith("first try, ")


def test_a_run_is_meant_by_name_folder_or_id_wherever_one_is_asked_for(study) -> None:
    plain, gaze = runs(study)
    edit(study, gaze.id, "first try", [], "")
    rows = runs_of(study)
    for word in ("first try", gaze.folder.name, gaze.id):
        assert folder_name(find_run(rows, word)) == gaze.folder.name  # report
        assert find_encoder(word, study)[1] == gaze.encoder  # probe, export features
    edit(study, plain.id, "first try", [], "")
    for ask in (lambda w: find_run(runs_of(study), w), lambda w: find_encoder(w, study)):
        with pytest.raises(AmbiguousName, match="name one of"):
            ask("first try")
        with pytest.raises((UnknownName, NoSuchEncoder)):
            ask("none of them")
