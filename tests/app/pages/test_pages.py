"""The pages by themselves: what they say of each state, and that it can be read."""

import gc
import json
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QStyle, QStyleOptionComboBox

from app.pages.calibration.offsets import TargetOffset
from app.pages.calibration.page import CalibrationPage, ValidationSummary
from app.pages.calibration.quality_table import EyeSummary
from app.pages.pretrain.curve import Curve
from app.pages.pretrain.page import TrainingPage
from app.pages.pretrain.run_settings import RunSettings
from app.pages.worklist.columns import COLUMNS, STATES
from app.pages.worklist.page import WorklistPage
from app.recording.worklist import WorklistRow
from app.shell.recent import recent_studies, remember
from app.shell.start_page import StartPage
from app.shell.window import MainWindow
from app.ui import theme
from app.ui.background import run
from app.ui.dialogs import ConsentDialog
from app.ui.garbage import GuiGarbageCollector, keep_what_there_is
from app.ui.icons import icon, pixmap
from app.ui.table_model import TableModel
from devices.tracker import TrackerInfo


def _row(state: str = "to read", **fields: object) -> WorklistRow:
    named = {"position": 0, "case_id": "c1", "name": "Case 001", "practice": False}
    return WorklistRow(**named, hanging="one-up", image_count=1, state=state, **fields)


def _look(
    accuracy: float | None = 0.4, loss: float = 0.02, *, all_seen: bool = True
) -> ValidationSummary:
    offsets = (
        TargetOffset((0.2, 0.2), (0.21, 0.2), accuracy),
        TargetOffset((0.8, 0.2), (0.8, 0.21) if all_seen else None, 0.5 if all_seen else None),
    )
    both = EyeSummary("Both eyes", accuracy, 0.2, 0.3, loss)
    eyes = (
        both,
        EyeSummary("Left eye", 0.5, 0.2, 0.3, loss),
        EyeSummary("Right eye", 0.3, 0.2, 0.3, 0),
    )
    return ValidationSummary(offsets, 1.6, (0.02, 0.03), eyes, 1.0, 0.1, "Distance assumed.")


@pytest.mark.parametrize("background", [theme.WINDOW, theme.PANEL, theme.RAISED])
@pytest.mark.parametrize("text", [theme.TEXT, theme.MUTED, theme.ACCENT, theme.AMBER, theme.RED])
def test_text_can_be_read_on_every_ground(text: str, background: str) -> None:
    assert theme.contrast(text, background) >= 4.5


def test_white_on_the_accent_can_be_read() -> None:
    assert theme.contrast("#ffffff", theme.ACCENT_DEEP) >= 4.5


def test_contrast_is_that_of_the_definition() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#777777") == pytest.approx(1)


def test_the_style_sheet_has_no_name_left_unfilled(qapp) -> None:
    assert "@" not in theme.style_sheet()


def test_every_state_has_its_own_words_and_sign(qapp) -> None:
    looks = list(STATES.values())
    assert len({look.words for look in looks}) == len(looks)
    for look in looks:
        assert not icon(look.sign, look.colour).isNull()
    assert not pixmap("reading").isNull()


def test_the_worklist_tells_state_and_gaze_in_words(qapp, qtmodeltester) -> None:
    model = TableModel(COLUMNS)
    bad = _row("finished", verdict="bad", reasons=("no gaze was recorded",))
    model.set_rows([_row(), bad, _row("interrupted")])
    titles = [c.title for c in COLUMNS]

    def words(row: int, title: str) -> str:
        return model.data(model.index(row, titles.index(title)))

    assert words(0, "State") == "To read"
    assert words(1, "Gaze") == "⚠ Bad: no gaze was recorded"
    assert words(2, "State") == "Interrupted"
    qtmodeltester.check(model)


def test_the_worklist_page_says_how_to_fill_it_and_what_is_left(qtbot) -> None:
    page = WorklistPage()
    qtbot.addWidget(page)
    page.show_rows([])
    assert page.state_text == "No cases yet."
    assert not page.table.isVisibleTo(page)
    page.show_rows([_row(), _row("finished")])
    assert page.state_text == "2 cases: 1 read, 1 unread."
    assert page.table.isVisibleTo(page)


