"""What a push costs: with nothing new a handful of statements, whatever the study's size."""

from sqlalchemy import event, text

from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.sync.push import push
from tests.app.interchange.readings import add_readings


def _statements(study: Study, server_url: str) -> int:
    """Return how many statements a push of its own process sends."""
    line, told = Database(server_url), []
    event.listen(line.engine, "before_cursor_execute", lambda *said: told.append(said[2]))
    line.upgrade()
    push(study.database, line)
    line.close()
    return len(told)


def test_nothing_new_costs_the_same_few_statements_of_any_study(
    study: Study, server: Database, server_url: str
) -> None:
    add_readings(study, ("R-01",))
    push(study.database, server)
    few = _statements(study, server_url)
    add_readings(study, [f"R-{k:02d}" for k in range(2, 9)])
    assert push(study.database, server).readings == 14
    assert _statements(study, server_url) == few <= 6


def test_rows_that_vanished_on_the_server_come_back_when_all_is_compared(
    study: Study, server: Database
) -> None:
    add_readings(study, ("R-01",))
    push(study.database, server)
    with server.write() as session:
        session.execute(text("DELETE FROM fixation"))
    assert push(study.database, server).known == 1
    push(study.database, server, compare=True)
    with server.read() as session:
        assert session.scalar(text("SELECT count(*) FROM fixation")) > 0
