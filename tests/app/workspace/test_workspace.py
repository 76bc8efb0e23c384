"""The researcher's workspace over a study of rows, driven as a researcher does."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QAbstractButton, QDialog, QLineEdit
from sqlalchemy import select

from app.demo.hands import click
from app.pages.pretrain.basic_settings import OFFERED, OTHER_NET
from app.pages.pretrain.controller import TrainingController
from app.pages.pretrain.run_settings import settings_of
from app.pages.settings.controller import SettingsController
from app.pages.workspace.features_controller import of_images
from app.pages.workspace.job import WorkspaceJob
from app.station import Station
from app.ui.plots import PlotUnwritable, save_plot
from app.workspace.cohort import cohort_rows
from app.workspace.cohort_edits import decide
from app.workspace.cohort_missing import missing
from app.workspace.estimate import estimate
from app.workspace.features import Features, clusters, load_features, map_pca
from app.workspace.pin import FREE_TRIES, LONGEST_WAIT_S, PinRefused, is_pin, set_pin
from app.workspace.runs import curve, differences, runs
from app.workspace.similarity import agreement, load_stored_relation, similarity_choices
from devices.gaze.cluster_order import cluster_order
from migrations.study.cohort_rules import choice_of
from migrations.study.names import names_of
from migrations.study.schema import Audit, Reading
from tests.app.workspace.cohort_study import add_run, add_similarity, case_called, make_study
from trainer.config.layers import choices, make_config, titles
from trainer.data.cohort import load_cohort
from trainer.process.set_options import parse_settings


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(tmp_path_factory.mktemp("cohort") / "study", 20, readers=2)
    add_similarity(study)
    add_similarity(study, "density", seed=1)
    add_run(study, "gaze", pairs="gzpt", measure="tima", measure_parameters={"eps": 0.3})
    add_run(study, "plain", pairs="none", measure="tima")
    study.close()
    return study.folder


@pytest.fixture
def cohort(tmp_path: Path, filled: Path):
    import shutil

    from migrations.study.folder import Study

    shutil.copytree(filled, tmp_path / "cohort")
    study = Study.open(tmp_path / "cohort")
    yield study
    study.close()


@pytest.fixture
def station(qtbot, cohort):
    made = Station(cohort, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(made.window, before_close_func=lambda _w: made.close())
    made.window.show()
    yield made
    made.close()


def test_features_of_frames_are_those_of_the_stacks_frames() -> None:
    stack = "0190a0b0-0000-7000-8000-000000000001"
    names = ("frames/00041.png", "presentation.png", "frames\\00002.png")
    features = Features(tuple(f"{stack}/{name}" for name in names), np.eye(3, dtype=np.float32))
    assert of_images(features).ids == (f"{stack}#00041", stack, f"{stack}#00002")


def test_the_cohort_says_what_counts_and_why_not(cohort) -> None:
    rows = cohort_rows(cohort)
    assert len(rows) == 40
    left = [row for row in rows if not row.counts]
    assert {row.case for row in left} == {case_called(cohort, f"Case 0{k}0") for k in (1, 2)}
    assert "rated bad: lost 40 %" in left[0].left_out
    assert rows[0].accuracy_deg == 0.6
    assert rows[0].duration_s == pytest.approx(8.0)
    assert any("2 of 20 images have no gaze" in str(lack) for lack in missing(cohort, rows))
    assert any("Only 18 images were read" in str(lack) for lack in missing(cohort, rows))


def test_a_choice_by_hand_is_recorded_and_the_trainer_follows_it(cohort) -> None:
    rows = cohort_rows(cohort)
    good = next(row for row in rows if row.counts)
    bad = next(row for row in rows if not row.counts)
    decide(cohort, [good.reading_id], False, "looked away")
    decide(cohort, [bad.reading_id], True, "loss was a blink")
    with pytest.raises(ValueError, match="Give a reason"):
        decide(cohort, [good.reading_id], True, " ")
    now = {row.reading_id: row for row in cohort_rows(cohort)}
    assert now[good.reading_id].left_out == "excluded by hand: looked away"
    assert now[bad.reading_id].counts
    dropped = {d.id: d.reason for d in load_cohort(cohort).dropped}
    assert dropped[good.reading_id] == "excluded by hand: looked away"
    assert "rated bad" not in dropped.get(bad.reading_id, "")
    with cohort.database.read() as session:
        actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions[-2:] == ["drop reading", "keep reading"]
    decide(cohort, [good.reading_id], None, "")
    with cohort.database.read() as session:
        assert choice_of(session.get_one(Reading, good.reading_id)) is None
    assert next(r for r in cohort_rows(cohort) if r.reading_id == good.reading_id).counts


def test_a_relation_tells_rates_neighbours_and_outliers(cohort) -> None:
    choices = similarity_choices(cohort)
    assert [choice.measure for choice in choices] == ["density", "tima"]
    relation = load_stored_relation(choices[1].path)
    values = relation.matrix[np.triu_indices(20, 1)]
    assert relation.rate(0.5) == pytest.approx(
        np.nansum(values > 0.5) / 189
    )  # one pair has no value
    assert np.isnan(relation.matrix[0, 1])
    near = relation.neighbours(4, 3)
    assert [i % 3 for i, _ in near] == [1, 1, 1]
    assert near[0][1] == pytest.approx(max(v for k, v in enumerate(relation.matrix[4]) if k != 4))
    for first, second in relation.sample_pairs(0.5, 5):
        assert relation.matrix[first, second] > 0.5
    assert relation.extremes(2.0)[1] == list(range(20))
    assert relation.extremes(-1.0)[0] == list(range(20))
    order = cluster_order(np.nan_to_num(relation.matrix), np.isfinite(relation.matrix))
    classes = [int(i) % 3 for i in order]
    assert sum(a != b for a, b in itertools.pairwise(classes)) == 2
    both = agreement([relation, load_stored_relation(choices[0].path)])
    assert both[0, 1] == both[1, 0] > 0.4
    assert both[0, 0] == pytest.approx(1.0)


def test_runs_are_compared_by_what_differs(cohort) -> None:
    plain, gaze = runs(cohort)
    named = dict(differences([plain, gaze]))
    assert set(named) == {"pairs", "measure_parameters"}
    assert named["pairs"] == ["none", "gzpt"]
    assert curve(gaze, "loss")[0] == (0, 2.0)
    layers = parse_settings(settings_of(gaze.config)[1::2])
    config = make_config(layers)
    assert (config.pairs, config.measure_parameters, config.epochs) == ("gzpt", {"eps": 0.3}, 4)
    earlier = [gaze]
    values = {"method": "byol", "encoder": None, "size": None, "batch": None, "epochs": 8}
    assert estimate(earlier, {**values, "size": 64, "batch": 8}).seconds is None
    row = type(gaze)(
        **{
            **{f: getattr(gaze, f) for f in gaze.__slots__},
            "config": {**gaze.config, "encoder": "resnet18", "size": 64, "batch": 8},
        }
    )
    found = estimate([row], {**values, "encoder": "resnet18", "size": 64, "batch": 8})
    assert found.seconds == pytest.approx(120.0)


def test_features_are_mapped_and_clustered(cohort) -> None:
    features = load_features(runs(cohort)[0].folder / "features.npz")
    points, share = map_pca(features)
    assert points.shape == (20, 2)
    assert 0 < share[1] <= share[0] < 1
    assert [i % 3 for i, _ in features.neighbours(0, 4)] == [0, 0, 0, 0]
    assert len(set(clusters(features))) > 1
    assert clusters(features) == clusters(features)
    assert clusters(replace(features, ids=features.ids[:1], unit=features.unit[:1])) == [
        "cluster 1"
    ]


def test_a_pin_opens_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    with pytest.raises(PinRefused, match="at least 4"):
        set_pin("12", tmp_path)
    set_pin("2468", tmp_path)
    assert is_pin("2468", tmp_path)
    assert not is_pin("1357", tmp_path)
    (tmp_path / "researcher.json").write_text("{}")
    with pytest.raises(PinRefused, match="damaged"):
        is_pin("2468", tmp_path)


def test_tries_of_a_pin_are_slowed_more_and_more_and_a_right_one_ends_it(
    tmp_path, monkeypatch
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("app.workspace.pin.time.time", lambda: now[0])
    set_pin("2468", tmp_path)
    assert [is_pin("0000", tmp_path) for _ in range(FREE_TRIES)] == [False] * FREE_TRIES
    for wait_s in (2, 4, 8):
        with pytest.raises(PinRefused, match=f"Wait {wait_s} s"):
            is_pin("2468", tmp_path)
        now[0] += wait_s
        assert not is_pin("0000", tmp_path)
    now[0] -= 1e6  # the clock was set back: waiting goes on from there, no longer
    with pytest.raises(PinRefused, match="Wait 16 s"):
        is_pin("2468", tmp_path)
    now[0] += LONGEST_WAIT_S
    assert is_pin("2468", tmp_path)
    assert not is_pin("0000", tmp_path), "and the next wrong one is the first again"
    assert is_pin("2468", tmp_path)


def _dialog(station, name: str) -> QDialog:
    found = station.window.findChild(QDialog, name)
    assert found is not None
    return found


def test_a_reader_sees_no_results_until_the_pin_is_given(station, qtbot) -> None:
    window = station.window
    entry = window.findChild(QAbstractButton, "go_cohort")
    assert not entry.isVisible()
    click(window.findChild(QAbstractButton, "workspace_door"))
    dialog = _dialog(station, "pin_dialog")
    dialog.findChild(QLineEdit, "pin").setText("2468")
    dialog.findChild(QLineEdit, "pin_again").setText("1357")
    click(dialog.findChild(QAbstractButton, "pin_ok"))
    assert "do not match" in dialog.problem
    dialog.findChild(QLineEdit, "pin_again").setText("2468")
    click(dialog.findChild(QAbstractButton, "pin_ok"))
    assert window.current == "cohort"
    assert entry.isVisible()
    assert not window.findChild(QAbstractButton, "go_worklist").isVisible()
    click(window.findChild(QAbstractButton, "workspace_door"))
    assert window.current == "worklist"
    assert not entry.isVisible()


def test_every_page_fills_and_saves_its_plots(station, cohort, qtbot, tmp_path: Path) -> None:
    station.shell.enter_workspace()
    inside = station.job(WorkspaceJob).inside
    qtbot.waitUntil(lambda: inside.cohort.model.rowCount() == 40)
    inside.cohort.search.setText(case_called(cohort, "Case 010"))
    assert inside.cohort.model.rowCount() == 2
    for ending in ("png", "svg", "csv"):
        target = tmp_path / f"plot.{ending}"
        save_plot(inside.cohort.plots["loss"].getPlotItem(), target)
        assert target.stat().st_size > 20
    with pytest.raises(PlotUnwritable, match="saved as"):
        save_plot(inside.cohort.plots["loss"].getPlotItem(), tmp_path / "plot.bmp")
    station.go("similarity")
    page = inside.similarity
    qtbot.waitUntil(lambda: page.relation is not None)
    page.slider.setValue(0)
    assert "% of valid pairs are positive" in page.rate_text
    first = page.rate_text
    page.slider.setValue(900)
    assert page.rate_text != first
    with cohort.database.read() as rows:
        names = names_of(rows, "image").values()
    assert page.neighbours.cards[1].caption.split(":")[0] in names
    station.go("runs")
    qtbot.waitUntil(lambda: len(inside.runs.rows) == 2)
    inside.runs.table.selectAll()
    assert inside.runs.differences.rowCount() == 2
    station.go("features")
    qtbot.waitUntil(lambda: inside.features.features is not None)
    assert len(inside.features.near.cards) > 3


def test_dropping_in_the_page_asks_why_and_shows_it(station, cohort, qtbot) -> None:
    station.shell.enter_workspace()
    page = station.job(WorkspaceJob).inside.cohort
    qtbot.waitUntil(lambda: page.model.rowCount() == 40)
    row = next(k for k, r in enumerate(page.model.rows) if r.counts)
    marked = page.model.rows[row].reading_id
    page.table.selectionModel().select(
        page.model.index(row, 0),
        QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows,
    )
    click(page.findChild(QAbstractButton, "drop_readings"))
    who = _dialog(station, "person_dialog")
    who.findChild(QLineEdit, "person").setText("AQ")
    click(who.findChild(QAbstractButton, "person_ok"))
    dialog = _dialog(station, "reason_dialog")
    assert not dialog.findChild(QAbstractButton, "reason_ok").isEnabled()
    dialog.findChild(QLineEdit, "reason").setText("second screen")
    click(dialog.findChild(QAbstractButton, "reason_ok"))

    def dropped() -> bool:
        return any(
            r.reading_id == marked and "second screen" in r.left_out for r in page.model.rows
        )

    qtbot.waitUntil(dropped)
    assert "35 included" in page.state_text
    with cohort.database.read() as rows:
        told = rows.scalars(select(Audit).where(Audit.action == "drop reading")).one()
    assert (told.person, told.reason) == ("AQ", "second screen")
    assert page.model.headerData(0, Qt.Orientation.Horizontal) == "Case"


def test_with_a_server_named_the_pages_show_what_all_stations_pushed(
    station, cohort, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_study(tmp_path / "other", 25, pictures=False)
    url = f"sqlite:///{(server.folder / 'foveate.sqlite').as_posix()}"
    server.close()
    monkeypatch.setenv("FOVEATE_DATABASE_URL", url)
    station.shell.enter_workspace()
    page = station.job(WorkspaceJob).inside.cohort
    qtbot.waitUntil(lambda: page.model.rowCount() == 25)
    options: list[list[str]] = []
    queue = station.job(TrainingController).queue
    monkeypatch.setattr(queue, "start", lambda words, _agreed, _command: options.append(words))
    station.job(TrainingController).start(["--epochs", "1"])
    assert options == [["--database", "server", "--epochs", "1"]]
    assert url not in str(options)  # it may hold a password
    station.use_study(station.study)
    assert not station.window.in_workspace
    station.job(TrainingController).start([])
    assert options[-1] == []
    station.go("settings")
    station.job(SettingsController).context.reopen_study(station.study)  # as after Save
    assert station.window.current == "settings"

    def trains_on_the_server() -> bool:
        station.job(TrainingController).start([])
        return options[-1] == ["--database", "server"]

    qtbot.waitUntil(trains_on_the_server)
    station.go("cohort")
    qtbot.waitUntil(lambda: page.model.rowCount() == 25)


def test_the_form_offers_all_that_the_trainer_has(station, qtbot) -> None:
    page = station.job(TrainingController).page
    station.shell.enter_workspace()
    station.go("training")
    page.form.all_wanted.emit()
    qtbot.waitUntil(lambda: bool(page.form.rest.editors))
    page.form.preset(lr=0.001, seed=7)
    words = page.form.options()
    config = make_config(
        parse_settings([w for k, w in enumerate(words) if words[k - 1] == "--set"])
    )
    assert (config.lr, config.seed) == (0.001, 7)
    assert "lr" in page.form.rest.editors
    assert page.form.rest.editors["lr"].toolTip()
    methods = page.form.basic.editors["method"]
    shown = {methods.itemText(k) for k in range(methods.count())}
    known = {"BYOL", "MoCo v2", "MoCo v3", "SimCLR", "SimSiam"}
    assert shown == known | {"Trajectory (experimental)"}


def test_the_form_writes_its_first_choices_as_the_trainer_does() -> None:
    written, known = titles(), choices()
    for name, offered in OFFERED.items():
        for value, title in offered:
            if value == OTHER_NET:  # its name is typed beside
                continue
            assert value in known[name]
            assert title == written.get(name, {}).get(value, value)


def test_the_form_shows_what_a_recipe_sets_and_keeps_what_was_typed(station, qtbot) -> None:
    form = station.job(TrainingController).page.form
    station.shell.enter_workspace()
    station.go("training")
    form.all_wanted.emit()
    qtbot.waitUntil(lambda: bool(form.rest.editors))
    form.preset(method="simsiam")
    assert form.rest.values()["lr"] == 1e-4
    assert "lr=0.0001" not in form.options()  # as the recipe has it
    form.preset(lr=3e-4)
    assert "lr=0.0003" in form.options()  # the general default, but not SimSiam's
    form.preset(method="byol", recipe="mammo")
    assert (form.values()["size"], form.values()["epochs"]) == (224, 400)
    assert (form.rest.values()["lr"], form.rest.values()["accumulate"]) == (2e-5, 16)
    form.preset(accumulate=1, warmup_epochs=None)
    words = form.options()
    assert "accumulate=1" in words
    assert not [w for w in words if w.startswith(("lr=", "warmup_epochs="))]
    form.preset(recipe="radiograph", method="mocov2")
    assert form.rest.values()["lr"] == 3e-4
    assert form.values()["size"] == 128
