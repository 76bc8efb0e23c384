"""Pretrain: settings in explained groups, every signal live, gaze against plain."""

import json

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QFocusEvent

from app.pages.pretrain.compared import sentence
from app.pages.pretrain.form import TrainingForm
from app.pages.pretrain.page import TrainingPage
from app.pages.pretrain.run_settings import RunSettings
from app.ui.fold import Fold
from app.workspace.device_use import DeviceUse, Gpu, device_use
from trainer.config.form_description import describe
from trainer.config.groups import GROUPS


@pytest.fixture(scope="module")
def settings() -> RunSettings:
    return RunSettings.from_json(describe())


@pytest.fixture
def page(qtbot) -> TrainingPage:
    made = TrainingPage()
    qtbot.addWidget(made)
    made.show_readings(20)
    return made


def test_every_setting_has_one_group_and_is_explained(settings) -> None:
    named = [name for group in GROUPS for name in group.fields]
    assert len(named) == len(set(named))
    table = json.loads(describe())
    assert {"measure_parameters", *(f["name"] for f in table["fields"])} >= set(named)
    assert len(settings.fields) == len(table["fields"])
    assert all(field.help for field in settings.fields)
    assert settings.groups[0].title == "Which images are pairs"


def test_settings_lie_in_folded_groups_and_the_one_in_hand_is_explained(page, settings) -> None:
    page.show_settings(settings)
    folds = page.form.findChildren(Fold)
    assert len(folds) >= 8
    assert not any(fold.is_open for fold in folds)
    editor = page.form.rest.editors["lr"]
    page.form.help.eventFilter(editor, QFocusEvent(QEvent.Type.FocusIn))
    assert page.form.help.text().startswith("Learning rate: ")
    page.form._all.click()  # folds the whole again
    assert page.form._all.text() == "All settings…"
    page.form.preset(lr=0.01)
    assert page.form.options()[-2:] == ["--set", "lr=0.01"]


def test_gaze_against_plain_has_the_same_settings_but_for_the_pairs(qtbot) -> None:
    form = TrainingForm()
    qtbot.addWidget(form)
    form.preset(pairs="none", epochs=3, size=64, batch=4)
    assert form.sweep_options(4) == [
        "--seeds", "4", "--measures", "auto", "--positive-rate", "0.05", "--drop", "0.5", "--",
        "--method", "byol", "--encoder", "resnet18", "--epochs", "3", "--size", "64",
        "--batch", "4",
    ]  # fmt: skip
    form.preset(pairs="mcgip")
    assert form.sweep_options(2)[6:8] == ["--drop", "0"]


def test_the_button_asks_for_a_comparison_with_so_many_seeds(qtbot, page) -> None:
    page.compare.seeds.setValue(5)
    with qtbot.waitSignal(page.compare_wanted) as asked:
        page.compare.start.click()
    assert asked.args[0][:2] == ["--seeds", "5"]


def _metrics(step: int, **more: float) -> dict[str, float]:
    return {"step": step, "steps": 40, "epoch": 1, "epochs": 4, "loss": 2.0, "learning_rate": 1e-3,
            "feature_spread": 0.05, "data_wait": 0.0, "positives_per_anchor": 1.5,
            "images_per_s": 9.0, "rank_me": None, "knn": None, **more}  # fmt: skip


def test_every_signal_is_shown_and_one_that_is_not_told_has_no_value(page) -> None:
    page.show_started(page.form.options())
    page.show_metrics(_metrics(1))
    page.show_metrics(_metrics(2, knn=0.5))
    curves = page.view.signals.curves
    assert curves["knn"].points == [(2, 0.5)]
    assert curves["rank_me"].text == "–"
    assert curves["images_per_s"].text == "9"
    page.view.signals.smoothing.setValue(80)
    page.resize(1100, 700)
    assert not page.grab().isNull()


def test_a_comparison_counts_its_runs_and_ends_in_a_sentence(page) -> None:
    page.show_started(page.form.sweep_options(3), "sweep")
    page.show_stage({"stage": "sweep", "message": "Run 2 of 6, plain_seed1"})
    page.show_progress({"stage": "sweep", "done": 1, "total": 6, "unit": "runs",
                        "rate": 0.01, "seconds_left": 300.0})  # fmt: skip
    page.show_progress({"stage": "train", "done": 3, "total": 9, "unit": "steps"})
    assert "1 of 6 runs, 5 min 00 s left" in page.message
    assert "3 of 9 steps" in page.message
    one = {"setting": "auto_rate0.05_drop0.5", "score": 0.7, "difference": 0.1, "low": -0.02,
           "high": 0.22, "p": 0.08, "p_holm": 0.08, "seeds": 3, "verdict": "no gain"}  # fmt: skip
    result = {"metric": "linear, accuracy", "plain": 0.6, "seeds": 3, "settings": [one]}
    page.show_finished(result)
    assert page.state == "finished"
    assert page.compared.text.startswith("No gain: these runs do not show that gaze helps.")
    assert "+0.100 (95 % interval −0.020 to +0.220, 3 seeds)" in page.compared.text
    assert sentence({**one, "verdict": "gain", "low": 0.01}, "m", "0.6").startswith("✓ Gaze helped")


def test_what_a_training_takes_is_told_in_words(page) -> None:
    page.show_started([])
    page.show_use(DeviceUse(1.5, 2, 1.2e9, (Gpu(0.87, 5e9, 8e10),)))
    assert page._progress.use_text == (
        "Trainer: 1.5 of 2 cores, 1.2 GB of memory; graphics card 87% busy, 5.0 of 80 GB"
    )
    assert device_use(2**22 + 1, 0.0) is None  # nobody lives there
