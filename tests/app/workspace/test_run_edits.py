"""Runs are renamed, tagged, noted and deleted; one that is in use stays."""

import csv
import os
from pathlib import Path

import pytest
from sqlalchemy import select

from app.pages.workspace.runs_page import RunsPage
from app.workspace.run_edits import RunEditRefused, delete, edit
from app.workspace.runs import runs
from migrations.study.folder import Study
from migrations.study.jobs import add_job
from migrations.study.processes import only_one
from migrations.study.run_names import find_run, runs_of
from migrations.study.schema import Audit
from migrations.study.settings import StudySettings
from tests.app.workspace.cohort_study import add_run


@pytest.fixture
def study(tmp_path: Path):
    made = Study.create(tmp_path / "study", StudySettings(name="Runs"))
    for name in ("gaze", "plain"):
        add_run(made, name, pairs="gzpt" if name == "gaze" else "none")
    yield made
    made.close()


def test_a_run_goes_by_its_new_name_everywhere_and_keeps_its_figures(study) -> None:
    plain, gaze = runs(study)
    edit(study, gaze.id, " knee gaze ", ["knee", " ", "first", "knee"], "Best so far.")
    now = next(run for run in runs(study) if run.id == gaze.id)
    assert (now.name, now.tags, now.note) == ("knee gaze", ("knee", "first"), "Best so far.")
    assert now.details["loss_last"] == gaze.details["loss_last"]
    assert find_run(runs_of(study), "knee gaze").id == gaze.id
    with pytest.raises(RunEditRefused, match="needs a name"):
        edit(study, plain.id, "  ", [], "")


def test_a_deleted_run_leaves_only_its_row_in_the_audit(study) -> None:
    plain, gaze = runs(study)
    delete(study, gaze)
    assert [run.id for run in runs(study)] == [plain.id]
    assert not gaze.folder.exists()
    assert plain.folder.is_dir()
    with study.database.read() as session:
        audit = session.scalars(select(Audit)).one()
    assert (audit.action, audit.subject, audit.details["name"]) == ("delete run", gaze.id, "gaze")


def test_a_run_in_use_is_not_deleted(study) -> None:
    gaze = runs(study)[1]
    with only_one(gaze.folder / "running.json"), pytest.raises(RunEditRefused, match="trained by"):
        delete(study, gaze)
    add_job(study.folder, ["--init", str(gaze.folder / "encoder.safetensors")])
    with pytest.raises(RunEditRefused, match="A queued training starts from gaze"):
        delete(study, gaze)
    assert len(runs(study)) == 2
    assert gaze.folder.is_dir()


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_a_folder_outside_the_study_stays(study, tmp_path: Path) -> None:
    gaze = runs(study)[1]
    outside = tmp_path / "elsewhere"
    gaze.folder.rename(outside)
    gaze.folder.symlink_to(outside)
    delete(study, gaze)
    assert (outside / "encoder.safetensors").is_file()


def test_the_page_shows_several_signals_and_writes_its_table(qtbot, study, tmp_path) -> None:
    edit(study, runs(study)[1].id, "gaze", ["=1+1"], "")
    page = RunsPage()
    qtbot.addWidget(page)
    page.show_runs(runs(study))
    page.table.selectAll()
    page.curves.boxes["feature_spread"].setChecked(True)
    assert list(page.curves.plots) == ["loss", "feature_spread"]
    assert page.curves.boxes["knn"].isHidden()  # no run has it
    made = page.curves.save(tmp_path / "runs.csv")
    assert [path.name for path in made] == ["runs-loss.csv", "runs-feature_spread.csv"]
    page.write(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["plain", "gaze"]
    assert rows[1]["pairs"] == "gzpt"
    assert not rows[1]["tags"].startswith("=")


def test_deleting_asks_first(qtbot, study) -> None:
    page = RunsPage()
    qtbot.addWidget(page)
    page.show_runs(runs(study))
    asked: list[list[str]] = []
    page.delete_wanted.connect(asked.append)
    page.delete.click()
    dialog = page.findChild(object, "confirm_dialog")
    assert asked == []
    dialog.accept()
    assert len(asked) == 1
