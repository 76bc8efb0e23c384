"""The rows of one reading that its gaze is computed from; the rooms above decode them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.schema import GazeChunk, Reading, Recording, ViewEvent


def chunks_of(session: OrmSession, reading: Reading) -> Sequence[GazeChunk]:
    """Return, in order, the chunks of the reading's session that overlap its time.

    The first and last may reach beyond the reading: cut samples by
    ``started_us <= host_us < ended_us``. So ``ended_us`` is never the time of a sample of the
    reading: recovery sets it 1 us after the last one that was committed.
    """
    query = (
        select(GazeChunk)
        .join(Recording, Recording.id == GazeChunk.recording_id)
        .where(
            Recording.session_id == reading.session_id,
            GazeChunk.last_us >= reading.started_us,
        )
        .order_by(GazeChunk.first_us)
    )
    if reading.ended_us is not None:
        query = query.where(GazeChunk.first_us < reading.ended_us)
    return session.scalars(query).all()


def view_rows_of(session: OrmSession, reading_id: str) -> Sequence[RowMapping | dict[str, Any]]:
    """Return, in order of time, the view events of a reading as mappings by column name."""
    query = (
        select(ViewEvent.__table__)
        .where(ViewEvent.reading_id == reading_id)
        .order_by(ViewEvent.time_us, ViewEvent.id)
    )
    return session.execute(query).mappings().all()
