"""Text of others is clean in every column, whatever writes it."""

import math

import pytest
from sqlalchemy import insert, select

from migrations.study.clean_text import LONGEST, as_json, clean, name_of, shown
from migrations.study.database import Database
from migrations.study.schema import Audit, Reader


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b", "ab"),
        ("\x1b[2J\x07x\x7f\x9b", "[2Jx"),
        ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"),
        ("user\u202eexe", "userexe"),
        ("half \ud800", "half "),
        ("Befund: größer, 大 👁", "Befund: größer, 大 👁"),
        ("x" * (LONGEST + 5), "x" * LONGEST),
    ],
)
def test_control_characters_go_and_what_is_read_stays(text: str, kept: str) -> None:
    assert clean(text) == kept


def test_a_name_is_one_line_and_what_is_shown_is_cut() -> None:
    assert name_of("  A\u0308\n b\0 ") == "Ä b"
    assert shown("y" * 1000) == "y" * 400 + "…"


def test_json_is_clean_too_and_for_a_server_without_nan() -> None:
    value = {"a\0": ["b\x1b", math.nan, 1.5, {"c": "\ud800ü"}], "n": None, "t": True}
    assert as_json(value) == '{"a": ["b", null, 1.5, {"c": "\\u00fc"}], "n": null, "t": true}'
    assert "NaN" in as_json({"x": math.nan}, keeps_nan=True)


def test_rows_and_what_they_are_asked_by_are_clean(tmp_path) -> None:
    database = Database.at(tmp_path / "foveate.sqlite")
    database.upgrade()
    with database.write() as session:
        session.add(Reader(pseudonym="R\0-1\x1b", details={"note": "x\0y"}))
        session.execute(insert(Reader), [{"pseudonym": "R-2\0", "details": {}}])
        session.add(Audit(station="s\0", action="noted", subject="", details={"a": [1.0, "\0"]}))
    with database.read() as session:
        names = session.scalars(select(Reader.pseudonym).order_by(Reader.pseudonym)).all()
        assert names == ["R-1", "R-2"]
        asked = session.scalars(select(Reader).where(Reader.pseudonym == "R-1\0")).one()
        assert asked.details == {"note": "xy"}
        assert session.scalars(select(Audit.details)).one() == {"a": [1.0, ""]}
    database.close()


def test_a_text_that_is_cut_is_told_with_its_field_and_without_a_word_of_it(
    tmp_path, caplog
) -> None:
    database = Database.at(tmp_path / "foveate.sqlite")
    database.upgrade()
    long = "quill" * LONGEST
    with database.write() as session:
        session.execute(insert(Reader), [{"pseudonym": long, "details": {"note": "\0" + long}}])
    database.close()
    assert [r.getMessage() for r in caplog.records] == [
        f"reader.pseudonym had {5 * LONGEST} characters: the first {LONGEST} were kept",
        f"a text of details.note had {5 * LONGEST + 1} characters: the first {LONGEST} were kept",
    ]
