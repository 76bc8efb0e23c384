"""csv and Parquet: every value as the rows have it, and the way back in."""

import contextlib
import csv
import json
import shutil

import numpy as np
import pytest
from sqlalchemy import select

from app.interchange.exports.command import main
from app.interchange.exports.readings import Content
from app.interchange.exports.table_columns import TABLES
from app.interchange.exports.tables import export_tables
from app.interchange.matching import Matcher
from devices.gaze.samples import VALUE_FIELDS
from migrations.study.folder import Study
from migrations.study.schema import Fixation, Reader, Reading, StudyCase
from tests.app.interchange.gaze_files import imported
from tests.app.interchange.readings import SAID, add_readings
from tests.stored import gaze_of

pd = pytest.importorskip("pandas")


@pytest.fixture
def readings(study) -> list[str]:
    return add_readings(study)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_samples_and_fixations_value_by_value(study, readings, tmp_path, kind) -> None:
    assert main([kind, "--study", str(study.folder), "--out", str(tmp_path / "out")]) == 0
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    samples = read(tmp_path / "out" / f"samples.{kind}")
    fixations = read(tmp_path / "out" / f"fixations.{kind}")
    for reading_id in readings:
        gaze = gaze_of(study.database, reading_id)
        own = samples[samples.reading_id == reading_id]
        np.testing.assert_array_equal(own.host_us, gaze.time_us)
        np.testing.assert_array_equal(own[["x_image", "y_image"]], gaze.points_image)
        np.testing.assert_array_equal(own[["x_deg", "y_deg"]], gaze.points_deg)
        for field in VALUE_FIELDS:
            got = own[field].to_numpy(np.float32)
            np.testing.assert_array_equal(got, gaze.samples[field])
        np.testing.assert_array_equal(own.device_us, gaze.samples["device_us"])
        with study.database.read() as session:
            rows = session.scalars(
                select(Fixation).where(Fixation.reading_id == reading_id).order_by("start_us")
            ).all()
        found = fixations[fixations.reading_id == reading_id]
        assert len(rows) == len(found) > 0
        for name in ("duration_us", "x_image", "y_image", "x_deg", "dispersion_deg"):
            np.testing.assert_array_equal(found[name], [getattr(r, name) for r in rows])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_answers_to_a_form_are_there_but_for_free_text(study, readings, tmp_path, kind) -> None:
    assert main([kind, "--study", str(study.folder), "--out", str(tmp_path / "out")]) == 0
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    found = read(tmp_path / "out" / f"answers.{kind}")
    assert set(found.reading_id) == set(readings)
    assert found.groupby("question").value.count().to_dict() == {
        "finding": len(readings), "sure": len(readings)
    }  # fmt: skip
    assert set(found[found.question == "sure"].value.astype(str)) == {SAID["sure"]}
    assert set(found.time_us) == {12}


def test_the_dictionary_says_every_column(study, readings, tmp_path) -> None:
    export_tables(Content.of(study), tmp_path, "csv", lambda _d, _t: None)
    said = json.loads((tmp_path / "data-dictionary.json").read_text())
    for name in TABLES:
        with (tmp_path / f"{name}.csv").open() as file:
            header = next(csv.reader(file))
        assert header == [row["column"] for row in said[name]]
        assert all(row["meaning"] and row["type"] for row in said[name])


def test_only_pseudonyms_leave_no_note_no_station(study, readings, tmp_path) -> None:
    main(["csv", "--study", str(study.folder), "--out", str(tmp_path / "out")])
    everything = b"".join(p.read_bytes() for p in (tmp_path / "out").iterdir())
    assert b"R-01" in everything
    for secret in (b"Quill", b"desk", b"2026-01-01", b"SERIAL-S1"):
        assert secret not in everything


