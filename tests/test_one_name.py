"""One name for each case, image and reading, in every view of one study."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from app.images.clearing import to_clear
from app.recording.replay import readings_to_review
from app.recording.worklist import worklist
from app.workspace.cohort import cohort_rows
from main import main
from migrations.study.folder import Study
from migrations.study.names import Names, names_of, resolve
from migrations.study.schema import CaseImage, Image, Reading
from tests.app.interchange.gaze_files import picture
from tests.app.interchange.readings import add_readings


@pytest.fixture
def study(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Four images as three cases, imported by the command and read by two readers."""
    folder = tmp_path / "study"
    files = [str(picture(tmp_path / "in" / f"{name}.png", k)) for k, name in enumerate("abcd")]
    labels = tmp_path / "labels.csv"
    labels.write_text("image,case\nc.png,pair\nd.png,pair\n")
    words = ["--study", str(folder), "--labels", str(labels), "--json"]
    assert main(["import", *words, *files]) == 0
    (tmp_path / "said.json").write_text(capsys.readouterr().out)
    study = Study.open(folder)
    add_readings(study)
    yield study
    study.close()


def _names(study: Study) -> tuple[Names, Names, Names]:
    with study.database.read() as rows:
        return names_of(rows, "image"), names_of(rows, "case"), names_of(rows, "reading")


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_case_has_the_name_of_its_first_image(study: Study) -> None:
    images, cases, _ = _names(study)
    with study.database.read() as rows:
        hung = rows.query(CaseImage).order_by(CaseImage.id).all()
        first = {row.case_id: row.image_id for row in reversed(hung)}
    assert {cases[case_id] for case_id in cases} == {images[i] for i in first.values()}
    assert (len(images), len(cases)) == (4, 3)


def test_station_and_commands_show_one_name_for_one_thing(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, cases, readings = _names(study)
    assert len(readings) == 8

    assert {row.case_id: row.name for row in worklist(study, "R-01")} == cases
    assert {image.image_id: image.name for image in to_clear(study)} == images
    for row in readings_to_review(study, None):
        assert row.name == readings[row.reading_id]
    shown = {row.reading_id: row for row in cohort_rows(study)}
    assert {id_: row.name for id_, row in shown.items()} == readings
    assert all(row.case == cases[row.case_id] for row in shown.values())
    reviewed = {row.reading_id: row.case_name for row in readings_to_review(study, None)}
    assert reviewed == {id_: row.case for id_, row in shown.items()}

    said = [json.loads(line) for line in (tmp_path / "said.json").read_text().splitlines()]
    *said, reconciliation = said  # the last line tells what the labels did not meet
    assert list(reconciliation) == ["reconciliation"]
    assert {line["image_name"] for line in said} == set(images.values())

    folder, out = ["--study", str(study.folder)], tmp_path / "tables"
    assert main(["export", "csv", *folder, "--out", str(out)]) == 0
    for row in _table(out / "images.csv"):
        assert row["image_name"] == images[row["image_id"]]
    for row in _table(out / "quality.csv"):
        assert row["reading_name"] == readings[row["reading_id"]]
        assert row["case"] == shown[row["reading_id"]].case
    fixations = _table(out / "fixations.csv")
    assert fixations
    for row in fixations:
        assert row["image_name"] == (images[row["image_id"]] if row["image_id"] else "")
        assert row["reading_name"] == readings[row["reading_id"]]

    relation = tmp_path / "relation.npz"
    words = ["--measure", "dhash", "--out", str(relation)]
    assert main(["similarity", *folder, *words]) == 0
    facts = json.loads(relation.with_suffix(".json").read_text())
    assert dict(zip(facts["ids"], facts["names"], strict=True)) == images
    assert main(["export", "relation", *folder, "--measure", "dhash", "--out",
                 str(tmp_path / "relation")]) == 0  # fmt: skip
    with np.load(tmp_path / "relation" / "relation.npz") as file:
        assert dict(zip(file["ids"].tolist(), file["names"].tolist(), strict=True)) == images

    page = tmp_path / "report.html"
    assert main(["report", *folder, "--out", str(page)]) == 0
    html = page.read_text(encoding="utf-8")
    assert all(name in html for name in (*images.values(), *readings.values()))
    assert not any(id_ in html for id_ in (*images, *cases, *readings))
    capsys.readouterr()


def test_every_shown_name_is_accepted_and_what_begins_it(study: Study) -> None:
    for kind, names in zip(("image", "case", "reading"), _names(study), strict=True):
        with study.database.read() as rows:
            for id_, name in names.items():
                others = [other for other in names.values() if other != name]
                least = next(
                    k for k in range(1, 7) if not any(o.startswith(name[:k]) for o in others)
                )
                assert resolve(rows, kind, name) == resolve(rows, kind, name.lower()) == id_
                assert resolve(rows, kind, f"{name[: max(least, 4)]}") == id_


def test_a_view_calls_a_reading_alike_when_only_some_are_listed(study: Study) -> None:
    """Names are those within the study, not within what a page lists."""
    with study.database.write() as rows:
        twin = rows.query(Reading).order_by(Reading.id).first()
        image = rows.query(Image).first()
        assert image is not None
        head, tail = twin.id[:-4], twin.id[-4:]
        other = f"{int(twin.id[0:8], 16) ^ 1:08x}{head[8:]}{int(tail, 16) ^ 0xFFF:04x}"
        columns = {c.name: getattr(twin, c.name) for c in Reading.__table__.columns}
        rows.add(Reading(**(columns | {"id": other, "state": "open"})))
        twin_id = twin.id
    (listed,) = [r for r in readings_to_review(study, None) if r.reading_id == twin_id]
    assert other not in {r.reading_id for r in readings_to_review(study, None)}
    (counted,) = [r for r in cohort_rows(study) if r.reading_id == twin_id]
    assert len(listed.name) > 6
    assert listed.name == counted.name
