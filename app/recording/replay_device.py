"""A recorded session of a study as a live device."""

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from devices.errors import TrackerNotFound
from devices.gaze.stored import samples_of
from devices.replay import ReplayTracker
from migrations.study.folder import Study
from migrations.study.names import Names, names_of
from migrations.study.schema import GazeChunk, Reading, Recording

PREFIX = "replay:"


def replay_tracker(study: Study, tracker_id: str) -> ReplayTracker:
    """Return the tracker that replays a session's gaze, not yet connected.

    Parameters
    ----------
    study
        The study with the session.
    tracker_id
        "replay:" and the name or id of the session or of one of its readings, or enough of it to be
        unique.

    Raises
    ------
    TrackerNotFound
        If no session, or more than one, is meant.
    """
    start = tracker_id.removeprefix(PREFIX)
    with study.database.read() as rows:
        session_id = _session_meant(rows, start)
        query = (
            select(GazeChunk)
            .join(Recording, Recording.id == GazeChunk.recording_id)
            .where(Recording.session_id == session_id)
            .order_by(GazeChunk.first_us)
        )
        return ReplayTracker(samples_of(rows.scalars(query)), session_id)


def _session_meant(rows: OrmSession, start: str) -> str:
    """Return the only session with gaze that is meant, by itself or by one of its readings."""
    recorded = select(Recording.session_id).where(Recording.id.in_(select(GazeChunk.recording_id)))
    sessions = Names(rows.scalars(recorded), "session")
    readings = names_of(rows, "reading").matching(start)
    read = rows.scalars(select(Reading.session_id).where(Reading.id.in_(readings)))
    found = {*(sessions.matching(start) if start else sessions), *(set(read) & set(sessions))}
    if len(found) != 1:
        raise TrackerNotFound(_not_one(start, len(found)))
    return str(found.pop())


def _not_one(start: str, count: int) -> str:
    what = "No session with gaze" if count == 0 else f"{count} sessions with gaze"
    return (
        f"{what} of this study, or of its readings, begins with {start!r}. Give the name of a "
        "reading (see Review), or more of it."
    )
