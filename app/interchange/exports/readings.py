"""The readings of a study, ready to leave it: rows and gaze of one reading at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.interchange.foreign_reading import IntArray
from app.recording.gaze import ReadingGaze, reading_gaze
from devices.gaze.errors import GazeError
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.samples import gaze_norm
from migrations.study.folder import Study
from migrations.study.schema import (
    Annotation,
    Calibration,
    Fixation,
    Image,
    Reader,
    Reading,
    Session,
    StudyCase,
    ViewEvent,
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ExportReading:
    """One reading with everything that belongs to it.

    Attributes
    ----------
    number
        Counts from 1 over the export.
    gaze
        Computed from the raw chunks; None if they cannot be read.
    screen
        In force when the reading began.
    validation
        The last one before the reading.
    """

    number: int
    reading: Reading
    session: Session
    reader: str
    case: str
    screen: ScreenGeometry
    gaze: ReadingGaze | None
    fixations: tuple[Fixation, ...]
    views: tuple[ViewEvent, ...]
    annotations: tuple[Annotation, ...]
    validation: Calibration | None

    @property
    def reading_id(self) -> str:
        """Id of its row."""
        return self.reading.id

    @property
    def lacks(self) -> tuple[str, ...]:
        """What the source of imported gaze does not say."""
        return tuple(self.reading.details.get("imported", {}).get("lacks", ()))

    def image_ids(self) -> list[str]:
        """Return the image each sample fell on, "" for none: N of them."""
        if self.gaze is None:
            return []
        names = [view.image_id for view in self.gaze.views.views] + [""]
        return [names[index] for index in self.gaze.view_index]

    def eye_screen(self, eye: str) -> FloatArray:
        """Return the gaze of an eye, (N, 2), in `_screen`, NaN where lost."""
        if self.gaze is None:
            return np.empty((0, 2))
        which: Any = eye
        return self.screen.norm_to_screen(gaze_norm(self.gaze.samples, which))

    def times_us(self) -> IntArray:
        """Return the times of the samples since the reading began, (N,)."""
        if self.gaze is None:
            return np.empty(0, np.int64)
        return self.gaze.time_us - self.reading.started_us


@dataclass(frozen=True, slots=True)
class Content:
    """What of a study is exported: finished readings, unless practice."""

    study: Study
    reading_ids: tuple[str, ...]
    images: dict[str, Image]

    @classmethod
    def of(cls, study: Study, *, practice: bool = False) -> "Content":
        """Return the content of a study, readings in order of time."""
        query = select(Reading.id).where(Reading.state == "finished").order_by(Reading.id)
        if not practice:
            query = query.where(Reading.practice.is_(False))
        with study.database.read() as session:
            ids = tuple(session.scalars(query))
            images = session.scalars(select(Image).order_by(Image.import_number)).all()
            session.expunge_all()
        return cls(study, ids, {image.id: image for image in images})

    def readings(self, progress: Progress = lambda done, total: None) -> Iterator[ExportReading]:
        """Yield one reading after another; `progress` is told how many are done."""
        for number, reading_id in enumerate(self.reading_ids, 1):
            yield self._load(number, reading_id)
            progress(number, len(self.reading_ids))

    def sha256(self, image_id: str | None) -> str:
        """Return the hash of an image's pixels, "" for none."""
        image = self.images.get(image_id or "")
        return image.sha256 if image else ""

    def _load(self, number: int, reading_id: str) -> ExportReading:
        try:
            gaze = reading_gaze(self.study.database, reading_id)
        except (GazeError, ZeroDivisionError):
            gaze = None
        with self.study.database.read() as session:
            reading = session.get_one(Reading, reading_id)
            sitting = session.get_one(Session, reading.session_id)
            views = _of(session, ViewEvent, reading_id, ViewEvent.time_us)
            first = next((v.screen for v in views if v.screen), None) or sitting.screen
            found = ExportReading(
                number, reading, sitting,
                session.get_one(Reader, reading.reader_id).pseudonym,
                session.get_one(StudyCase, reading.case_id).name,
                ScreenGeometry.from_dict(first), gaze,
                _of(session, Fixation, reading_id, Fixation.start_us), views,
                _of(session, Annotation, reading_id, Annotation.time_us),
                _validation(session, reading),
            )  # fmt: skip
            session.expunge_all()
        return found


def _of(session: OrmSession, table: Any, reading_id: str, order: Any) -> tuple[Any, ...]:
    query = select(table).where(table.reading_id == reading_id).order_by(order, table.id)
    return tuple(session.scalars(query))


def _validation(session: OrmSession, reading: Reading) -> Calibration | None:
    query = (
        select(Calibration)
        .where(Calibration.session_id == reading.session_id, Calibration.kind == "validation")
        .where(Calibration.started_us <= reading.started_us)
        .order_by(Calibration.started_us.desc())
        .limit(1)
    )
    return session.scalars(query).first()
