"""Revision 0003: an image is known by more than its pixels' bytes."""

from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, exc, select

from migrations.study.folder import Study
from migrations.study.schema import Base, Image
from tests.migrations.older_study import FIRST_SCHEMA, IMAGE_ID, older_study, row

LATER_TABLES = {"gaze_event", "question", "answer", "arm", "assignment", "edit", "receipt", "seal",
                "seal_key", "seal_head"}  # fmt: skip
"""Which a study of 0.1.0 did not have."""


def _counts(study: Study) -> dict[str, int]:
    with study.database.read() as rows:
        tables = [t for t in Base.metadata.sorted_tables if t.name not in LATER_TABLES]
        return {t.name: len(rows.execute(select(t)).all()) for t in tables}


def _table(study: Study) -> Table:
    return Table("image", MetaData(), autoload_with=study.database.engine)


def test_a_study_of_0_1_0_keeps_every_row_and_learns_what_numbers_its_images_are(
    tmp_path: Path,
) -> None:
    study = Study.open(older_study(tmp_path / "study"))
    assert _counts(study) == {**dict.fromkeys(_counts(study), 1), "audit": 2}  # and the upgrade
    assert study.database.check() == []
    with study.database.read() as rows:
        assert rows.get_one(Image, IMAGE_ID).dtype == "int16"
    study.close()


@pytest.mark.parametrize("damage", ["missing", "cut short", "no array"])
def test_an_image_whose_pixels_cannot_be_read_is_upgraded_with_its_numbers_open(
    tmp_path: Path, damage: str
) -> None:
    file = older_study(tmp_path / "study") / "images" / IMAGE_ID / "stored.npy"
    data = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(data[:40] if damage == "cut short" else b"PK" + data[2:])
    study = Study.open(tmp_path / "study")
    with study.database.read() as rows:
        assert rows.get_one(Image, IMAGE_ID).dtype is None
    study.close()


def test_the_same_pixels_may_be_another_picture_and_the_same_picture_only_once(
    tmp_path: Path,
) -> None:
    study = Study.open(older_study(tmp_path / "study"))
    image = _table(study)
    same = {"dtype": "int16"}
    others = [{"photometric": "MONOCHROME1"}, {"columns": 2}, {"dtype": "uint16"},
              {"source_group": "another patient"}, {"frames": 2}]  # fmt: skip
    with study.database.engine.begin() as connection:
        for number, other in enumerate(others, 2):
            whole = row(image, 1, **(same | other)) | {"id": f"image-{number}"}
            connection.execute(image.insert(), whole)
    with pytest.raises(exc.IntegrityError), study.database.engine.begin() as connection:
        connection.execute(image.insert(), row(image, 1, **same) | {"id": "again"})
    study.close()


def test_the_first_schema_comes_back_with_its_rows(tmp_path: Path) -> None:
    study = Study.open(older_study(tmp_path / "study"))
    study.database.downgrade(FIRST_SCHEMA)
    assert "dtype" not in _table(study).columns
    study.database.upgrade()
    assert _counts(study) == {**dict.fromkeys(_counts(study), 1), "audit": 3}  # and two upgrades
    study.close()
