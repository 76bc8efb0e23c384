"""The page of the features: coloured by any column, its key apart, driven by mouse and keys."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPoint, QPointF, Qt

from app.pages.workspace.features_controller import FeaturesController
from app.pages.workspace.features_page import FeaturesPage
from app.ui.pictures import PictureLoader
from app.ui.plots import save_plot
from app.ui.side_process import SideProcess
from app.workspace.colourings import SEVERAL, Colouring, colourings
from app.workspace.features import Features
from app.workspace.runs import runs
from migrations.study.names import item_of_frame
from migrations.study.reader_attributes import with_attributes
from migrations.study.schema import Answer, Image, Question, Reader, Reading, StudyCase, new_id
from tests.app.workspace.cohort_study import add_run, make_study

IMAGES = 6


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory):
    """Two readers of six cases; one answers, one says the years; a case has a sheet."""
    made = make_study(tmp_path_factory.mktemp("features") / "study", IMAGES, 2, pictures=False)
    add_run(made, "gaze", pairs="gzpt")
    with made.database.write() as rows:
        first, _second = rows.query(Reader).order_by(Reader.pseudonym)
        first.details = with_attributes({}, {"years": "under 5"})
        rows.query(StudyCase).order_by(StudyCase.position).first().sheet = {"sex": "female"}
        finding = Question(id=new_id(), key="finding", text="?", scope="case", kind="single",
                           options=["no", "yes"], condition="", position=0)  # fmt: skip
        sure = Question(id=new_id(), key="sure", text="?", scope="case", kind="confidence",
                        options=[], condition="", position=1)  # fmt: skip
        rows.add_all([finding, sure])
        rows.flush()
        readings = rows.query(Reading).order_by(Reading.id).all()
        for k, reading in enumerate(readings):
            mine = reading.reader_id == first.id
            said = "yes" if mine or k < IMAGES else "no"
            for question, value in ((finding, said), (sure, "5" if mine else "2")):
                rows.add(Answer(id=new_id(), reading_id=reading.id, question_id=question.id,
                                value=value, time_us=1))  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def ids(study) -> tuple[str, ...]:
    with study.database.read() as rows:
        return tuple(row.id for row in rows.query(Image).order_by(Image.import_number))


@pytest.fixture
def page(qtbot, study, ids) -> FeaturesPage:
    made = FeaturesPage(PictureLoader(None))
    qtbot.addWidget(made)
    made.resize(1158, 728)
    with qtbot.waitExposed(made):
        made.show()
    angles = np.linspace(0, 1, IMAGES)
    features = Features(ids, np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32))
    points = np.array([(k, k % 3) for k in range(IMAGES)], np.float32)
    made.show_features(features, points, ("x", "y"), {}, colourings(study))
    return made


def test_every_column_that_is_known_of_an_image_colours_it(study, ids) -> None:
    found = {one.key: one for one in colourings(study)}
    assert set(found) == {
        "label", "reader", "tracker", "station", "session", "gaze", "cohort", "reader years",
        "answer finding", "answer sure", "sheet sex", "lost", "accuracy", "time", "fixations",
    }  # fmt: skip
    assert found["label"].words[ids[1]] == "smooth"
    assert set(found["reader"].words.values()) == {SEVERAL}
    assert set(found["answer finding"].words.values()) == {"yes", SEVERAL}
    assert found["answer sure"].numbers[ids[0]] == pytest.approx(3.5)
    assert found["time"].said(ids[0]) == "Time 8 s"
    assert found["sheet sex"].words == {ids[0]: "female"}


def test_a_frame_has_the_colour_of_its_stack_unless_it_has_one_of_its_own(ids) -> None:
    frame = item_of_frame(ids[0], 4)
    known = Colouring("label", "Label", {ids[0]: "nodule"})
    assert known.of((frame, ids[1])).words == {frame: "nodule"}
    assert Colouring("cluster", "Cluster", {frame: "2"}).of((frame,)).words == {frame: "2"}


def test_the_column_is_chosen_by_keys_and_its_key_lies_beside_the_points(
    page, qtbot, tmp_path: Path
) -> None:
    key = page.points.key
    assert key.texts == ["Label", "normal (2)", "smooth (2)", "spiculated (2)"]
    qtbot.keyClicks(page.by, "Lo")
    assert page.by.currentData() == "lost"
    assert key.scale is not None
    assert key.texts[1].endswith(" %")
    view = page.map.getPlotItem().vb
    assert key.sceneBoundingRect().left() >= view.sceneBoundingRect().right()
    save_plot(page.map.getPlotItem(), tmp_path / "features.png")
    assert (tmp_path / "features.png").stat().st_size > 1000


def test_of_many_words_the_rarest_are_one_group(page, ids) -> None:
    many = tuple(f"{ids[0]}{k}" for k in range(40))
    words = {id_: f"word {min(k, 20):02d}" for k, id_ in enumerate(many)}
    page.points.show_points(np.zeros((40, 2), np.float32), ("x", "y"))
    page.points.colour(many, Colouring("w", "Words", words))
    assert [e.name for e in page.points.key.entries][-1] == "others"
    assert sum(e.count for e in page.points.key.entries) == 40
    looks = [(e.symbol, e.colour) for e in page.points.key.entries]
    assert len(set(looks)) == len(looks) == 12


def test_points_grow_with_the_map(page, qtbot) -> None:
    small = page.points.size
    page.resize(1712, 1040)
    qtbot.waitUntil(lambda: page.points.size > small)
    assert {spots.opts["size"] for spots in page.points.spots} == {page.points.size}


def test_a_point_shows_its_image_under_the_mouse_and_its_neighbours_at_a_click(
    page, qtbot, ids
) -> None:
    view, box = page.map.viewport(), page.map.getPlotItem().vb

    def place() -> QPoint:  # it moves until the page has been laid out
        return QPoint(page.map.mapFromScene(box.mapViewToScene(QPointF(4, 1))))

    def pointed() -> bool:
        qtbot.mouseMove(view, place() + QPoint(30, 0))
        qtbot.mouseMove(view, place())
        return page.hover.image_id == ids[4]

    qtbot.waitUntil(pointed)
    assert "smooth" in page.hover.caption

    def clicked() -> bool:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place())
        return page.near.cards[0].image_id == ids[4]

    qtbot.waitUntil(clicked)


def test_features_that_are_not_there_are_computed_with_progress_and_stopped(
    qtbot, study, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import json, sys\n"
        "say = lambda **e: print(json.dumps(e), flush=True)\n"
        "say(event='progress', stage='encode', done=3, total=9, unit='images', rate=2.0,"
        " seconds_left=3.0)\n"
        "assert sys.stdin.readline() == 'stop\\n'\n"
        "sys.exit(3)\n"
    )
    folder = runs(study)[0].folder
    (folder / "features.npz").unlink()
    page, parent = FeaturesPage(PictureLoader(None)), QObject()
    qtbot.addWidget(page)
    side = SideProcess(parent, program=[sys.executable, str(program)])
    controller = FeaturesController(page, side, lambda *_: None, parent)
    page.show()
    controller.set_study(study)
    controller.show_runs(runs(study))
    qtbot.waitUntil(lambda: "3 of 9 images" in page.work.text)
    qtbot.mouseClick(page.work.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.work.isHidden)
    assert page.state_text == "Stopped. Nothing was saved."
