"""Work in the background: its end is told on the GUI thread, or nowhere if its owner is gone."""

import threading
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QObject, QThread

from app.ui.background import Task, run
from app.ui.pictures import PictureLoader
from tests import PATIENCE_S


def test_a_result_and_an_error_come_on_the_gui_thread(qtbot) -> None:
    owner, told = QObject(), []

    def noted(value: object) -> None:
        told.append((str(value), QThread.currentThread() is owner.thread()))

    run(owner, lambda: "done", noted, noted)
    qtbot.waitUntil(lambda: len(told) == 1)
    run(owner, lambda: 1 // 0, noted, noted)
    qtbot.waitUntil(lambda: len(told) == 2)
    assert [on_gui for _, on_gui in told] == [True, True]
    assert told[0][0] == "done"
    assert "division" in told[1][0]


def test_progress_comes_before_the_end(qtbot) -> None:
    told: list[object] = []
    task = Task(lambda: [task.report(k) for k in range(3)])
    task.progressed.connect(told.append)
    task.succeeded.connect(lambda _: told.append("end"))
    task.start()
    qtbot.waitUntil(lambda: "end" in told)
    assert told == [0, 1, 2, "end"]


def test_owners_deleted_while_their_work_ends_are_told_nothing_and_nothing_crashes(qtbot) -> None:
    told: list[object] = []
    for _ in range(200):
        owner, go = QObject(), threading.Event()
        task = run(owner, go.wait, told.append, told.append)
        go.set()
        shiboken6.delete(owner)  # with the task, at the moment at which its thread speaks
        assert task.wait(PATIENCE_S)
    qtbot.wait(1)
    assert told == []


def test_an_owner_that_its_own_callback_deletes_is_not_spoken_to_again(qtbot) -> None:
    owner = QObject()
    task = run(owner, lambda: 1, lambda _: shiboken6.delete(owner), pytest.fail)
    assert task.wait(PATIENCE_S)
    qtbot.waitUntil(lambda: not shiboken6.isValid(owner))


def test_a_picture_for_a_page_that_is_gone_is_forgotten(qtbot, tmp_path: Path) -> None:
    shown: list[object] = []
    ready = threading.Event()

    class Slow:
        def kept(self, image_id: str, *, heat: bool) -> None:
            return None

        def make(self, image_id: str, *, heat: bool) -> str:
            ready.wait(PATIENCE_S)
            return image_id

    loader = PictureLoader()
    loader._pictures = Slow()  # type: ignore[assignment]
    loader.load("a", shown.append, heat=False)
    threading.Timer(0.05, ready.set).start()
    shiboken6.delete(loader)  # its pool waits for the picture
    qtbot.wait(1)
    assert shown == []
