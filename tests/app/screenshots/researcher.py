"""The researcher's pages, filled by what the commands computed."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSlider

from app.demo.steps import Script, Until
from app.pages.analysis.job import AnalysisJob
from app.pages.pretrain.controller import TrainingController
from app.pages.probe.controller import ProbeController
from app.pages.workspace.job import WorkspaceJob
from app.station import Station
from tests.app.screenshots.runs import told_by

Keep = Callable[..., Script]


def workspace(station: Station, keep: Keep) -> Script:
    """Go through the researcher's pages."""
    station.shell.enter_workspace()
    job = station.job(WorkspaceJob)
    yield Until("the workspace", lambda: job.ready, 120)
    pages = job.inside
    yield Until("the cohort", lambda: pages.cohort.model.rowCount() > 3, 120)
    pages.cohort.table.selectRow(2)
    yield from keep("cohort", "keep_readings")
    station.go("similarity")
    pages.similarity.compute_wanted.emit("tima")
    yield Until("the similarity", lambda: pages.similarity.relation is not None, 300)
    yield from keep("similarity", "threshold_slider")
    station.go("runs")
    yield Until("the runs", lambda: len(pages.runs.rows) > 1, 120)
    pages.runs.table.selectAll()
    yield from keep("runs", "runs_table", "runs_smoothing")
    station.go("features")
    yield Until("the features", lambda: pages.features.features is not None, 120)
    yield from keep("features", "features_run")
    station.go("probe")
    probe = station.job(ProbeController).page
    yield Until("the probe", lambda: probe.model.rowCount() > 3, 120)
    yield from keep("probe", "probe_table")
    yield from _training(station, keep)
    yield from _answers(station, keep, "analysis")
    yield from _answers(station, keep, "performance")


def _answers(station: Station, keep: Keep, name: str) -> Script:
    """Show what a command wrote."""
    station.go(name)
    answers = station.job(AnalysisJob)
    yield Until("the page", lambda: bool(answers.inside), 120)
    page = answers.inside[name].page
    if "positive" in page.form.editors:
        page.form.set_value("positive", "mass")
    yield Until("the figures", lambda: page.results.list.count() > 0, 120)
    yield from keep(name, f"{name}_figures", "figure_view")


def _training(station: Station, keep: Keep) -> Script:
    """Show a run at its end, as the trainer tells it."""
    station.go("training")
    page = station.job(TrainingController).page
    page.show_started(page.form.options())
    gaze = next(row for row in station.job(WorkspaceJob).inside.runs.rows if row.name == "gaze")
    for event in told_by(gaze.folder):
        page.show_metrics(event)
    page.show_finished({**gaze.details, "encoder": "runs/gaze/encoder.safetensors",
                        "report": "runs/gaze/report.html"})  # fmt: skip
    slider = page.findChild(QAbstractSlider, "smoothing")
    slider.setValue(60)
    assert slider.orientation() == Qt.Orientation.Horizontal
    yield from keep("training", "smoothing", "pretrain")
