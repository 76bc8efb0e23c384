"""The list of jobs: what a new folder and a line in `app.jobs` make of the station."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton

from app import jobs
from app.demo.hands import click
from app.station import Station
from devices.catalogue import Found
from migrations.study.folder import Study
from migrations.study.settings import StudySettings
from tests import ROOT
from tests.app.station.made_up_job.controller import MadeUpController

LATER = "import sys, app.station; print([m for m in {} if m in sys.modules])"


@pytest.fixture
def station(qtbot, study: Study, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jobs, "JOBS", (*jobs.JOBS, MadeUpController))
    station = Station(study, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    station.window.show()
    yield station
    station.close()


def _entries(station: Station) -> list[str]:
    """Return the entries of the navigation that are seen, from top to bottom."""
    found = [
        each
        for each in station.window.findChildren(QAbstractButton)
        if each.objectName().startswith("go_") and each.isVisible()
    ]
    return [each.accessibleName() for each in sorted(found, key=lambda each: each.y())]


def test_a_job_in_the_list_is_opened_shown_refreshed_and_closed(station, study, qtbot) -> None:
    job = station.job(MadeUpController)
    assert job.asked == [f"open {study.settings.name}"]
    click(station.window.findChild(QAbstractButton, "go_made_up"))
    assert station.window.current == "made_up"
    assert job.page.isVisible()
    station.go("worklist")
    station.go("made_up_figures")
    assert job.asked[1:] == ["refresh made_up", "refresh made_up_figures"]
    station.use_study(study)
    assert job.asked[3:] == [f"open {study.settings.name}"]
    station.close()
    station.close()
    assert job.asked[4:] == ["close"]


def test_a_job_stands_in_the_navigation_where_it_says(station) -> None:
    assert _entries(station) == [
        "Worklist", "Made up", "Calibration", "Reading", "Review", "Station",
    ]  # fmt: skip
    station.shell.enter_workspace()
    assert _entries(station) == [
        "Cohort", "Analysis", "Performance", "Gaze similarity", "Pretrain", "Runs", "Features",
        "Probe", "Export", "Audit trail", "Progress", "Study settings", "Figures",
    ]  # fmt: skip


def test_tab_goes_down_the_navigation_and_then_to_the_page(station) -> None:
    met: list[str] = []
    widget = station.window.nextInFocusChain()
    while widget is not station.window:
        if widget.isVisibleTo(station.window) and isinstance(widget, QAbstractButton):
            met.append(widget.objectName())
        widget = widget.nextInFocusChain()
    assert met[:8] == [
        "go_worklist", "go_made_up", "go_calibration", "go_reading", "go_review", "go_setup",
        "new_study_beside", "workspace_door",
    ]  # fmt: skip
    assert "import" in met[8:]


def test_every_page_of_the_navigation_can_be_gone_to(station) -> None:
    names = [page.name for job in station.jobs for page in job.pages]
    assert len(names) == len(set(names)) >= 13
    for name in set(names) - {"reading"}:  # nothing is there to read
        station.go(name)
        assert station.window.current == name


def test_plots_and_torch_are_not_loaded_before_they_are_wanted() -> None:
    slow = ("torch", "pyqtgraph", "scipy.stats", "sklearn")
    code = LATER.format(slow)
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("allowed", [False, True])
def test_trackers_are_looked_for_beyond_this_computer_only_if_the_study_allows_it(
    qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    asked: list[bool] = []

    def found(_timeout_s: float, *, network: bool) -> Found:
        asked.append(network)
        return Found(())

    monkeypatch.setattr("app.pages.worklist.devices.find_trackers", found)
    study = Study.create(tmp_path / "s", replace(StudySettings(), lsl_network=allowed))
    station = Station(study, full_screen=False)
    qtbot.addWidget(station.window)
    station.show()
    qtbot.waitUntil(lambda: station.sitting.worklist.devices.found is not None)
    station.close()
    assert asked == [allowed]
