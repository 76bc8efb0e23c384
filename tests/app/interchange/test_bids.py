"""BIDS: the official validator finds nothing, and every value is as the rows have it."""

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.interchange.exports.command import main
from devices.gaze.samples import gaze_norm
from migrations.study.reader_attributes import with_attributes
from migrations.study.schema import Fixation, Reader, StudyCase, ViewEvent
from tests.app.interchange.gaze_files import gaze_json, imported
from tests.app.interchange.readings import SAID, SCREEN, add_readings
from tests.stored import gaze_of


@pytest.fixture
def exported(study, tmp_path) -> tuple[Path, list[str]]:
    readings = add_readings(study)
    out = tmp_path / "bids"
    assert main(["bids", "--study", str(study.folder), "--out", str(out)]) == 0
    return out, readings


def _validator() -> str:
    beside = Path(sys.executable).with_name("bids-validator-deno")
    found = str(beside) if beside.exists() else shutil.which("bids-validator-deno")
    if not found:
        pytest.skip("bids-validator-deno is not installed (extra `test`)")
    return found


def _validated(out: Path) -> list[dict]:
    done = subprocess.run(
        [_validator(), "--format", "json", "--max-rows", "-1", str(out)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return json.loads(done.stdout)["issues"]["issues"]


def _table(path: Path) -> np.ndarray:
    with gzip.open(path, "rt") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return np.array([[np.nan if v == "n/a" else v for v in row] for row in rows], dtype=object)


def test_the_official_validator_finds_no_error(study, exported) -> None:
    out, _ = exported
    issues = _validated(out)
    assert [i for i in issues if i.get("severity") == "error"] == []
    # What the laboratory has to say itself: authors, licence, institution.
    advice = ("SIDECAR_KEY_RECOMMENDED", "JSON_KEY_RECOMMENDED", "NO_AUTHORS", "TOO_FEW_AUTHORS")
    ours = [i for i in issues if i["code"] not in advice]
    assert [(i["code"], i.get("location")) for i in ours] == []


def test_the_validator_would_find_a_missing_field(study, exported) -> None:
    out, _ = exported
    path = next(out.rglob("*eye1_physio.json"))
    table = json.loads(path.read_text())
    del table["RecordedEye"]
    path.write_text(json.dumps(table))
    assert any(i.get("severity") == "error" for i in _validated(out))


def test_every_sample_and_fixation_is_there_value_by_value(study, exported) -> None:
    out, readings = exported
    stems = sorted(p.name.removesuffix("_events.tsv") for p in out.rglob("*_events.tsv"))
    assert stems == [f"sub-R0{r}_task-reading_run-00{k}" for r in (1, 2) for k in (1, 2)]
    for stem, reading_id in zip(stems, readings, strict=True):
        folder = out / stem.split("_")[0] / "beh"
        gaze = gaze_of(study.database, reading_id)
        for number, eye in enumerate(("left", "right"), 1):
            table = _table(folder / f"{stem}_recording-eye{number}_physio.tsv.gz")
            np.testing.assert_array_equal(table[:, 0].astype(np.int64), gaze.time_us)
            screen = SCREEN.norm_to_screen(gaze_norm(gaze.samples, eye))
            np.testing.assert_array_equal(table[:, 1:3].astype(np.float64), screen)
            pupil = table[:, 3].astype(np.float32)
            np.testing.assert_array_equal(pupil, gaze.samples[f"{eye}_pupil_mm"])
            facts = json.loads((folder / f"{stem}_recording-eye{number}_physio.json").read_text())
            assert (facts["RecordedEye"], facts["SamplingFrequency"]) == (eye, 100.0)
            assert (facts["StartTime"], facts["PhysioType"]) == (0.0, "eyetrack")
            assert facts["AverageCalibrationError"] == (0.5, 0.6)[number - 1]
        with study.database.read() as session:
            rows = session.scalars(
                select(Fixation).where(Fixation.reading_id == reading_id).order_by("start_us")
            ).all()
        every = _table(folder / f"{stem}_recording-eye1_physioevents.tsv.gz")
        assert sorted(every[:, 0], key=int) == list(every[:, 0])
        assert "saccade" in every[:, 2]
        events = every[every[:, 2] == "fixation"]
        assert [int(v) for v in events[:, 0]] == [f.start_us for f in rows]
        assert [round(float(v) * 1e6) for v in events[:, 1]] == [f.duration_us for f in rows]
        assert json.loads(events[0, 3])["x_image"] == rows[0].x_image


def test_image_places_follow_from_events_alone(study, exported) -> None:
    out, readings = exported
    folder, stem = out / "sub-R01" / "beh", "sub-R01_task-reading_run-001"
    lines = [line.split("\t") for line in (folder / f"{stem}_events.tsv").read_text().splitlines()]
    views = [dict(zip(lines[0], row, strict=True)) for row in lines[1:] if row[2][:4] == "view"]
    table = _table(folder / f"{stem}_recording-eye2_physio.tsv.gz")
    times = (table[:, 0].astype(np.int64) - int(table[0, 0])) / 1e6
    points = table[:, 1:3].astype(np.float64)
    gaze = gaze_of(study.database, readings[0])
    expected = gaze.views.image_points(
        gaze.time_us, SCREEN.norm_to_screen(gaze_norm(gaze.samples, "right"))
    ).points_image
    zoom = np.where(times < float(views[1]["onset"]), float(views[0]["a"]), float(views[1]["a"]))
    shift = (float(views[0]["tx"]), float(views[0]["ty"]))
    mapped = (points - shift) / zoom[:, None]
    on = np.isfinite(expected[:, 0])
    assert on.any()
    np.testing.assert_allclose(mapped[on], expected[on], rtol=1e-12)
    facts = json.loads((folder / f"{stem}_events.json").read_text())["StimulusPresentation"]
    assert facts["ScreenDistance"] == 0.6
    assert facts["ScreenSize"] == [0.64, 0.48]
    assert facts["ScreenResolution"] == [1600, 1200]
    assert facts["ScreenOrigin"] == ["top", "left"]


def test_samples_events_and_views_of_a_stack_have_their_frame(study, tmp_path) -> None:
    reading_id = add_readings(study)[0]
    with study.database.write() as session:
        first, second = session.scalars(
            select(ViewEvent).where(ViewEvent.reading_id == reading_id).order_by("time_us")
        )
        first.frame, second.frame = 3, 7
        scrolled_us = second.time_us
    out = tmp_path / "bids"
    assert main(["bids", "--study", str(study.folder), "--out", str(out)]) == 0
    stem = out / "sub-R01" / "beh" / "sub-R01_task-reading_run-001"
    samples = _table(Path(f"{stem}_recording-eye1_physio.tsv.gz"))
    facts = json.loads(Path(f"{stem}_recording-eye1_physio.json").read_text())
    assert facts["Columns"][4] == "frame"
    later = samples[:, 0].astype(np.int64) >= scrolled_us
    for own, frame in ((~later, 3), (later, 7)):
        told = samples[own, 4].astype(float)
        assert set(told[~np.isnan(told)]) == {frame}
    found = _table(Path(f"{stem}_recording-eye1_physioevents.tsv.gz"))
    assert {"frame"} <= set(json.loads(found[0, 3]))
    lines = [row.split("\t") for row in Path(f"{stem}_events.tsv").read_text().splitlines()]
    rows = [dict(zip(lines[0], row, strict=True)) for row in lines[1:]]
    assert [r["frame"] for r in rows if r["trial_type"].startswith("view_")] == ["3", "7"]


def test_answers_to_a_form_are_events_but_for_free_text(study, exported) -> None:
    for file in exported[0].rglob("*_events.tsv"):
        rows = [line.split("\t") for line in file.read_text().splitlines()]
        said = {row[2]: row[4] for row in rows if row[2].startswith("answer_")}
        assert said == {"answer_finding": SAID["finding"], "answer_sure": SAID["sure"]}


def test_imported_gaze_without_times_is_valid_too(study, matcher, tmp_path) -> None:
    gaze = [[100 + k, 200 + k] for k in range(50)]
    imported(study, "mcgip", [gaze_json(tmp_path / "P1.json", gaze, "P1.png")], matcher)
    out = tmp_path / "bids"
    assert main(["bids", "--study", str(study.folder), "--out", str(out)]) == 0
    facts = json.loads(next(out.rglob("*eye1_physio.json")).read_text())
    assert facts["RecordedEye"] == "cyclopean"
    assert [i for i in _validated(out) if i.get("severity") == "error"] == []


def test_pseudonyms_that_look_alike_stay_apart(study, tmp_path) -> None:
    add_readings(study, ("R-1", "r.1", "Ä"))
    out = tmp_path / "bids"
    main(["bids", "--study", str(study.folder), "--out", str(out)])
    people = [line.split("\t") for line in (out / "participants.tsv").read_text().splitlines()]
    assert sorted(people[1:]) == [["sub-R1", "R-1"], ["sub-r1x2", "r.1"], ["sub-reader", "Ä"]]
    everything = b"".join(p.read_bytes() for p in out.rglob("*") if p.suffix in (".tsv", ".json"))
    assert b"Quill" not in everything
    assert b"desk" not in everything


def test_what_readers_said_of_themselves_stands_beside_their_pseudonyms(study, tmp_path) -> None:
    add_readings(study, ("R-1", "R-2"))
    with study.database.write() as session:
        reader = session.scalars(select(Reader).where(Reader.pseudonym == "R-1")).one()
        reader.details = with_attributes(reader.details, {"years": "5 to 9"})
    main(["bids", "--study", str(study.folder), "--out", str(tmp_path / "bids")])
    people = (tmp_path / "bids" / "participants.tsv").read_text().splitlines()
    assert people == ["participant_id\tpseudonym\tyears", "sub-R1\tR-1\t5 to 9", "sub-R2\tR-2\tn/a"]
    about = json.loads((tmp_path / "bids" / "participants.json").read_text())
    assert "5 to 9" in about["years"]["Levels"]
    main(["csv", "--study", str(study.folder), "--out", str(tmp_path / "csv")])
    rows = (tmp_path / "csv" / "readers.csv").read_text().splitlines()
    assert rows == ["reader,speciality,years,eyewear", "R-1,,5 to 9,", "R-2,,,"]


def test_the_sheet_of_a_runs_case_stands_in_the_scans_without_free_text(study, tmp_path) -> None:
    add_readings(study, ("R-1",))
    with study.database.write() as session:
        case = session.scalars(select(StudyCase).order_by(StudyCase.id)).first()
        case.sheet = {"age_group": "50 to 59", "question": "as Mrs Quill said"}
    out = tmp_path / "bids"
    main(["bids", "--study", str(study.folder), "--out", str(out)])
    lines = (out / "sub-R1" / "sub-R1_scans.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    assert rows[0] == ["filename", "case", "age_group", "sex", "question", "priors"]
    assert [row[2:] for row in rows[1:]] == [["50 to 59", "n/a", "yes", "no"], 4 * ["n/a"]]
    assert all((out / "sub-R1" / row[0]).is_file() for row in rows[1:])
    about = json.loads((out / "scans.json").read_text())
    assert list(about["sex"]["Levels"]) == ["female", "male", "other"]
    assert not any(b"Quill" in path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert [i for i in _validated(out) if i.get("severity") == "error"] == []
