"""One row the server refuses stops its session alone, by name and without people's values."""

import pytest
from sqlalchemy import select, text

from main import main
from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Fixation, Image, Reader, Reading, Session
from migrations.study.sync.push import push
from tests.app.interchange.readings import add_readings

BROKEN = [
    pytest.param("UPDATE annotation SET label = 'Quill' || char(0) || 'x' WHERE reading_id IN "
                 "(SELECT id FROM reading WHERE session_id = :id)", id="NUL"),
    pytest.param("UPDATE fixation SET frame = 3000000000 WHERE reading_id IN "
                 "(SELECT id FROM reading WHERE session_id = :id)", id="too large"),
    pytest.param("UPDATE session SET details = '{\"a\": NaN}' WHERE id = :id", id="NaN"),
]  # fmt: skip


@pytest.mark.parametrize("sql", BROKEN)
def test_a_session_with_a_refused_row_is_named_and_the_others_go(
    study: Study, server: Database, server_url: str, capsys, caplog, sql: str
) -> None:
    add_readings(study, ("R-01", "R-02", "R-03"))
    with study.database.write() as session:
        broken = session.scalars(select(Session.id).order_by(Session.id)).all()[1]
        session.execute(text(sql), {"id": broken})
    words = ["db", "push", "--study", str(study.folder), "--database", server_url]
    assert main(words) == 1
    said = capsys.readouterr()
    assert "4 readings" in said.out
    assert f"session {short_name(broken)}" in said.err
    assert "refuses a row" in said.err
    assert not [value for value in ("Quill", "R-02", "3000000000") if value in said.err + said.out]
    assert "Quill" not in caplog.text
    with server.read() as session:
        assert broken not in session.scalars(select(Reading.session_id)).all()
    assert main(words) == 1, "and again, until it is mended"
    with study.database.write() as session:
        session.execute(text("UPDATE annotation SET label = 'mass'"))
        session.execute(text("UPDATE fixation SET frame = 0"))
        session.execute(text("UPDATE session SET details = '{}'"))
    assert main(words) == 0
    assert "2 readings" in capsys.readouterr().out


def test_a_reader_or_an_image_that_is_refused_keeps_only_its_own_back(
    study: Study, server: Database
) -> None:
    add_readings(study, ("R-01", "R-02"))
    with study.database.write() as session:
        image = session.scalars(select(Image.id).order_by(Image.import_number)).first()
        session.execute(text("UPDATE image SET bits = 3000000000 WHERE id = :id"), {"id": image})
    with server.write() as session:
        session.execute(text("ALTER TABLE reader ADD CHECK (pseudonym <> 'R-02')"))
    report = push(study.database, server)
    assert report.readings == 1
    said = "\n".join(report.refused)
    assert f"image {short_name(image)}" in said
    assert "a reader" in said
    with server.read() as session:
        assert session.scalars(select(Reader.pseudonym)).all() == ["R-01"]
        assert image not in session.scalars(select(Image.id)).all()


def test_an_error_of_the_database_shows_no_values(study: Study, server: Database) -> None:
    add_readings(study, ("R-01",))
    for database in (study.database, server):
        with pytest.raises(Exception, match="pseudonym") as told, database.write() as session:
            session.add_all(Reader(pseudonym="Quill") for _ in range(2))
        assert "Quill" not in str(told.value)


def test_fixations_of_a_refused_reading_are_not_left_without_it(study, server) -> None:
    add_readings(study, ("R-01",))
    with study.database.write() as session:
        session.execute(text("UPDATE annotation SET kind = 'x' || char(0)"))
    assert push(study.database, server).refused
    with server.read() as session:
        assert session.scalars(select(Fixation.id)).all() == []
