"""The form of Pretrain says again what was last started of a study, also after a restart."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.pages.pretrain.controller import TrainingController
from app.pages.pretrain.form import TrainingForm
from app.pages.pretrain.last_form import keep_form, last_form
from app.pages.pretrain.run_settings import RunSettings
from app.station import Station
from migrations.study.folder import Study
from tests.app.workspace.cohort_study import make_study
from trainer.config.form_description import describe


@pytest.fixture(scope="module")
def settings() -> RunSettings:
    return RunSettings.from_json(describe())


@pytest.fixture
def form(qtbot) -> TrainingForm:
    made = TrainingForm()
    qtbot.addWidget(made)
    return made


def _again(qtbot, form: TrainingForm) -> TrainingForm:
    made = TrainingForm()
    qtbot.addWidget(made)
    made.restore(form.said())
    return made


def _opened(qtbot, monkeypatch, folder: Path) -> tuple[Station, list[list[str]]]:
    station = Station(Study.open(folder), reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(station.window, before_close_func=lambda _w: station.close())
    station.window.show()
    started: list[list[str]] = []
    queue = station.job(TrainingController).queue
    monkeypatch.setattr(queue, "start", lambda words, _agreed, _command: started.append(words))
    station.shell.enter_workspace()
    station.go("training")
    return station, started


def test_what_was_started_is_filled_in_when_the_study_is_opened_again(
    qtbot, tmp_path: Path, monkeypatch, settings
) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "configuration"))
    for name in ("one", "other"):
        make_study(tmp_path / name, 4, pictures=False).close()
    station, started = _opened(qtbot, monkeypatch, tmp_path / "one")
    page = station.job(TrainingController).page
    page.form.show_settings(settings)
    qtbot.keyClicks(page.form.basic.editors["method"], "M")
    epochs = page.form.basic.editors["epochs"]
    qtbot.keyClick(epochs, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(epochs, "7")
    page.form.preset(lr=0.003)
    qtbot.mouseClick(page.pretrain, Qt.MouseButton.LeftButton)
    station.close()

    station, again = _opened(qtbot, monkeypatch, tmp_path / "one")
    page = station.job(TrainingController).page
    assert not page.form.rest.editors  # the trainer was not asked
    assert page.findChild(QPushButton, "all_settings").text() == "All settings… (1 changed)"
    qtbot.mouseClick(page.pretrain, Qt.MouseButton.LeftButton)
    assert again == started
    assert "lr=0.003" in again[0]
    station.use_study(Study.open(tmp_path / "other"))
    assert page.form.options() == TrainingForm().options()
    station.use_study(Study.open(tmp_path / "one"))
    assert page.form.options() == started[0]
    qtbot.mouseClick(page.findChild(QPushButton, "form_defaults"), Qt.MouseButton.LeftButton)
    assert page.form.options() == TrainingForm().options()


@pytest.mark.parametrize("is_shown", [False, True], ids=["before", "after the trainer was asked"])
def test_values_of_the_form_stay_over_those_of_a_recipe(qtbot, form, settings, is_shown) -> None:
    form.show_settings(settings)
    form.preset(recipe="mammo", batch=5, size=128, rule="alike above", amount=0.5)
    before = form.options()
    again = _again(qtbot, form)
    if is_shown:
        again.show_settings(settings)
        assert again.rest.values()["recipe"] == "mammo"
    assert again.options() == before
    again.reset()
    assert again.options() == TrainingForm().options()


def test_a_method_that_only_the_trainer_knows_is_offered_again(qtbot, form, settings) -> None:
    form.show_settings(settings)
    form.preset(method="mocov3", encoder="resnet50")
    again = _again(qtbot, form)
    assert again.basic.editors["method"].currentText() == "MoCo v3"
    again.show_settings(settings)
    assert again.options() == form.options()


def test_a_setting_that_the_trainer_no_longer_has_is_named(form, settings) -> None:
    form.restore({**form.said(), "further": {"seed": 4, "warp": 9}})
    form.show_settings(settings)
    assert "warp" in form.help.text()
    assert form.options()[-1] == "seed=4"


def test_a_damaged_file_is_as_none(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path))
    assert last_form(tmp_path) is None
    keep_form(tmp_path / "study", {"seeds": 3})
    assert last_form(tmp_path / "study") == {"seeds": 3}
    (tmp_path / "pretrain.json").write_text("{no")
    assert last_form(tmp_path / "study") is None
