"""A data set to be published: it holds together, says only what is known, and names nobody."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from app.errors import ExportError
from app.interchange.exports.command import main
from app.interchange.exports.dataset.check import check_dataset
from app.interchange.exports.dataset.datasheet import OPEN
from migrations.study.cohort_rules import CHOICE
from migrations.study.folder import Study
from migrations.study.reader_attributes import with_attributes
from migrations.study.schema import Annotation, Image, Reader, Reading, Session, StudyCase
from tests.app.interchange.readings import add_readings
from tests.app.interchange.test_bids import _validated


def exported(study: Study, out: Path, *more: str) -> int:
    words = ["dataset", "--study", str(study.folder), "--out", str(out)]
    return main([*words, "--licence", "CC-BY-4.0", *more])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


def test_a_data_set_holds_bids_tables_croissant_datasheet_licence_and_checksums(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_readings(study)
    with study.database.write() as session:
        for reader in session.scalars(select(Reader)):
            reader.details = with_attributes(reader.details, {"years": "5 to 9"})
        case = session.scalars(select(StudyCase).order_by(StudyCase.id)).first()
        assert case is not None
        case.sheet = {"age_group": "50 to 59", "question": "as Mrs Quill said"}
    out = tmp_path / "set"
    assert exported(study, out, "--creator", "Laboratory A") == 0
    said = capsys.readouterr().out
    assert "4 readings in" in said
    assert "with correct checksums" in said
    assert "left open: url, datePublished, citeAs" in said
    done = subprocess.run(
        ["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=out, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")
    # The reader table, with what readers said of themselves, and the sheets without free text.
    assert [row["years"] for row in rows(out / "participants.tsv")] == ["5 to 9"] * 2
    assert "50 to 59" in {row["age_group"] for row in rows(out / "tables" / "cases.csv")}
    assert not (out / "tables" / "samples.csv").exists()
    assert not any(b"Quill" in path.read_bytes() for path in out.rglob("*") if path.is_file())
    described = json.loads((out / "dataset_description.json").read_text())
    assert (described["License"], described["Authors"]) == ("CC-BY-4.0", ["Laboratory A"])
    errors = [i for i in _validated(out) if i.get("severity") == "error"]
    assert errors == []


def test_croissant_describes_every_column_and_leaves_out_what_nobody_said(
    study: Study, tmp_path: Path
) -> None:
    add_readings(study)
    out = tmp_path / "set"
    assert exported(study, out) == 0
    told = json.loads((out / "croissant.json").read_text())
    assert told["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert told["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert not {"creator", "url", "datePublished", "citeAs"} & told.keys()
    for records in told["recordSet"]:
        files = {f["source"]["fileObject"]["@id"] for f in records["field"]}
        assert len(files) == 1
        place = next(d["contentUrl"] for d in told["distribution"] if d["@id"] in files)
        columns = [f["source"]["extract"]["column"] for f in records["field"]]
        assert columns == (out / place).read_text().splitlines()[0].replace("\t", ",").split(",")
    checked = check_dataset(out)
    assert (checked.readers, checked.tables) == (2, len(told["recordSet"]))
    assert checked.records == sum(
        len(rows(out / each["contentUrl"])) for each in told["distribution"]
    )


@pytest.mark.slow
def test_the_official_tool_finds_nothing_and_reads_records(study: Study, tmp_path: Path) -> None:
    tool = shutil.which("mlcroissant")
    if tool is None:
        pytest.skip("mlcroissant is missing (it has an environment of its own in CI)")
    add_readings(study)
    with study.database.write() as session:
        undone = session.scalars(select(Annotation).where(Annotation.kind != "note")).first()
        assert undone is not None
        undone.undone_us = undone.time_us + 1  # beside empty ones: a column of whole numbers
    out = tmp_path / "set"
    more = ("--creator", "A", "--url", "https://example.org/x", "--published", "2026-12-01")
    assert exported(study, out, *more, "--cite", "A (2026)") == 0

    def asked(*words: str) -> str:
        done = subprocess.run(
            [tool, *words, "--jsonld", "croissant.json"],
            cwd=out, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-500:]
        return done.stderr

    said = asked("validate")
    assert "error(s)" not in said
    assert "warning(s)" not in said
    for records in ("annotations", "participants"):
        asked("load", "--record_set", records)


def test_the_datasheet_says_what_the_study_knows_and_asks_the_rest(
    study: Study, tmp_path: Path
) -> None:
    add_readings(study)
    assert exported(study, tmp_path / "set", "--published", "2026-12-01") == 0
    text = (tmp_path / "set" / "datasheet.md").read_text()
    assert "4 readings of 2 cases by 2 readers; 2 images." in text
    assert "Gaze was recorded with: lsl, 100 Hz (4)." in text
    assert "Published on 2026-12-01." in text
    assert f"- {OPEN} Which ethics committee approved" in text
    assert f"- {OPEN} Who created the data set" in text
    assert check_dataset(tmp_path / "set").open_questions == text.count(f"- {OPEN}") > 10


def test_without_a_licence_nothing_is_written_and_a_mistyped_one_is_guessed(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["dataset", "--study", str(study.folder), "--out", str(tmp_path / "set")]
    for more, why in (
        ([], "only its owner can choose one"),
        (["--licence", "cc-by-4"], "Did you mean CC-BY-4.0?"),
        (["--licence", "CC0-1.0", "--published", "soon"], "not a date"),
        (["--licence", "CC0-1.0", "--url", "here"], "not an address"),
    ):
        with pytest.raises(SystemExit) as ended:
            main([*words, *more])
        assert ended.value.code == 2
        assert why in " ".join(capsys.readouterr().err.split())
    with pytest.raises(SystemExit):
        main(["csv", "--study", str(study.folder), "--licence", "CC0-1.0"])
    assert "belong to `export dataset`" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_what_was_excluded_and_what_is_no_persons_gaze_stays_and_is_counted(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readings = add_readings(study, ("R-1", "R-2", "R-3"))
    with study.database.write() as session:
        out_by_hand = session.get_one(Reading, readings[0])
        choice = {
            "keep": False,
            "reason": "as Mrs Quill wished",
            "time_utc": "2026-01-01T00:00:00Z",
        }
        out_by_hand.details = {**out_by_hand.details, CHOICE: choice}
        simulated = session.get_one(Reading, readings[-1]).session_id
        session.get_one(Session, simulated).tracker_kind = "simulated"
    out = tmp_path / "set"
    assert exported(study, out) == 0
    read = {row["reading_id"] for row in rows(out / "tables" / "quality.csv")}
    assert read == set(readings[1:4])
    assert [row["pseudonym"] for row in rows(out / "participants.tsv")] == ["R-1", "R-2"]
    text = (out / "datasheet.md").read_text()
    assert "gaze of a stand-in, not of a person (2), excluded by hand (1)" in text
    assert "Quill" not in text


def test_pictures_go_along_only_when_asked_and_never_one_that_waits_to_be_cleared(
    study: Study, tmp_path: Path
) -> None:
    add_readings(study)
    with study.database.write() as session:
        images = list(session.scalars(select(Image).order_by(Image.import_number)))
        for image in images:
            image.cleared_by = "R-01"
        images[0].cleared_by, images[0].burned_in = None, "unknown"
        kept, kept_id = images[1].sha256, images[1].id
    assert exported(study, tmp_path / "without") == 0
    assert not (tmp_path / "without" / "stimuli").exists()
    assert exported(study, tmp_path / "with", "--with-images") == 0
    pictures = sorted((tmp_path / "with" / "stimuli").iterdir())
    assert [path.name for path in pictures] == [f"{kept}.png"]
    assert pictures[0].read_bytes() == study.presentation(kept_id).read_bytes()
    assert "1 image left out" in (tmp_path / "with" / "datasheet.md").read_text()
    assert [i for i in _validated(tmp_path / "with") if i.get("severity") == "error"] == []


def test_a_data_set_that_was_changed_does_not_hold_together(study: Study, tmp_path: Path) -> None:
    add_readings(study)
    out = tmp_path / "set"
    assert exported(study, out) == 0
    table = out / "tables" / "answers.csv"
    whole = table.read_bytes()
    for change, why in (
        (lambda: table.write_bytes(whole + b"\n"), "answers.csv does not match"),
        (lambda: (table.write_bytes(whole), (out / "more.txt").write_text("x")), "not in SHA256"),
        (lambda: ((out / "more.txt").unlink(), table.unlink()), "answers.csv is missing"),
    ):
        change()
        with pytest.raises(ExportError, match=why):
            check_dataset(out)
