"""A second start of a study raises the window that has it open, and opens nothing."""

from pathlib import Path

from PySide6.QtCore import QDir

from app.shell.only_window import OnlyWindow, _name_of
from app.station import Station
from migrations.study.folder import Study
from migrations.study.settings import StudySettings


def test_a_second_window_is_refused_and_the_first_is_asked_to_come_up(
    qtbot, tmp_path: Path
) -> None:
    first, second = OnlyWindow(), OnlyWindow()
    assert first.claim(tmp_path)
    assert first.claim(tmp_path)  # its own name again
    with qtbot.waitSignal(first.wanted):
        assert not second.claim(tmp_path)
    assert second.claim(tmp_path / "other")
    first.release()
    assert second.claim(tmp_path)
    second.release()


def test_a_socket_that_a_killed_window_left_stops_nobody(qtbot, tmp_path: Path) -> None:
    left = Path(QDir.tempPath()) / _name_of(tmp_path)
    left.touch()
    window = OnlyWindow()
    assert window.claim(tmp_path)
    window.release()


def test_the_station_says_that_the_study_is_open_elsewhere(qtbot, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    study = Study.create(folder, StudySettings(name="Trial"))
    first = Station(study)
    second = Station(Study.open(folder))
    for station in (first, second):
        qtbot.addWidget(station.window, before_close_func=lambda _w, s=station: s.close())
    assert second.study is None
    assert second.window.current == "start"
    assert "open in another window" in second.shell.last_error
    assert first.study is study
    second.close()
    first.close()
