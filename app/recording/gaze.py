"""A stored reading's gaze, computed again from its raw chunks and its view history."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session as OrmSession

from app.errors import SessionError
from devices.gaze.chunks import decode_chunk, join_chunks
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.mapping import MappedGaze, ScreenHistory, map_samples
from devices.gaze.samples import Eye, SampleArray
from devices.gaze.steady import SteadyGaze, correction_of
from devices.gaze.view import TileView, ViewHistory
from migrations.study.database import Database
from migrations.study.reading_rows import chunks_of, view_rows_of
from migrations.study.schema import Reading
from migrations.study.schema import Session as SessionRow


@dataclass(frozen=True, slots=True)
class ReadingGaze:
    """The gaze of one reading.

    Attributes
    ----------
    samples
        Shape (N,), raw, in order of host time.
    time_us
        Shape (N,), host clock.
    points_norm, points_deg, points_image
        Shape (N, 2); NaN without gaze, in image frame also off every image.
    view_index
        Shape (N,), index into `views.views` of the view each sample fell on, -1 for none.
    views
        What was shown.
    eye
        Which eye the point of gaze is taken from.
    """

    reading_id: str
    samples: SampleArray
    time_us: NDArray[np.int64]
    points_norm: FloatArray
    points_deg: FloatArray
    points_image: FloatArray
    view_index: NDArray[np.int64]
    views: ViewHistory
    eye: Eye

    @property
    def mapped(self) -> MappedGaze:
        """The same as recorded live."""
        return MappedGaze(
            self.time_us, self.points_norm, self.points_deg, self.points_image, self.view_index
        )


def reading_gaze(database: Database, reading_id: str) -> ReadingGaze:
    """Compute a reading's gaze from what was recorded.

    Raises
    ------
    SessionError
        If there is no such reading.
    ChunkError
        If a chunk is damaged.
    """
    with database.read() as session:
        reading = session.get(Reading, reading_id)
        if reading is None:
            raise SessionError(f"There is no reading {reading_id} in {database.name}.")
        samples = samples_of(session, reading)
        screens, views = _shown(session, reading)
        eye, correction = eye_of(reading), correction_of(reading.details)
    gaze = map_samples(samples, screens, views, SteadyGaze(eye, correction))
    return ReadingGaze(
        reading_id,
        samples,
        gaze.time_us,
        gaze.points_norm,
        gaze.points_deg,
        gaze.points_image,
        gaze.view_index,
        views,
        eye,
    )


def samples_of(session: OrmSession, reading: Reading) -> SampleArray:
    """Return the raw samples of a reading, (N,): from its start up to, not at, its end."""
    samples = join_chunks(
        decode_chunk(chunk.blob, chunk.count, chunk.crc32, chunk.codec_version)
        for chunk in chunks_of(session, reading)
    )
    own = samples["host_us"] >= reading.started_us
    if reading.ended_us is not None:
        own &= samples["host_us"] < reading.ended_us
    return samples[own]


def eye_of(reading: Reading) -> Eye:
    """Return which eye a reading's point of gaze is taken from."""
    eye = reading.details.get("eye", "both")
    return "left" if eye == "left" else "right" if eye == "right" else "both"


def screens_and_views(
    session: OrmSession, reading: Reading
) -> tuple[ScreenGeometry, list[tuple[TileView, ScreenGeometry | None]]]:
    """Return the screen at the start of a reading, and its views with each change of screen."""
    sitting = session.get_one(SessionRow, reading.session_id)
    rows: list[Any] = list(view_rows_of(session, reading.id))
    views = [
        (TileView.from_row(row), ScreenGeometry.from_dict(row["screen"]) if row["screen"] else None)
        for row in rows
    ]
    first = next((screen for _, screen in views if screen), None)
    return first or ScreenGeometry.from_dict(sitting.screen), views


def _shown(session: OrmSession, reading: Reading) -> tuple[ScreenHistory, ViewHistory]:
    first, shown = screens_and_views(session, reading)
    screens = ScreenHistory(first)
    for view, screen in shown:
        if screen is not None:
            screens.add(view.time_us, screen)
    return screens, ViewHistory(view for view, _ in shown)
