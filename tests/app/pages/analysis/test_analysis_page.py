"""The pages Analysis and Performance: what they ask, what they show, and where a click leads."""

import contextlib
import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from app.pages.analysis.controller import AnswerController
from app.pages.analysis.fields import (
    analysis_fields,
    performance_fields,
    positive_choices,
    truths,
    words_of,
)
from app.pages.analysis.figure_view import invitation
from app.pages.analysis.page import AnswerPage
from app.workspace.results import read_figures
from migrations.study.folder import Study
from migrations.study.forms import Question
from migrations.study.incomplete import marked_incomplete

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 100" width="400" height="100">'
    '<rect x="0" y="0" width="400" height="100" fill="#fff"/></svg>'
)


@pytest.fixture
def page(qtbot: QtBot) -> AnswerPage:
    made = AnswerPage("analysis", "Analysis", "Analyse", "Nothing was analysed yet.")
    qtbot.addWidget(made)
    made.show_fields(analysis_fields())
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = {"x": 200, "y": 0, "width": 200, "height": 100, "reading": "R7"}
    figure = {"name": "dwell", "title": "Dwell", "caption": "How long.", "targets": [target]}
    index = {"figures": [figure], "dark_colours": {"#fff": "#16181b"}}
    (tmp_path / "figures.json").write_text(json.dumps(index))
    (tmp_path / "dwell.svg").write_text(SVG)
    (tmp_path / "misses.csv").write_text("reader,reading\nR1,Q8\n")
    return tmp_path


def test_what_is_set_becomes_the_words_of_the_command(page: AnswerPage, qtbot: QtBot) -> None:
    page.form.set_value("plain", "thirds")
    page.form.set_value("margin-deg", 0.5)

    with qtbot.waitSignal(page.run_wanted) as wanted:
        page.run.click()

    words = wanted.args[0]
    assert words[:4] == ["--plain", "thirds", "--margin-deg", "0.5"]
    assert "--areas" not in words
    assert words[words.index("--dwell-ms") + 1] == "1000"


def test_the_questions_of_the_study_are_offered_and_no_truth_is_the_labels(
    page: AnswerPage,
) -> None:
    questions = [
        Question("answer", "Is there a mass?", options=("mass", "none")),
        Question("birads", "BI-RADS?", kind="scale", options=("1", "2", "4A", "4B")),
        Question("sure", "How sure?", kind="confidence", options=("0", "100")),
        Question("size", "How large?", kind="number", options=("0.5", "20.5")),
        Question("why", "Why?", kind="text"),
    ]
    page.show_fields(performance_fields(questions))
    page.offer_by("question", "positive", {q.key: positive_choices(q) for q in questions})
    assert _offered(page) == ["", "mass", "none"]
    page.run.click()
    assert page.state_text.endswith("Choose the answer that makes a case positive.")
    page.form.set_value("question", "sure")
    assert _offered(page)[:4] == ["", "0", "1", "2"]
    page.form.set_value("question", "size")
    assert _offered(page)[:4] == ["", "0.5", "2.5", "4.5"]
    page.form.set_value("question", "birads")
    page.form.set_value("positive", "4A")

    words = words_of(page.form.values())

    assert words[:4] == ["--question", "birads", "--positive", "4A"]
    assert "--truth" not in words
    assert page.form.editors["question"].findData("why") == -1  # type: ignore[attr-defined]


def test_the_truth_is_picked_from_labels_another_question_or_a_table(
    page: AnswerPage, qtbot: QtBot
) -> None:
    questions = [Question("mass", "A mass?", options=("yes", "no")),
                 Question("panel", "The panel?", options=("sure", "none"))]  # fmt: skip
    page.show_fields(performance_fields(questions))
    form = page.form
    form.offer("truth-from", truths([("cancer", 1), ("cyst", 3)], questions))

    words = dict(truths([("cancer", 1), ("cyst", 3)], questions))
    assert words["label:cancer"] == "Label “cancer” (1 image)"
    assert words["question:panel:sure"] == "Most said “sure” to: The panel?"
    assert [key for key, _ in truths([], questions[:1])] == ["", "table"]
    for chosen, wanted in (
        ("label:cyst", ["--truth-label", "cyst"]),
        ("question:panel:sure", ["--truth-question", "panel", "--truth-positive", "sure"]),
    ):
        form.set_value("truth-from", chosen)
        said = words_of(form.values())
        assert " ".join(wanted) in " ".join(said)
        assert "--truth" not in said
    assert not form.editors["truth"].isEnabled()
    form.set_value("truth-from", "table")
    assert form.editors["truth"].isEnabled()
    form.set_value("positive", "yes")
    page.run.click()
    assert page.state_text.endswith("Choose the table that says which cases are positive.")
    form.set_value("truth-from", "question:mass:yes")
    page.run.click()
    assert page.state_text.endswith("Choose a truth other than the question that is measured.")
    form.set_value("truth-from", "table")
    form.set_value("truth", "truth.csv")
    with qtbot.waitSignal(page.run_wanted) as wanted_run:
        page.run.click()
    assert " --truth truth.csv" in " ".join(wanted_run.args[0])


