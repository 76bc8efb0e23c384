"""A server that dies in the middle of a push, at each of its steps, loses and doubles nothing."""

import signal

import pytest
from sqlalchemy import select

from migrations.study.database import Database
from migrations.study.errors import ServerUnreachable
from migrations.study.folder import Study
from migrations.study.schema import Fixation, GazeChunk, Reading, ViewEvent
from migrations.study.sync import sitting
from migrations.study.sync.push import pending, push
from tests.app.interchange.readings import add_readings
from tests.postgres import Cluster


def test_a_server_that_crashes_with_rows_on_the_way_and_starts_again(
    study: Study, server: Database, running: Cluster, monkeypatch
) -> None:
    add_readings(study, ("R-01", "R-02"))
    whole, died = sitting.add_rows, []
    calls = iter([True, False] * 10)

    def dies(session, batches) -> None:
        whole(session, batches)
        if next(calls, False):  # before the commit, each time a step is done for the first time
            died.append(True)
            running.stop(signal.SIGQUIT)
            running.start()

    monkeypatch.setattr(sitting, "add_rows", dies)
    for _ in range(30):
        try:
            push(study.database, server)
            break
        except ServerUnreachable:
            continue
    else:
        pytest.fail("it never came to an end")
    assert len(died) >= 3
    assert pending(study.database, server) == 0
    for table in (Reading, GazeChunk, Fixation, ViewEvent):
        with study.database.read() as mine, server.read() as theirs:
            ids = [s.scalars(select(table.id).order_by(table.id)).all() for s in (mine, theirs)]
        assert ids[0] == ids[1]
