"""No text of the researcher's pages misses translation, and a longer language is not cut off."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QTabWidget, QWidget

from app.pages.analysis.fields import analysis_fields, performance_fields
from app.pages.analysis.page import AnswerPage
from app.pages.export.page import ExportPage
from app.pages.pretrain.page import TrainingPage
from app.pages.pretrain.run_settings import RunSettings
from app.pages.probe.page import ProbePage
from app.pages.progress.page import ProgressPage
from app.pages.setup.page import SetupPage
from app.pages.workspace.audit_page import AuditPage
from app.pages.workspace.changes_by import PersonDialog
from app.pages.workspace.cohort_page import CohortPage
from app.pages.workspace.features_controller import of_images
from app.pages.workspace.features_page import FeaturesPage
from app.pages.workspace.reason_dialog import ReasonDialog
from app.pages.workspace.run_dialog import RunDialog
from app.pages.workspace.runs_page import RunsPage
from app.pages.workspace.similarity_page import SimilarityPage
from app.recording.screen_setup import StationSetup
from app.ui.pictures import PictureLoader
from app.ui.text import tr
from app.workspace.audit import audit_trail
from app.workspace.cohort import cohort_rows
from app.workspace.cohort_edits import decide
from app.workspace.cohort_missing import missing
from app.workspace.colourings import colourings
from app.workspace.device_use import DeviceUse
from app.workspace.estimate import Estimate
from app.workspace.features import load_features, map_pca
from app.workspace.pair_purity import labels_of, pair_purity
from app.workspace.runs import RunRow, runs
from app.workspace.similarity import load_stored_relation, similarity_choices
from devices.gaze.geometry import ScreenGeometry
from migrations.study.folder import Study
from migrations.study.jobs import FOREIGN, Job
from migrations.study.progress import Progress
from migrations.study.view_size import ViewProposal
from tests.app.station.made_up import SIZE, cut_headings, cut_off, made_up, missed, texts
from tests.app.workspace.cohort_study import add_run, add_similarity, make_study
from trainer.config.form_description import describe

__all__ = ["made_up"]
_NAMES = (
    r"gaze-run|plain-run|normal|smooth|spiculated|cd/m²|lux|method byol|lr"
    r"|CC[-0]\S*|CDLA\S*|ODC\S*|ODbL\S*|PDDL\S*"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(tmp_path_factory.mktemp("words") / "study", 12, pictures=False)
    add_similarity(study)
    add_run(study, "gaze-run", pairs="gzpt")
    add_run(study, "plain-run", pairs="none")
    study.close()
    return study.folder


@pytest.fixture
def study(folder: Path):
    opened = Study.open(folder)
    yield opened
    opened.close()


def cohort(study: Study, qtbot) -> QWidget:
    page = CohortPage()
    rows = cohort_rows(study)
    page.show_rows(rows, missing(study, rows))
    assert page.plots
    page.table.selectRow(0)
    return page


def no_cohort(study: Study, qtbot) -> QWidget:
    page = CohortPage()
    page.show_rows((), missing(study, ()))
    return page


def chosen_images(study: Study, qtbot) -> QWidget:
    page = cohort(study, qtbot)
    page.narrow_to([image_id for row in page.model.rows[:2] for image_id in row.image_ids])
    return page


def audit(study: Study, qtbot) -> QWidget:
    readings = [row.reading_id for row in cohort_rows(study)]
    decide(study, readings[:1], False, "Case 001", person="R1")
    page = AuditPage()
    page.show_rows(audit_trail(study))
    return page


def similarity(study: Study, qtbot) -> QWidget:
    page = SimilarityPage(PictureLoader(None))
    choices = similarity_choices(study)
    relation = load_stored_relation(choices[0].path)
    order = np.arange(len(relation.ids))
    page.show_runs(choices, choices[0].id)
    names = {id_: "Case 001" for id_ in relation.ids}
    page.show_relation(relation, names, order, relation.overview(order),
                       pair_purity(relation, labels_of(study)))  # fmt: skip
    page.show_agreement(())
    page.work.begin(tr("Comparing gaze."))
    page.work.take({"event": "progress", "stage": "similarity", "done": 2, "total": 9,
                    "unit": "pairs", "rate": 3.0, "seconds_left": 70})  # fmt: skip
    return page


def no_similarity(study: Study, qtbot) -> QWidget:
    return SimilarityPage(PictureLoader(None))


def features(study: Study, qtbot) -> QWidget:
    page = FeaturesPage(PictureLoader(None))
    found = runs(study)
    page.show_runs(found, found[0].id, "")
    loaded = of_images(load_features(found[0].folder / "features.npz"))
    points, _share = map_pca(loaded)
    names = {id_: "Case 001" for id_ in loaded.ids}
    page.show_features(loaded, points, (tr("Right"), tr("Up")), names, colourings(study))
    page.show_other(loaded)
    return page


def no_features(study: Study, qtbot) -> QWidget:
    page = FeaturesPage(PictureLoader(None))
    page.work.begin(tr("Computing features."))
    return page


def a_run(study: Study, qtbot) -> QWidget:
    page = RunsPage()
    page.show_runs(runs(study))
    return page


def two_runs(study: Study, qtbot) -> QWidget:
    page = a_run(study, qtbot)
    page.table.selectAll()
    return page


def no_runs(study: Study, qtbot) -> QWidget:
    return RunsPage()


def _pretrain(study: Study) -> TrainingPage:
    page = TrainingPage()
    page.folder = study.folder
    page.show_readings(12)
    page.show_estimate(Estimate(75.0, 2e9))
    page.show_proposal(
        ViewProposal(224, 14, by_boxes=False, share=0.1, length_mm=9.0, limited=True)
    )
    return page


def pretrain(study: Study, qtbot) -> QWidget:
    return _pretrain(study)


def nothing_to_learn(study: Study, qtbot) -> QWidget:
    return TrainingPage()


def all_settings(study: Study, qtbot) -> QWidget:
    page = _pretrain(study)
    page.show_settings(RunSettings.from_json(describe()))
    return page


def training(study: Study, qtbot) -> QWidget:
    page = _pretrain(study)
    page.show_started(())
    page.show_stage({"stage": "train", "message": ""})
    page.show_progress({"stage": "train", "done": 3, "total": 9, "unit": "steps", "rate": 2.0,
                        "seconds_left": 70})  # fmt: skip
    page.show_metrics({"step": 3, "steps": 9, "epoch": 1, "epochs": 2, "loss": 0.4,
                       "learning_rate": 0.1, "images_per_s": 20.0, "data_wait": 0.4,
                       "feature_spread": 0.02, "positives_per_anchor": 0.0, "rank_me": 3.0,
                       "knn": 0.5})  # fmt: skip
    page.show_use(DeviceUse(1.5, 2, 2e9, ()))
    return page


def trained(study: Study, qtbot) -> QWidget:
    page = _pretrain(study)
    page.show_started(())
    page.show_finished({"images": 12, "positive_rate": 0.05, "report": "", "encoder": ""})
    return page


def stopped(study: Study, qtbot) -> QWidget:
    page = _pretrain(study)
    page.show_started(())
    page.show_stopped({"step": 4, "checkpoint": "c"})
    return page


def ended(study: Study, qtbot) -> QWidget:
    page = _pretrain(study)
    page.show_started(())
    page.show_stopped({})
    return page


def queued(study: Study, qtbot) -> QWidget:
    page = _pretrain(study)
    options = ("--method", "byol", "--set", "lr=0.1")
    page.show_queue([
        Job(study.folder / "1", options),
        Job(study.folder / "2", options, command="sweep"),
        Job(study.folder / "3", options, state=FOREIGN),
        Job(study.folder / "4", options, state=FOREIGN, computer="R1"),
    ])  # fmt: skip
    assert not [text for _, text in texts(page) if "--" in text]
    return page


def failed(study: Study, qtbot) -> QWidget:
    page = _pretrain(study)
    page.show_failed("")
    return page


def compared(study: Study, qtbot) -> QWidget:
    page = _pretrain(study)
    page.show_started((), "sweep")
    page.show_finished({
        "metric": "linear, auc", "plain": 0.7, "seeds": 3,
        "settings": [{"setting": "tima", "score": 0.75, "difference": 0.05, "low": 0.01,
                      "high": 0.09, "p": 0.01, "p_holm": 0.01, "seeds": 3, "verdict": verdict}
                     for verdict in ("gain", "loss", "none")],
    })  # fmt: skip
    return page


def probe(study: Study, qtbot) -> QWidget:
    page = ProbePage()
    page.show_runs(runs(study))
    page.show_rows([{"encoder": "gaze-run", "probe": "linear", "budget": 10, "metric": "auc",
                     "mean": 0.7, "low": 0.6, "high": 0.8}])  # fmt: skip
    return page


def probing(study: Study, qtbot) -> QWidget:
    page = ProbePage()
    page.show_running(True)
    return page


def export(study: Study, qtbot) -> QWidget:
    page = ExportPage()
    page.show_study(Path(), runs(study))
    return page


def exporting(study: Study, qtbot) -> QWidget:
    page = ExportPage()
    page.show_running(True)
    return page


def progress(study: Study, qtbot) -> QWidget:
    page = ProgressPage()
    page.show_rows([Progress("R1", "", 12, 4)])
    return page


def no_progress(study: Study, qtbot) -> QWidget:
    return ProgressPage()


def _answers(title: str, fields) -> AnswerPage:
    page = AnswerPage("analysis", tr(title), tr("Compute"), tr("Nothing was computed yet."))
    page.show_fields(fields)
    return page


def analysis(study: Study, qtbot) -> QWidget:
    return _answers("Analysis", analysis_fields())


def performance(study: Study, qtbot) -> QWidget:
    asked = [q for q in study.settings.questions if q.scope == "case"]
    return _answers("Performance", performance_fields(asked))


def setup(study: Study, qtbot) -> QWidget:
    page = SetupPage()
    page.show_setup(StationSetup(), ScreenGeometry(1920, 1080, 520, 290, name="Tobii"))
    page.show_warnings([tr("The screen was not measured.")])
    return page


def _kept(made: QDialog) -> QDialog:
    """Return a dialog that outlives what it was opened over, and its own closing."""
    made.setParent(None, made.windowFlags())
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    return made


def _over(qtbot, make) -> QDialog:
    parent = QWidget()
    qtbot.addWidget(parent)
    made = make(parent)
    return _kept(made)


def why(study: Study, qtbot) -> QWidget:
    return _over(qtbot, lambda over: ReasonDialog(over, tr("Exclude this reading"), print))


def who(study: Study, qtbot) -> QWidget:
    return _over(qtbot, lambda over: PersonDialog(over, print))


def run_words(study: Study, qtbot) -> QWidget:
    first: RunRow = runs(study)[0]
    return _over(qtbot, lambda over: RunDialog(over, first, print))


def delete_run(study: Study, qtbot) -> QWidget:
    page = a_run(study, qtbot)
    qtbot.addWidget(page)
    page.delete.click()
    return _kept(page.findChild(QDialog))


PAGES = (
    cohort, no_cohort, chosen_images, audit, similarity, no_similarity, features, no_features,
    a_run, two_runs, no_runs, pretrain, nothing_to_learn, all_settings, training, trained,
    stopped, ended, queued, failed, compared, probe, probing, export, exporting, progress,
    no_progress, analysis, performance, setup, why, who, run_words, delete_run,
)  # fmt: skip


@pytest.mark.parametrize("make", PAGES, ids=lambda make: make.__name__)
def test_every_text_of_a_researchers_page_is_translated_and_fits_when_it_is_longer(
    made_up, qtbot, study, make
) -> None:
    page = make(study, qtbot)
    qtbot.addWidget(page)
    if not isinstance(page, QDialog):
        page.resize(SIZE)
    with qtbot.waitExposed(page):
        page.show()
    least = page.minimumSizeHint()
    assert least.boundedTo(SIZE) == least, "it would not fit the window"
    assert _faults(page) == []
    for tabs in page.findChildren(QTabWidget):
        for place in range(1, tabs.count()):
            tabs.setCurrentIndex(place)
            assert _faults(page) == []


def _faults(page: QWidget) -> list[str]:
    return [*missed(page, _NAMES), *cut_off(page), *cut_headings(page)]