def test_what_a_study_exported_adds_nothing_to_it(study, readings, tmp_path) -> None:
    main(["csv", "--study", str(study.folder), "--out", str(tmp_path / "out")])
    paths = [tmp_path / "out" / name for name in ("samples.csv", "fixations.csv")]
    for some in (paths, paths[:1], paths[1:]):
        reports = imported(study, "csv", some, Matcher.of(study))
        assert {r.status for report in reports for r in report.readings} == {"known"}
    with study.database.read() as session:
        assert sorted(session.scalars(select(Reading.id))) == sorted(readings)


def test_out_and_into_another_study_is_the_same_gaze_and_fixations(
    study, readings, template, tmp_path
) -> None:
    main(["csv", "--study", str(study.folder), "--out", str(tmp_path / "out")])
    paths = [tmp_path / "out" / name for name in ("samples.csv", "fixations.csv")]
    shutil.copytree(template[0], tmp_path / "other")
    other = Study.open(tmp_path / "other")
    with contextlib.closing(other):
        reports = imported(other, "csv", paths, Matcher.of(other))
        _assert_same(study, readings, other, reports, paths)
        again = imported(other, "csv", paths, Matcher.of(other))
        assert {r.status for report in again for r in report.readings} == {"known"}
        with other.database.read() as session:
            assert set(session.scalars(select(Reader.pseudonym))) == {"R-01", "R-02"}


def _assert_same(study, readings, other, reports, paths) -> None:
    stored = reports[0].readings
    assert len(stored) == len(readings)
    for old, new in zip(readings, stored, strict=True):
        before = gaze_of(study.database, old)
        after = gaze_of(other.database, new.reading_id)
        on = np.isfinite(before.points_image[:, 0])
        seen = np.isfinite(after.points_image[:, 0])
        np.testing.assert_allclose(
            after.points_image[seen], before.points_image[on], atol=2e-5, rtol=0
        )
        np.testing.assert_array_equal(np.diff(after.time_us[seen]), np.diff(before.time_us[on]))
    with other.database.read() as session:
        found = session.scalars(
            select(Fixation).where(Fixation.reading_id == stored[0].reading_id).order_by("start_us")
        ).all()
        zero = session.get_one(Reading, stored[0].reading_id)
    table = pd.read_csv(paths[1])
    table = table[(table.reading_id == readings[0]) & table.x_image.notna()]
    assert zero.details["imported"]["source_zero_us"] is not None
    np.testing.assert_array_equal([f.duration_us for f in found], table.duration_us)
    np.testing.assert_allclose([f.x_image for f in found], table.x_image, atol=1e-9, rtol=0)
    np.testing.assert_array_equal(
        [f.start_us + zero.details["imported"]["source_zero_us"] for f in found], table.start_us
    )


def test_an_export_never_writes_over_another(study, readings, tmp_path, capsys) -> None:
    words = ["csv", "--study", str(study.folder), "--out", str(tmp_path)]
    assert main(words) == 1
    assert "is not empty" in capsys.readouterr().err


def test_a_study_without_readings_says_how_to_get_some(study, tmp_path, capsys) -> None:
    assert main(["bids", "--study", str(study.folder), "--out", str(tmp_path / "o")]) == 1
    assert "no finished reading" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_cases_sheet_is_there_but_for_its_free_text(study, readings, tmp_path, kind) -> None:
    with study.database.write() as session:
        case = session.scalars(select(StudyCase).order_by(StudyCase.position)).first()
        case.sheet = {"sex": "female", "priors": "as Mrs Quill said"}
        meant = case.id
    assert main([kind, "--study", str(study.folder), "--out", str(tmp_path / "out")]) == 0
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    cases = read(tmp_path / "out" / f"cases.{kind}").astype(object)
    cases = cases.where(cases.notna(), "")
    first, second = cases.to_dict("records")
    assert (first["case_id"], first["sex"], first["age_group"]) == (meant, "female", "")
    assert (first["has_question"], first["has_priors"]) == (0, 1)
    assert (second["sex"], second["has_priors"]) == ("", 0)
    images = read(tmp_path / "out" / f"images.{kind}")
    assert list(images.image_id) == list(cases.image_id)
    assert b"Quill" not in (tmp_path / "out" / f"cases.{kind}").read_bytes()
