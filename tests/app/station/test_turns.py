"""The window has its turn while a large study is read and the workspace is loaded."""

import importlib
import sys
from threading import Event

import pytest
from PySide6.QtWidgets import QWidget

from app.pages.worklist import controller
from app.pages.workspace.job import _not_there
from app.station import Station
from migrations.study.folder import Study
from migrations.study.settings import StudySettings


def test_a_large_worklist_is_read_by_one_thread_at_a_time(
    tmp_path, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study.create(tmp_path / "study", StudySettings())
    may_end, begun = Event(), []

    def slow(study_, reader):
        begun.append(reader)
        may_end.wait(60)
        return []

    station = Station(study, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(station.window)
    shown: list[int] = []
    monkeypatch.setattr(controller, "worklist", slow)
    worklist = station.sitting.worklist
    monkeypatch.setattr(worklist, "_show", lambda rows: shown.append(len(begun)))
    worklist._is_large = True
    for _ in range(4):
        worklist.refresh()
    qtbot.waitUntil(lambda: begun == ["R1"], timeout=60_000)
    may_end.set()
    qtbot.waitUntil(lambda: bool(shown), timeout=60_000)
    # What changed meanwhile is read, and only that is shown.
    assert (begun, shown) == (["R1", "R1"], [2])
    station.close()


def test_a_working_thread_gives_the_window_its_turn_within_a_millisecond(qtbot) -> None:
    station = Station(None, full_screen=False)
    qtbot.addWidget(station.window)
    assert sys.getswitchinterval() == pytest.approx(0.001)
    station.close()


def test_a_library_is_not_found_meanwhile_and_is_found_afterwards() -> None:
    with _not_there("colorsys_of_nobody"), pytest.raises(ImportError):
        importlib.import_module("colorsys_of_nobody")
    assert "colorsys_of_nobody" not in sys.modules
    before = sys.modules["PySide6.QtWidgets"]
    with _not_there("PySide6.QtWidgets"):  # what is loaded already stays
        from PySide6.QtWidgets import QWidget as Again
    assert (Again is QWidget, sys.modules["PySide6.QtWidgets"] is before) == (True, True)