def test_a_step_that_is_not_possible_says_why(qtbot) -> None:
    page = WorklistPage()
    qtbot.addWidget(page)
    page.show_ready(False, False, "Choose a reader first.")
    assert not page.start.isEnabled()
    assert page.start.toolTip() == "Choose a reader first."
    page.show_ready(True, True)
    assert page.start.isEnabled()


def test_dropped_files_and_folders_are_handed_on(qtbot, tmp_path: Path) -> None:
    page = WorklistPage()
    qtbot.addWidget(page)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/x.dcm")])
    drop = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    with qtbot.waitSignal(page.files_chosen) as caught:
        page.dropEvent(drop)
    assert caught.args[0] == [tmp_path]


def test_devices_are_offered_and_the_one_in_use_stays_chosen(qtbot) -> None:
    page = WorklistPage()
    qtbot.addWidget(page)
    infos = [
        TrackerInfo("simulated", "simulated", "Simulated reader", rate_hz=250.0),
        TrackerInfo("lsl:x", "lsl", "Tobii over LSL"),
    ]
    page.show_devices(infos, "lsl:x")
    assert page.device.currentData() == "lsl:x"
    assert page.device.itemText(0) == "Simulated reader, 250 Hz"
    page.show_devices(infos, "lsl:unplugged")
    assert page.device.currentText() == "⚠ lsl:unplugged: not found"
    page.show_missing("Tobii: no SDK.")
    assert page.why.isVisibleTo(page)


def test_a_calibration_within_limits_says_so(qtbot) -> None:
    page = CalibrationPage()
    qtbot.addWidget(page)
    page.show_result(_look())
    assert page.state == "done"
    assert "within the study limits" in page.state_text


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (_look(accuracy=1.4), "accuracy 1.40° (limit 1°)"),
        (_look(loss=0.3), "30% of samples lost (limit 10%)"),
        (_look(accuracy=None), "no gaze was detected"),
    ],
)
def test_a_calibration_beyond_limits_says_which_with_a_sign(qtbot, look, said: str) -> None:
    page = CalibrationPage()
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show_result(look)
    assert page.state_text.startswith("⚠")
    assert said in page.state_text
    assert not page.grab().isNull()


def test_training_says_what_to_do_first_and_shows_a_run(qtbot) -> None:
    page = TrainingPage()
    qtbot.addWidget(page)
    assert "Read some cases" in page.state_text
    assert not page.pretrain.isEnabled()
    page.show_readings(4)
    assert page.pretrain.isEnabled()
    page.show_started(page.form.options())
    assert page.stop.isEnabled()
    page.show_progress(
        {"done": 1500, "total": 3000, "unit": "steps", "rate": 5.0, "seconds_left": 300.0}
    )
    assert "1,500 of 3,000 steps, 5.0 steps/s, 5 min 00 s left" in page.message
    page.show_warning({"message": "Few pairs."})
    page.show_failed("Out of memory: lower the batch.")
    assert page.state == "failed"
    assert "lower the batch" in page.message
    assert page.pretrain.isEnabled()


def _metrics(step: int) -> dict[str, float]:
    return {
        "step": step, "steps": 40, "epoch": 1, "epochs": 4, "loss": 2.0 / step,
        "feature_spread": 0.7, "data_wait": 0.0, "positives_per_anchor": 1.5, "images_per_s": 9.0,
    }  # fmt: skip


def _trained(page: TrainingPage, steps: range) -> list[float]:
    page.show_started(page.form.options())
    for step in steps:
        page.show_metrics(_metrics(step))
    page.show_stopped({"step": steps[-1], "checkpoint": "c.pt"})
    return [step for step, _ in page.curve.points]


