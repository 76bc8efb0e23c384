"""The readings of a study, ready for export: rows and gaze of one reading at a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.interchange.foreign_reading import IntArray
from devices.gaze.errors import GazeError
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.samples import Eye
from devices.gaze.stored import StoredGaze, points_of
from migrations.study.answers import Answered, answers_of
from migrations.study.case_sheets import told_of
from migrations.study.folder import Study
from migrations.study.names import Kind, names_of
from migrations.study.reader_attributes import attributes_of
from migrations.study.schema import (
    Annotation,
    Arm,
    Calibration,
    CaseImage,
    Fixation,
    GazeEvent,
    Image,
    Reader,
    Reading,
    Session,
    StudyCase,
    ViewEvent,
)
from migrations.study.stored_reading import StoredReading, stored_reading, validation_before

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ExportReading:
    """One reading with everything that belongs to it.

    Attributes
    ----------
    number
        Counts from 1 through the export.
    gaze
        Computed from the raw chunks; None if a view makes that impossible.
    screen
        In force when the reading began.
    answers
        Answers in force, also for readings from before forms existed.
    arm
        The key of the arm it was read in; "" for none.
    validation
        The last validation before the reading.
    """

    number: int
    reading: Reading
    session: Session
    reader: str
    case: str
    screen: ScreenGeometry
    gaze: StoredGaze | None
    fixations: tuple[Fixation, ...]
    events: tuple[GazeEvent, ...]
    views: tuple[ViewEvent, ...]
    annotations: tuple[Annotation, ...]
    answers: tuple[Answered, ...]
    arm: str
    validation: Calibration | None

    @property
    def reading_id(self) -> str:
        """Id of its row."""
        return self.reading.id

    @property
    def lacks(self) -> tuple[str, ...]:
        """What the source of imported gaze does not provide."""
        return tuple(self.reading.details.get("imported", {}).get("lacks", ()))

    def image_ids(self) -> list[str]:
        """Return the image each sample fell on, "" for none: N of them."""
        return [] if self.gaze is None else self.gaze.image_id.tolist()

    def eye_screen(self, eye: Eye) -> FloatArray:
        """Return the gaze of an eye, (N, 2), in `_screen`, NaN where lost."""
        return np.empty((0, 2)) if self.gaze is None else self.gaze.eye_screen(eye)

    def times_us(self) -> IntArray:
        """Return the times of the samples since the reading began, (N,)."""
        if self.gaze is None:
            return np.empty(0, np.int64)
        return self.gaze.time_us - self.reading.started_us


@dataclass(frozen=True, slots=True)
class ExportCase:
    """A case with its images by tile, and its sheet without free text.

    Attributes
    ----------
    sheet
        Coarse classes by part; for `question` and `priors`, whether there is any.
    """

    case_id: str
    name: str
    practice: bool
    images: tuple[tuple[int, str], ...]
    sheet: Mapping[str, str | bool]


@dataclass(frozen=True, slots=True)
class Content:
    """What is exported from a study: finished readings, except practice.

    `names` has the names of images, cases and readings, by id. `damage` collects what could not be
    read, as readings are read.
    """

    study: Study
    reading_ids: tuple[str, ...]
    images: dict[str, Image]
    names: Mapping[str, str]
    damage: list[str] = field(default_factory=list)

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
            kinds: tuple[Kind, ...] = ("image", "case", "reading")
            names = {i: name for kind in kinds for i, name in names_of(session, kind).items()}
        return cls(study, ids, {image.id: image for image in images}, names)

    def readings(self, progress: Progress = lambda done, total: None) -> Iterator[ExportReading]:
        """Yield one reading after another; `progress` is called with the number done."""
        for number, reading_id in enumerate(self.reading_ids, 1):
            yield self._load(number, reading_id)
            progress(number, len(self.reading_ids))

    def readers(self) -> dict[str, dict[str, str]]:
        """Return what these readers said about themselves, by pseudonym."""
        query = select(Reader.pseudonym, Reader.details, Reading.id).join(
            Reading, Reading.reader_id == Reader.id
        )
        wanted = set(self.reading_ids)
        with self.study.database.read() as session:
            rows = session.execute(query.order_by(Reader.pseudonym))
            return {name: attributes_of(said) for name, said, id_ in rows if id_ in wanted}

    def cases(self) -> list[ExportCase]:
        """Return the cases of the study in their order."""
        hung: dict[str, list[tuple[int, str]]] = {}
        with self.study.database.read() as session:
            tiles = select(CaseImage.case_id, CaseImage.tile, CaseImage.image_id)
            for case_id, tile, image_id in session.execute(tiles.order_by(CaseImage.tile)):
                hung.setdefault(case_id, []).append((tile, image_id))
            query = select(StudyCase.id, StudyCase.practice, StudyCase.sheet)
            return [
                ExportCase(case_id, self.names[case_id], practice, tuple(hung.get(case_id, ())),
                           told_of(sheet or {}))
                for case_id, practice, sheet in session.execute(
                    query.order_by(StudyCase.position, StudyCase.id))
            ]  # fmt: skip

    def sha256(self, image_id: str | None) -> str:
        """Return the hash of an image's pixels, "" for none."""
        image = self.images.get(image_id or "")
        return image.sha256 if image else ""

    def _load(self, number: int, reading_id: str) -> ExportReading:
        with self.study.database.read() as rows:
            stored = stored_reading(rows, reading_id)
        gaze = self._gaze(stored)
        with self.study.database.read() as rows:
            reading = rows.get_one(Reading, reading_id)
            found = ExportReading(
                number, reading,
                rows.get_one(Session, reading.session_id),
                rows.get_one(Reader, reading.reader_id).pseudonym,
                self.names[reading.case_id],
                ScreenGeometry.from_dict(dict(stored.screens[0].fields)),
                gaze,
                _of(rows, Fixation, reading_id, Fixation.start_us),
                _of(rows, GazeEvent, reading_id, GazeEvent.start_us),
                _of(rows, ViewEvent, reading_id, ViewEvent.time_us),
                _of(rows, Annotation, reading_id, Annotation.time_us),
                tuple(answers_of(rows, reading_id)),
                _arm(rows, reading),
                validation_before(rows, reading),
            )  # fmt: skip
            rows.expunge_all()
        return found

    def _gaze(self, stored: StoredReading) -> StoredGaze | None:
        """Return the gaze of a reading, and note any damage."""
        called = f"reading {self.names[stored.reading_id]} ({stored.reading_id})"
        try:
            gaze = points_of(stored)
        except (GazeError, ZeroDivisionError) as error:
            self.damage.append(f"{called}: all of its gaze is lost: {error or 'an empty view'}.")
            return None
        self.damage.extend(f"{called}: {chunk}" for chunk in gaze.damaged)
        return gaze


def _arm(session: OrmSession, reading: Reading) -> str:
    return session.get_one(Arm, reading.arm_id).key if reading.arm_id else ""


def _of(session: OrmSession, table: Any, reading_id: str, order: Any) -> tuple[Any, ...]:
    query = select(table).where(table.reading_id == reading_id).order_by(order, table.id)
    return tuple(session.scalars(query))
