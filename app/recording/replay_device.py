"""A recorded session of a study as a live device."""

from sqlalchemy import select

from devices.errors import TrackerNotFound
from devices.gaze.stored import samples_of
from devices.replay import ReplayTracker
from migrations.study.folder import Study
from migrations.study.schema import GazeChunk, Recording

PREFIX = "replay:"


def replay_tracker(study: Study, tracker_id: str) -> ReplayTracker:
    """Return the tracker that replays a session's gaze, not yet connected.

    Parameters
    ----------
    study
        Which holds the session.
    tracker_id
        "replay:" and the first digits of the session's id, enough to tell it from others.

    Raises
    ------
    TrackerNotFound
        If no session, or more than one, has that id.
    """
    start = tracker_id.removeprefix(PREFIX)
    query = (
        select(GazeChunk, Recording.session_id)
        .join(Recording, Recording.id == GazeChunk.recording_id)
        .where(Recording.session_id.startswith(start, autoescape=True))
        .order_by(GazeChunk.first_us)
    )
    with study.database.read() as session:
        rows = session.execute(query).all()
        sessions = {session_id for _, session_id in rows}
        if len(sessions) != 1:
            raise TrackerNotFound(_not_one(start, len(sessions)))
    return ReplayTracker(samples_of(chunk for chunk, _ in rows), sessions.pop())


def _not_one(start: str, count: int) -> str:
    what = "No session with gaze" if count == 0 else f"{count} sessions with gaze"
    return f"{what} of this study begin with {start!r}; write more of the id (see the workspace)."
