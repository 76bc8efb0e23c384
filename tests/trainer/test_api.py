"""The Python door: a study as NumPy and pandas, read only; the examples run."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from migrations.study.errors import DatabaseError, NotAStudy, StudyError, UnknownName
from migrations.study.names import short_name
from migrations.study.schema import Annotation, GazeChunk, Reader
from tests import ROOT
from tests.trainer.gaze_study import CHUNK, StudyMaker
from trainer.api import StudyData, StudyWarning, open_study
from trainer.errors import SimilarityError

EXAMPLES = sorted(path.name for path in ROOT.glob("examples/*.py"))


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> StudyMaker:
    maker = StudyMaker.create(tmp_path_factory.mktemp("api") / "study")
    for k in range(3):
        points = np.repeat([(100, 100 + 20 * k), (300, 150), (120, 250)], 20, axis=0)
        image = maker.image(label="ab"[k % 2])
        reading = maker.read_once(image, points, start_us=10_000_000 * (k + 1))
        with maker.study.database.write() as rows:
            rows.add(
                Annotation(reading_id=reading, image_id=image, time_us=1, kind="class", label="yes")
            )
            rows.add(
                Annotation(reading_id=reading, image_id=image, time_us=2, kind="box", label=None,
                           x_image=5, y_image=6, width_image=7, height_image=8, undone_us=3)
            )  # fmt: skip
    maker.reading(maker.case(image), 90_000_000, None, state="open")
    return maker


@pytest.fixture
def study(maker: StudyMaker):
    with open_study(maker.study.folder) as study:
        yield study


def test_importing_the_door_imports_neither_qt_nor_torch_nor_pandas() -> None:
    code = "import sys, trainer.api; print({'torch', 'PySide6', 'pandas'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_readings_come_with_their_names_and_why_they_do_not_count(study: StudyData) -> None:
    readings = study.readings()
    assert list(readings["reader"]) == ["R01"] * 4
    assert list(readings["left_out"]) == ["", "", "", "open, never finished"]
    assert readings["reading"][0] == short_name(readings["reading_id"][0])
    assert list(readings["started_us"][:2]) == [10_000_000, 20_000_000]


def test_gaze_of_a_reading_is_in_image_pixels_sample_by_sample(study: StudyData) -> None:
    name = study.readings()["reading"][1]
    gaze, table = study.gaze(name), study.gaze_table(name)
    assert gaze.points_image.shape == (60, 2)
    np.testing.assert_allclose(gaze.points_image[0], [100, 120], atol=0.01)
    np.testing.assert_allclose(table[["x_image", "y_image"]].iloc[-1], [120, 250], atol=0.01)
    assert table["time_us"].iloc[0] == 20_000_000
    assert set(table["image"]) == {study.images()["image"][1]}


def test_fixations_views_and_answers_are_those_of_the_reading_that_is_named(
    study: StudyData,
) -> None:
    first = study.readings()["reading_id"][0]
    fixations = study.fixations(first)
    assert list(fixations["x_image"]) == [100, 300, 120]
    assert len(study.fixations()) == 9
    assert list(study.views(first)["kind"]) == ["open"]
    assert study.events(first).empty
    assert list(study.answers(first)[["key", "value"]].iloc[0]) == ["answer", "yes"]


def test_an_annotation_that_was_undone_is_not_among_those_that_stand(study: StudyData) -> None:
    found = study.annotations()
    assert list(found["kind"]) == ["class"] * 3
    assert list(found["label"]) == ["yes"] * 3


def test_images_have_their_stored_values_read_only_and_their_picture(study: StudyData) -> None:
    images = study.images()
    assert list(images["width"]) == [400] * 3
    values = study.stored_values(images["image"][0])
    assert (values.dtype, values.shape) == (np.uint16, (300, 400))
    with pytest.raises(ValueError, match="read-only"):
        values[0, 0] = 1
    assert study.picture(images["image_id"][0]).dtype == np.uint8
    assert set(study.cases()["image"]) == set(images["image"])


def test_an_image_that_is_no_stack_has_the_frame_0_that_its_fixations_name(
    study: StudyData,
) -> None:
    image = study.images()["image"][0]
    assert np.array_equal(study.picture(image, 0), study.picture(image))


def test_damaged_gaze_and_a_missing_picture_are_warned_of(tmp_path: Path) -> None:
    maker = StudyMaker.create(tmp_path / "study")
    image, other = maker.image(), maker.image()
    walk = [(100 + k, 80) for k in range(3 * CHUNK)]
    maker.read_once(image, walk)
    maker.read_once(other, walk, start_us=90_000_000)
    with maker.study.database.write() as rows:
        chunk = rows.scalars(select(GazeChunk).where(GazeChunk.sequence == 1)).first()
        chunk.crc32 ^= 1
    maker.study.presentation(other).unlink()
    maker.study.close()
    with open_study(maker.study.folder) as study:
        for damaged in (study.looks, study.measures):
            with pytest.warns(StudyWarning, match="does not match its checksum"):
                damaged()
        with pytest.warns(StudyWarning) as told:
            assert len(study.gaze_of_images()) == 1
    assert "no presentation.png" in str(told[0].message)


def test_measures_and_similarity_are_tables_of_readings(study: StudyData) -> None:
    tables = study.measures(plain="halves")
    assert len(tables["readings"]) == 3
    assert {"image left", "image right"} <= set(tables["areas"]["area"])
    alike = study.similarity("density")
    assert alike.shape == (3, 3)
    np.testing.assert_allclose(np.diag(alike), 1, atol=1e-5)
    assert alike.index[0] == (study.images()["image"][0], "R01")
    with pytest.raises(SimilarityError, match="There is no measure 'closeness'"):
        study.similarity("closeness")


def test_nothing_of_a_study_can_be_changed_through_the_door(study: StudyData) -> None:
    with pytest.raises((StudyError, DBAPIError)), study.study.database.write() as rows:
        rows.add(Reader(pseudonym="R99"))
    assert "R99" not in set(study.readings()["reader"])


def test_what_is_no_study_or_names_nothing_is_refused(study: StudyData, tmp_path: Path) -> None:
    with pytest.raises(NotAStudy, match="no study"):
        open_study(tmp_path)
    with pytest.raises(UnknownName, match='no reading "ZZZZZZ"'):
        study.gaze("ZZZZZZ")


def test_a_study_of_an_older_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    old = StudyMaker.create(tmp_path / "old").study
    old.database.downgrade("0001")
    old.close()
    with pytest.raises(DatabaseError, match=r"has schema 0001.* db upgrade"):
        open_study(old.folder)
    assert old.database.revision() == "0001"
    old.close()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(name: str, maker: StudyMaker, tmp_path: Path, monkeypatch, capsys) -> None:
    out = [str(tmp_path / "out.png")] if name.startswith("plot") else []
    monkeypatch.setattr(sys, "argv", [name, str(maker.study.folder), *out])
    runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
    assert capsys.readouterr().out.strip()
    assert all(Path(path).stat().st_size > 1000 for path in out)
