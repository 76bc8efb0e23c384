"""The gaze of a stored reading, in tests."""

from devices.gaze.stored import StoredGaze, points_of
from migrations.study.database import Database
from migrations.study.stored_reading import stored_reading


def gaze_of(database: Database, reading_id: str) -> StoredGaze:
    """Return the gaze of a stored reading."""
    with database.read() as rows:
        return points_of(stored_reading(rows, reading_id))