def test_the_curve_goes_on_where_a_stopped_run_is_taken_up(qtbot) -> None:
    page = TrainingPage()
    qtbot.addWidget(page)
    assert _trained(page, range(1, 6)) == [1, 2, 3, 4, 5]
    assert _trained(page, range(6, 9)) == [1, 2, 3, 4, 5, 6, 7, 8]
    # Stopped before its checkpoint: the steps told again are not shown twice.
    assert _trained(page, range(7, 10)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_the_curve_begins_anew_for_another_run(qtbot) -> None:
    page = TrainingPage()
    qtbot.addWidget(page)
    _trained(page, range(1, 6))
    assert _trained(page, range(1, 3)) == [1, 2]
    page.form.preset(epochs=7)
    page.show_started(page.form.options())
    assert page.curve.points == []
    page.show_metrics(_metrics(3))
    assert _trained(page, range(9, 11)) == [9, 10]


def test_no_text_of_a_choice_is_cut_off(qtbot, qapp) -> None:
    theme.apply(qapp)
    page = TrainingPage()
    qtbot.addWidget(page)
    page.resize(1072, 800)
    page.show()
    for chosen in page.findChildren(QComboBox):
        style, option = chosen.style(), QStyleOptionComboBox()
        chosen.initStyleOption(option)
        field = style.subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            chosen,
        )
        widths = [
            chosen.fontMetrics().horizontalAdvance(chosen.itemText(i))
            for i in range(chosen.count())
        ]
        assert field.width() >= max(widths, default=0), chosen.objectName()


def test_a_killed_training_does_not_promise_a_checkpoint(qtbot) -> None:
    page = TrainingPage()
    qtbot.addWidget(page)
    page.show_started(page.form.options())
    page.show_stopped({})
    assert "before a checkpoint could be saved" in page.message


def test_the_form_speaks_the_trainers_language(qtbot) -> None:
    page = TrainingPage()
    qtbot.addWidget(page)
    page.form.preset(pairs="mcgip", rule="alike above", amount=0.9, epochs=3, size=64, batch=4)
    assert page.form.options() == [
        "--method", "byol", "--pairs", "mcgip", "--encoder", "resnet18", "--measure", "auto",
        "--threshold", "0.9", "--epochs", "3", "--size", "64", "--batch", "4",
    ]  # fmt: skip
    page.form.preset(pairs="none")
    assert "--measure" not in page.form.options()
    assert not page.form.measure.isEnabled()
    with pytest.raises(KeyError):
        page.form.preset(colour=1)


def test_a_setting_that_cannot_be_is_told_before_anything_starts(qtbot) -> None:
    page = TrainingPage()
    qtbot.addWidget(page)
    rate = {
        "name": "lr", "kind": "float", "default": 3e-4, "low": 1e-12, "high": 1000, "unit": "",
        "choices": [], "help": "Learning rate.",
    }  # fmt: skip
    recipe = {**rate, "name": "recipe", "kind": "str", "default": "knee", "choices": ["knee"]}
    told = {"fields": [rate, recipe], "recipes": {"knee": {}}, "measures": {}}
    named = [
        {**rate, "name": name, "kind": "int", "default": default}
        for name, default in (("epochs", 100), ("size", 128), ("batch", 32))
    ]
    told["fields"] += named
    page.form.show_settings(RunSettings.from_json(json.dumps(told)))
    page.show_readings(4)
    wanted: list[list[str]] = []
    page.pretrain_wanted.connect(wanted.append)
    page.form.preset(lr="fast")
    page.pretrain.click()
    assert wanted == []
    assert "“fast” is not a number" in page.state_text
    page.form.preset(lr=0.01)
    page.pretrain.click()
    assert wanted[0][-2:] == ["--set", "lr=0.01"]


def test_the_curve_keeps_finite_values_and_thins_out(qtbot) -> None:
    curve = Curve("Loss", "Nothing yet.")
    qtbot.addWidget(curve)
    curve.resize(400, 200)
    assert not curve.grab().isNull()
    for step in range(5000):
        curve.add(step, float(np.exp(-step / 900)), 5000)
    curve.add(5000, float("nan"), 5000)
    assert 1000 <= len(curve.points) <= 2000
    assert curve.points[0] == (0, 1.0)
    assert not curve.grab().isNull()


