"""Revision 0006: a study of 0.1.0 gets the tables of edits and receipts, and keeps every row."""

from pathlib import Path

from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.schema import Edit, Image, Reading, Receipt
from tests.migrations.older_study import FIRST_SCHEMA, older_study


def test_a_study_of_0_1_0_keeps_its_rows_and_has_no_edits(tmp_path: Path) -> None:
    study = Study.open(older_study(tmp_path / "study"))
    with study.database.read() as rows:
        assert len(rows.scalars(select(Reading.id)).all()) == 1
        assert rows.scalars(select(Edit.id)).all() == rows.scalars(select(Receipt.id)).all() == []
    assert study.database.check() == []
    study.database.downgrade(FIRST_SCHEMA)
    study.database.upgrade()
    with study.database.read() as rows:
        assert len(rows.scalars(select(Image.id)).all()) == 1
    study.close()
