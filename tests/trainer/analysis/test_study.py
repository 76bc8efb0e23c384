"""From a study's raw chunks to the gaze that is analysed, and to files by the command."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from devices.gaze.view import CLOSED, Affine
from main import main
from migrations.study.names import names_of
from migrations.study.schema import Annotation, Arm, Calibration, new_id
from tests.trainer.gaze_study import STEP_US, StudyMaker
from trainer.analysis.reported import marks_of
from trainer.analysis.run import Question, analyse
from trainer.analysis.study import gaze_of_study
from trainer.errors import AnalysisError

# The screen is 500 mm wide and 650 mm away: a degree is some 22 pixels of 2 a millimetre.
PLACES = [(80.0, 60.0), (300.0, 60.0), (300.0, 220.0), (80.0, 220.0)]
DWELL = 40
"""Samples at each place: 0.4 s."""


def points() -> list[tuple[float, float]]:
    return [place for place in PLACES for _ in range(DWELL)]


@pytest.fixture
def maker(tmp_path: Path) -> StudyMaker:
    return StudyMaker.create(tmp_path / "study")


def mark(maker: StudyMaker, reading: str, image: str, x: float, y: float) -> None:
    with maker.study.database.write() as rows:
        rows.add(
            Annotation(
                id=new_id(),
                reading_id=reading,
                image_id=image,
                time_us=1_000_000,
                kind="keypoint",
                x_image=x,
                y_image=y,
            )
        )


def test_fixations_are_found_anew_where_gaze_rested(maker: StudyMaker) -> None:
    maker.read_once(maker.image(), points())

    (look,) = gaze_of_study(maker.study).looks

    assert look.points_image == pytest.approx(np.array(PLACES), abs=0.5)
    assert look.duration_us == pytest.approx(np.full(4, (DWELL - 1) * STEP_US), abs=2 * STEP_US)
    assert (look.width, look.height, look.reader) == (400, 300, "R01")
    assert look.shown_us == 0
    assert look.left_us == 4 * DWELL * STEP_US
    assert len(look.amplitude_deg) == 3


def test_a_reading_of_two_images_is_looked_at_on_each(maker: StudyMaker) -> None:
    left, right = maker.image(), maker.image()
    reading = maker.reading(maker.case(left, right), 1_000_000, 1_000_000 + 80 * STEP_US)
    maker.view(reading, left, 1_000_000)
    place = {"transform": Affine(tx=500), "rect_screen": (500, 0, 400, 300)}
    maker.view(reading, right, 1_000_000, tile=1, **place)
    maker.samples(1_000_000, [(100.0, 100.0)] * 40 + [(600.0, 100.0)] * 40)

    looks = {look.image: look for look in gaze_of_study(maker.study).looks}

    assert len(looks) == 2
    assert all(len(look.frame) == 1 for look in looks.values())


def test_time_on_an_image_ends_where_it_was_last_taken_off_the_screen(maker: StudyMaker) -> None:
    first, second = maker.image(), maker.image()
    start, middle, end = (1_000_000 + k * 4 * DWELL * STEP_US for k in range(3))
    reading = maker.reading(maker.case(first, second), start, end)
    maker.view(reading, first, start)
    maker.view(reading, first, middle, kind=CLOSED)
    maker.view(reading, second, middle)
    maker.samples(start, points() + points())

    looks = gaze_of_study(maker.study).looks

    half = 4 * DWELL * STEP_US
    assert [(look.shown_us, look.left_us) for look in looks] == [(0, half), (half, 2 * half)]


def test_time_on_an_image_ends_where_another_took_its_tile(maker: StudyMaker) -> None:
    first, second = maker.image(), maker.image()
    reading = maker.reading(maker.case(first, second), 0, 4 * DWELL * STEP_US)
    maker.view(reading, first, 0)
    maker.view(reading, first, 200_000, kind="zoom")
    maker.view(reading, second, 400_000)
    maker.samples(0, points())

    assert [look.left_us for look in gaze_of_study(maker.study).looks] == [400_000, 1_600_000]


def test_a_reading_has_the_key_of_its_arm(maker: StudyMaker) -> None:
    arm = new_id()
    with maker.study.database.write() as rows:
        rows.add(Arm(id=arm, key="with ai", conditions={}, position=0))
    image = maker.image()
    maker.read_once(image, points(), arm_id=arm)
    maker.read_once(image, points(), start_us=9_000_000)

    assert [look.arm for look in gaze_of_study(maker.study).looks] == ["with ai", ""]


def test_the_validation_in_force_gives_accuracy_and_residuals(maker: StudyMaker) -> None:
    targets = [
        {"x_norm": x, "y_norm": 0.5, "gaze_x_norm": x + 0.02, "gaze_y_norm": 0.5}
        for x in (0.2, 0.5, 0.8)
    ]
    with maker.study.database.write() as rows:
        rows.add(
            Calibration(
                id=new_id(),
                session_id=maker.session_id,
                kind="validation",
                status="success",
                started_us=0,
                ended_us=10,
                points=targets,
                accuracy_deg=0.9,
            )
        )
    maker.read_once(maker.image(), points())

    gaze = gaze_of_study(maker.study)

    (residuals,) = gaze.residuals_deg.values()
    assert gaze.looks[0].accuracy_deg == pytest.approx(0.9)
    # 0.02 of 500 mm are 10 mm; at 650 mm that is 0.88° straight ahead.
    assert residuals[1] == pytest.approx([0.88, 0], abs=0.02)


def test_marks_are_those_that_stand(maker: StudyMaker) -> None:
    image = maker.image()
    reading = maker.read_once(image, points())
    mark(maker, reading, image, 80, 60)
    with maker.study.database.write() as rows:
        rows.add(
            Annotation(
                id=new_id(),
                reading_id=reading,
                image_id=image,
                time_us=1,
                kind="box",
                x_image=1,
                y_image=1,
                width_image=2,
                height_image=2,
                undone_us=2,
            )
        )

    (marks,) = marks_of(maker.study).values()

    assert [(m.x_image, m.y_image) for m in marks] == [(80, 60)]


def test_a_lesion_that_was_fixated_and_not_marked_is_no_search_error(
    maker: StudyMaker, tmp_path: Path
) -> None:
    image = maker.image()
    reading = maker.read_once(image, points())
    mark(maker, reading, image, 82, 61)
    mark(maker, reading, image, 200, 290)
    table = tmp_path / "lesions.csv"
    table.write_text(
        "image,area,kind,x,y,lesion\n"
        f"{image},found,keypoint,80,60,1\n"
        f"{image},looked at,keypoint,300,220,1\n"
        f"{image},never seen,keypoint,395,140,1\n"
    )

    found = analyse(maker.study, Question(areas=table))

    classes = {(row["error"], row["area"]): row["class"] for row in found.tables.misses}
    assert classes == {
        ("false negative", "looked at"): "recognition",
        ("false negative", "never seen"): "search",
        ("false positive", "mark 2"): "search",
    }


def test_the_command_writes_tables_and_says_what_the_accuracy_does_not_allow(
    maker: StudyMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = maker.image()
    maker.read_once(image, points())
    maker.read_once(image, points(), start_us=9_000_000)
    out = tmp_path / "out"

    code = main(
        ["analyse", "--study", str(maker.study.folder), "--plain", "halves", "--out", str(out)]
    )

    with (out / "areas.csv").open() as file:
        rows = list(csv.DictReader(file))
    about = json.loads((out / "analysis.json").read_text())
    assert code == 0
    assert [row["area"] for row in rows[:2]] == ["image left", "image right"]
    assert float(rows[0]["dwell_ms"]) == pytest.approx(float(rows[1]["dwell_ms"]), abs=20)
    assert about["readings"] == 2
    assert any("was not validated" in note for note in about["notes"])
    assert "2 readings of 1 images" in capsys.readouterr().out


def test_a_study_without_a_reading_that_counts_says_why(maker: StudyMaker) -> None:
    maker.read_once(maker.image(), points(), verdict="bad")

    with pytest.raises(AnalysisError, match="No reading of this study counts"):
        gaze_of_study(maker.study)


def test_an_unknown_image_in_the_table_is_named(maker: StudyMaker, tmp_path: Path) -> None:
    maker.read_once(maker.image(), points())
    table = tmp_path / "a.csv"
    table.write_text("image,area,kind,x,y\nZZZZZZ,a,keypoint,1,1\n")

    with pytest.raises(AnalysisError, match='line 2: This study has no image "ZZZZZZ"'):
        analyse(maker.study, Question(areas=table))


@pytest.mark.parametrize(
    "option", ["--margin-deg=-1", "--radius-deg=nan", "--dwell-ms=inf", "--seed=-1"]
)
def test_a_threshold_that_is_no_distance_is_a_wrong_argument(
    maker: StudyMaker, option: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["analyse", "--study", str(maker.study.folder), option])
    assert ended.value.code == 2


@pytest.mark.parametrize("study", ["missing", "file"])
def test_what_is_no_study_is_a_wrong_argument(study: str, tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()

    with pytest.raises(SystemExit) as ended:
        main(["analyse", "--study", str(tmp_path / study)])
    assert ended.value.code == 2
    assert not (tmp_path / "missing").exists()


def test_a_station_is_told_how_far_it_is_and_what_was_written(
    maker: StudyMaker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    maker.read_once(maker.image(), points())
    words = ["analyse", "--study", str(maker.study.folder), "--out", str(tmp_path / "out")]

    assert main([*words, "--events", "json"]) == 0

    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    stages = [e["stage"] for e in events if e["event"] == "stage"]
    assert stages == ["readings", "images", "export"]
    assert {e["stage"] for e in events if e["event"] == "progress"} == {"readings", "images"}
    assert events[-1]["folder"] == str(tmp_path / "out")
    assert {"readings.csv", "coverage.svg"} <= set(events[-1]["files"])


def test_marks_of_a_resumed_readings_earlier_part_are_the_readings(maker: StudyMaker) -> None:
    image = maker.image()
    case = maker.case(image)
    first = maker.reading(case, 0, 900_000, state="interrupted")
    last = maker.reading(case, 1_000_000, 1_900_000, resumes_id=first)
    alone = maker.reading(case, 2_000_000, 2_900_000, state="interrupted")
    for reading, x in ((first, 10), (last, 20), (alone, 30)):
        mark(maker, reading, image, x, 5)
    with maker.study.database.read() as rows:
        names = names_of(rows, "reading")

    found = marks_of(maker.study)

    assert [m.x_image for m in found[names[last]]] == [10, 20]
    assert [m.x_image for m in found[names[alone]]] == [30]
    assert names[first] not in found
    assert {m.rating for own in found.values() for m in own} == {1.0}