def _offered(page: AnswerPage) -> list[str]:
    combo = page.form.editors["positive"]
    assert isinstance(combo, QComboBox)
    return [combo.itemData(k) for k in range(combo.count())]


def test_a_click_on_a_reading_in_a_figure_or_a_table_asks_for_its_replay(
    page: AnswerPage, folder: Path, qtbot: QtBot
) -> None:
    page.resize(1200, 800)
    page.show_results(folder, read_figures(folder), ["n"])
    page.show()
    view = page.results.view
    right, left = (QPointF(view.width() * share, 10).toPoint() for share in (0.6, 0.2))
    asked = list[str]()
    page.replay_wanted.connect(asked.append)

    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=left)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=right)
    page.results.table.doubleClicked.emit(page.results.model.index(0, 0))

    assert asked == ["R7", "Q8"]
    assert page.results.caption.text() == "How long."


def test_a_click_on_what_many_readings_make_lists_them(
    page: AnswerPage, folder: Path, qtbot: QtBot
) -> None:
    target = {"x": 0, "y": 0, "width": 400, "height": 100, "reading": "", "table": "misses",
              "where": {"reader": "R2"}}  # fmt: skip
    figure = {"name": "dwell", "title": "Forest", "caption": "", "targets": [target]}
    (folder / "figures.json").write_text(json.dumps({"figures": [figure]}))
    (folder / "misses.csv").write_text("reader,reading\nR1,Q8\nR2,Q9\n")
    page.resize(1200, 800)
    page.show_results(folder, read_figures(folder), [])
    page.show()

    qtbot.mouseClick(page.results.view, Qt.MouseButton.LeftButton)

    assert page.results.currentIndex() == 1
    assert [tuple(row) for row in page.results.model.rows] == [("R2", "Q9")]


def test_a_point_of_a_curve_lists_the_answers_at_its_threshold_and_above_and_says_so(
    page: AnswerPage, folder: Path, qtbot: QtBot
) -> None:
    target = {"x": 0, "y": 0, "width": 400, "height": 100, "reading": "", "table": "answers",
              "where": {"reader": "R1"}, "least": {"rating": -2.0}}  # fmt: skip
    figure = {"name": "dwell", "title": "ROC", "caption": "", "targets": [target]}
    (folder / "figures.json").write_text(json.dumps({"figures": [figure]}))
    (folder / "answers.csv").write_text(
        "reading,reader,rating\na,R1,-3.0\nb,R1,-2.0\nc,R1,4.0\nd,R1,\ne,R2,5.0\n"
    )
    page.resize(1200, 800)
    page.show_results(folder, read_figures(folder), [])
    page.show()
    results = page.results

    words = invitation(read_figures(folder)[0].places[0])
    qtbot.mouseClick(results.view, Qt.MouseButton.LeftButton)

    assert words == (
        "Click to list the answers at this threshold and above (reader R1, rating ≥ -2)."
    )
    assert [row[0] for row in results.model.rows] == ["b", "c"]
    results.all_rows.click()
    assert len(results.model.rows) == 5
    assert results.all_rows.isHidden()


def test_a_square_figure_and_its_caption_fit_the_page_without_scrolling(
    page: AnswerPage, folder: Path
) -> None:
    (folder / "dwell.svg").write_text(SVG.replace("100", "400"))
    page.resize(1146, 768)
    page.show_results(folder, read_figures(folder), [])
    page.show()

    view, caption = page.results.view, page.results.caption
    bottom = caption.mapTo(page, QPoint(0, caption.height())).y()

    assert bottom <= 768
    assert view.minimumHeight() >= 400
    assert page.form.editors["plain"].width() < 240


def test_a_figure_is_drawn_on_the_dark_ground(page: AnswerPage, folder: Path) -> None:
    page.resize(1200, 800)
    page.show_results(folder, read_figures(folder), [])

    image = page.results.view.grab().toImage()

    assert image.pixelColor(20, 5).name() == "#16181b"


def test_while_it_runs_it_can_be_stopped_and_not_started_again(
    page: AnswerPage, qtbot: QtBot
) -> None:
    page.show_running(True)

    assert not page.run.isEnabled()
    with qtbot.waitSignal(page.work.stop_wanted):
        page.work.stop.click()
    page.show_running(False)
    assert page.run.isEnabled()
    assert page.work.isHidden()


def test_an_empty_page_says_how_to_fill_it(page: AnswerPage, tmp_path: Path) -> None:
    page.show_results(tmp_path, (), [])

    assert page.state_text == "Nothing was analysed yet."
    assert not page.results.isVisible()


def test_results_that_were_stopped_half_written_are_not_called_unchanged(
    page: AnswerPage, study: Study, qtbot: QtBot
) -> None:
    controller = AnswerController(page, "analyse", "analysis", Mock(), page)
    controller.set_study(study)
    controller._stopped()
    assert "unchanged" in page._state_line.text()
    with contextlib.suppress(KeyboardInterrupt), marked_incomplete(controller.folder):
        raise KeyboardInterrupt
    controller._stopped()
    qtbot.waitUntil(lambda: "not complete" in page._state_line.text())