def test_the_start_page_says_what_foveate_is_for_and_lists_studies(qtbot, tmp_path: Path) -> None:
    page = StartPage()
    qtbot.addWidget(page)
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.toml").touch()
    remember(folder)
    page.show_recent(recent_studies())
    entry = page.findChild(QAbstractButton, "recent_study")
    with qtbot.waitSignal(page.study_chosen) as caught:
        entry.click()
    assert caught.args[0] == folder.resolve()
    (folder / "study.toml").unlink()
    assert recent_studies() == []


def test_who_has_no_study_yet_is_offered_a_new_one_first(qtbot, tmp_path: Path) -> None:
    page = StartPage()
    qtbot.addWidget(page)

    def first() -> tuple[str, str]:
        way = page._ways.itemAt(0).widget()
        return way.objectName(), way.property("role")

    page.show_recent([])
    assert first() == ("new_study", "primary")
    page.show_recent([tmp_path])
    assert first() == ("open_study", "primary")


def test_a_pseudonym_in_use_is_not_taken_twice(qtbot) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    agreed: list[str] = []
    dialog = ConsentDialog(window, "I agree to this.", "", {"R1"}.__contains__, agreed.append)
    button = dialog.findChild(QAbstractButton, "consent_agree")
    assert not button.isEnabled()
    dialog._name.setText("R1")
    assert not button.isEnabled()
    dialog._name.setText(" R2 ")
    button.click()
    assert agreed == ["R2"]


def test_every_control_has_a_name_for_those_who_hear_the_screen(qtbot) -> None:
    for page in (StartPage(), WorklistPage(), CalibrationPage(), TrainingPage()):
        qtbot.addWidget(page)
        for made in (*page.findChildren(QAbstractButton), *page.findChildren(QComboBox)):
            if made.objectName().startswith("qt_"):
                continue
            assert made.accessibleName() or made.text(), made.objectName()


def test_background_work_answers_on_the_gui_thread(qtbot) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    seen: list[tuple[object, object]] = []

    def note(value: object) -> None:
        seen.append((value, threading.current_thread()))

    run(window, lambda: threading.current_thread().name, note, note)
    run(window, lambda: 1 / 0, note, note)
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert all(thread is threading.main_thread() for _, thread in seen)
    assert any(isinstance(value, ZeroDivisionError) for value, _ in seen)
    assert any(value == "foveate-task" for value, _ in seen)


class _Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def untouched_collector():
    """Whatever ran before: Python's own thresholds, collecting on, nothing pending."""
    thresholds, enabled = gc.get_threshold(), gc.isenabled()
    gc.set_threshold(700, 10, 10)
    gc.enable()
    gc.collect()
    yield
    gc.set_threshold(*thresholds)
    if not enabled:
        gc.disable()


def test_cycles_are_collected_by_the_gui_thread_alone(qapp, untouched_collector) -> None:
    collector = GuiGarbageCollector()
    try:
        assert not gc.isenabled()
        cycle = _Cycle()
        watched = weakref.ref(cycle)
        del cycle
        kept = [[] for _ in range(5000)]  # more than enough for Python to collect by itself
        assert watched() is not None
        collector.check()
        assert watched() is None
        assert len(kept) == 5000
    finally:
        collector.stop()
    assert gc.isenabled()


def test_what_there_was_is_not_looked_at_again_until_the_last_collector_stops(
    qapp, untouched_collector
) -> None:
    collector = GuiGarbageCollector()
    kept = gc.get_freeze_count()
    assert kept > 10_000  # Qt, NumPy and the like
    later = [[] for _ in range(1000)]
    keep_what_there_is()
    assert gc.get_freeze_count() >= kept + len(later)
    collector.stop()
    assert gc.get_freeze_count() == 0
    keep_what_there_is()  # nobody collects on the GUI thread any more
    assert gc.get_freeze_count() == 0


def test_the_last_of_several_collectors_gives_collecting_back(qapp, untouched_collector) -> None:
    first, second = GuiGarbageCollector(), GuiGarbageCollector()
    first.stop()
    first.stop()
    assert not gc.isenabled()
    second.stop()
    assert gc.isenabled()


def test_a_validation_says_at_how_many_targets_no_gaze_was_seen() -> None:
    assert _look(all_seen=False).problems == ["no gaze at 1 of 2 targets"]
    assert _look(accuracy=None).problems == ["no gaze was detected"]
