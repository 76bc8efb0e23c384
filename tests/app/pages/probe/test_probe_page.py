"""Probe in the window: what is asked, how far it is, Stop, and the figures of the last one."""

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt

from app.pages.probe.controller import ProbeController
from app.ui.job import ChosenReader, JobContext, Notices
from app.workspace.runs import runs
from migrations.study.folder import Study
from migrations.study.settings import StudySettings
from tests.app.workspace.cohort_study import add_run

PROBE = """
import json, os, sys
def say(**event):
    print(json.dumps(event), flush=True)
out = sys.argv[sys.argv.index("--out") + 1]
"""
WRITES = """
os.makedirs(out)
row = {"encoder": "gaze", "probe": "knn", "budget": 10, "metric": "accuracy",
       "mean": 0.75, "low": 0.5, "high": 0.9}
open(os.path.join(out, "probe.json"), "w").write(json.dumps([row]))
"""


def context(parent: QObject) -> JobContext:
    def nothing(*_args: object) -> None:
        pass

    return JobContext(parent, None, Notices(parent), ChosenReader(), "", nothing, nothing,
                      nothing, lambda: False, nothing)  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture
def study(tmp_path: Path):
    made = Study.create(tmp_path / "study", StudySettings(name="Probe"))
    add_run(made, "gaze", pairs="gzpt")
    add_run(made, "plain", pairs="none")
    yield made
    made.close()


@pytest.fixture
def job(qtbot, study):
    parent = QObject()
    made = ProbeController(context(parent))
    qtbot.addWidget(made.page)
    made.open(study)
    made.page.show_runs(runs(study))
    yield made
    made.close()
    parent.deleteLater()


def test_ticked_runs_are_probed_by_their_folders_names(job, study) -> None:
    page = job.page
    assert page.asked().runs == ("plain",)  # the newest
    page.runs.item(1).setCheckState(Qt.CheckState.Checked)
    page.kinds["finetune"].setChecked(True)
    words = page.asked().words(Path("s"), Path("o"))
    assert words[:6] == ["probe", "--study", "s", "--encoder", "plain", "gaze"]
    assert "linear,knn,finetune" in words
    for box in page.kinds.values():
        box.setChecked(False)
    assert not page.start.isEnabled()


def test_a_probe_shows_its_figures_which_are_there_again_later(qtbot, job, study) -> None:
    job.side.program = [sys.executable, "-c", PROBE + WRITES]
    job.page.start.click()
    assert not job.page.work.isHidden()
    qtbot.waitUntil(lambda: job.page.state_text.startswith("✓"))
    assert job.page.model.rows == [
        ("gaze", "Nearest neighbours", "10", "Accuracy", "0.750", "0.500 – 0.900")
    ]
    assert json.loads((study.exports / "probe" / "probe.json").read_text())[0]["mean"] == 0.75
    job.page.show_rows([])
    job.refresh()
    qtbot.waitUntil(lambda: len(job.page.model.rows) == 1)


def test_a_stopped_probe_leaves_the_last_one(qtbot, job, study) -> None:
    last = study.exports / "probe" / "probe.json"
    last.parent.mkdir(parents=True)
    last.write_text("[]")
    job.side.program = [sys.executable, "-c", PROBE + "say(event='stage', stage='images')\n"
                        "sys.exit(3 if sys.stdin.readline() == 'stop\\n' else 0)"]  # fmt: skip
    job.side.told.connect(lambda _event: job.page.work.stop.click())
    job.page.start.click()
    qtbot.waitUntil(lambda: "Stopped" in job.page.state_text)
    assert last.is_file()
    assert job.page.start.isEnabled()
