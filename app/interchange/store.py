"""Write foreign readings into the tables that a station writes; later steps see no difference.

One session for each reader and screen of an import; a reading is written completely or not at all,
and never twice.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session as OrmSession

from app.interchange.foreign_reading import SourceReading
from app.interchange.foreign_rows import (
    PAUSE_US,
    Sitting,
    annotation_row,
    session_row,
    source_fixations,
    write_chunks,
)
from app.interchange.matching import MatchedImage
from app.interchange.notes import Note, note
from app.interchange.same_reading import check_frames, digest_of, laid_of, moments_of, runs_of
from app.interchange.stored_gaze import PlacedReading, placed
from app.recording.stored_figures import event_rows, stored_figures
from app.recording.verdict import columns
from devices.gaze.errors import GazeFileError
from devices.gaze.fixations import FilterParameters
from devices.gaze.rating import imported_verdict
from devices.gaze.stored import points_of
from migrations.study.audit import add_audit
from migrations.study.folder import Study
from migrations.study.schema import (
    Annotation,
    Fixation,
    GazeEvent,
    Reader,
    Reading,
    Recording,
    Session,
    ViewEvent,
    new_id,
    utc_now,
)
from migrations.study.stored_reading import stored_reading
from migrations.study.tombstones import Tombstones

LAID_OTHERWISE = (
    "the same gaze is in the study already, but with another screen, image position or frames: "
    "erase the wrong import (db erase --reader), or import this one as another --reader"
)


@dataclass(frozen=True, slots=True)
class ImportedReading:
    """The result for a foreign reading.

    Attributes
    ----------
    status
        "accepted" or "known" (the same reading is in the study).
    clamped, lost, off_image
        Samples moved to the border, without gaze, and with gaze outside the image.
    notes
        What was inferred about it.
    """

    status: str
    reading_id: str
    image_id: str
    samples: int = 0
    fixations: int = 0
    lost: int = 0
    off_image: int = 0
    clamped: int = 0
    notes: tuple[Note, ...] = ()


@dataclass(slots=True)
class ReadingStore:
    """Writes the readings of one import.

    Parameters
    ----------
    format_name
        Stored in every row of this import.
    """

    study: Study
    format_name: str
    _known: dict[str, str] = field(default_factory=dict)
    _laid: dict[str, str] = field(default_factory=dict)
    _moments: set[str] = field(default_factory=set)
    _erased: dict[str, bool] = field(default_factory=dict)
    _sittings: dict[tuple[str, str], Sitting] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study, format_name: str) -> "ReadingStore":
        """Return a store that knows what was imported before."""
        store = cls(study, format_name)
        with study.database.read() as session:
            for reading_id, details in session.execute(select(Reading.id, Reading.details)):
                imported = (details or {}).get("imported", {})
                store._learn(reading_id, imported.get("digest"), imported.get("own_id"))
                store._laid[reading_id] = imported.get("laid", "")
                store._moments.add(imported.get("moments", ""))
                store._known[f"id {reading_id}"] = reading_id
        return store

    def _learn(self, reading_id: str, digest: str | None, own_id: str | None) -> None:
        if digest:
            self._known[digest] = reading_id
        if own_id:
            self._known[own_id] = reading_id

    def _known_as(self, reading: SourceReading, digest: str, own_id: str) -> str | None:
        """Return the reading of the study that this one is; our own exports contain its id."""
        found = (digest, own_id, f"id {reading.own_id}")
        return next((self._known[key] for key in found if key in self._known), None)

    def add(self, reading: SourceReading, image: MatchedImage, reader: str) -> ImportedReading:
        """Write one reading of an image.

        Parameters
        ----------
        reader
            Pseudonym of the reader.
        """
        if self._is_erased(reader):
            raise GazeFileError(f"reader {reader} was erased from this study on request")
        check_frames(reading, image)
        digest = digest_of(reading, image, reader)
        own_id = f"{reading.own_id} {image.sha256}" if reading.own_id else ""
        known = self._known_as(reading, digest, own_id)
        laid = laid_of(reading, image)
        if known is not None:
            if known == self._known.get(digest) and self._laid.get(known) not in (None, "", laid):
                raise GazeFileError(LAID_OTHERWISE)
            return ImportedReading("known", known, image.image_id)
        reading_id = new_id()
        moments = moments_of(reading, image, reader)
        known_by = {"digest": digest, "laid": laid, "moments": moments}
        known_by |= {"own_id": own_id} if own_id else {}
        open_before = {key: sitting.sequence for key, sitting in self._sittings.items()}
        try:
            with self.study.database.write() as session:
                sitting = self._sitting(session, reading, reader)
                made = placed(reading, image.image_id, image.width, image.height, sitting.next_us)
                self._write(session, sitting, reading_id, reading, made, image, known_by)
                result = self._finish(session, reading_id, reading, made, image)
        except BaseException:
            self._forget(open_before)
            raise
        sitting.next_us = made.ended_us + PAUSE_US
        self._learn(reading_id, digest, own_id)
        self._laid[reading_id] = laid
        if moments and moments in self._moments:
            result = replace(result, notes=(*result.notes, note("same-times")))
        self._moments.add(moments)
        return result

    def _forget(self, open_before: dict[tuple[str, str], int]) -> None:
        """Undo what existed only in the transaction that failed."""
        self._sittings = {key: self._sittings[key] for key in open_before}
        for key, sequence in open_before.items():
            self._sittings[key].sequence = sequence

    def _is_erased(self, reader: str) -> bool:
        if reader not in self._erased:
            with self.study.database.read() as session:
                self._erased[reader] = Tombstones.of(session).bars_name(reader)
        return self._erased[reader]

    def close(self) -> None:
        """Close the recordings and sessions of this import."""
        with self.study.database.write() as session:
            for sitting in self._sittings.values():
                recording = session.get_one(Recording, sitting.recording_id)
                recording.state, recording.ended_us = "closed", sitting.next_us
                session.get_one(Session, sitting.session_id).ended_utc = utc_now()
                told = {"format": self.format_name}
                add_audit(session, "gaze imported", sitting.session_id, told)

    def _sitting(self, session: OrmSession, reading: SourceReading, reader: str) -> Sitting:
        screen = json.dumps(reading.screen.as_dict()) if reading.screen else ""
        key = (reader, f"{screen} {','.join(reading.lacks)}")
        if key not in self._sittings:
            self._sittings[key] = self._open(session, reading, reader)
        return self._sittings[key]

    def _open(self, session: OrmSession, reading: SourceReading, reader: str) -> Sitting:
        row = session.scalar(select(Reader).where(Reader.pseudonym == reader))
        if row is None:
            row = Reader(id=new_id(), pseudonym=reader, details={"imported": True})
            session.add(row)
            session.flush()
        sitting = Sitting(new_id(), row.id, new_id())
        session.add(session_row(sitting, reading, self.format_name))
        session.flush()
        session.add(Recording(id=sitting.recording_id, session_id=sitting.session_id, started_us=0))
        session.flush()
        return sitting

    def _write(
        self,
        session: OrmSession,
        sitting: Sitting,
        reading_id: str,
        reading: SourceReading,
        made: PlacedReading,
        image: MatchedImage,
        known_by: dict[str, str],
    ) -> None:
        imported = {
            "format": self.format_name,
            "lacks": list(reading.lacks),
            **known_by,
            "source_zero_us": made.source_zero_us,
            "clamped": runs_of(made.clamped),
            **({"source": reading.details} if reading.details else {}),
        }
        session.add(
            Reading(
                id=reading_id,
                session_id=sitting.session_id,
                case_id=image.case_id,
                reader_id=sitting.reader_id,
                state="finished",
                started_us=made.started_us,
                ended_us=made.ended_us,
                details={"eye": "both", "imported": imported},
            )
        )
        session.flush()
        views = [
            {**view.as_row(), "id": new_id(), "reading_id": reading_id,
             "screen": made.screen.as_dict() if k == 0 else None}
            for k, view in enumerate(made.views)
        ]  # fmt: skip
        if views:
            session.execute(insert(ViewEvent), views)
        write_chunks(session, sitting, made.samples)
        marks = [
            annotation_row(mark, reading_id, image.image_id, made) for mark in reading.annotations
        ]
        if marks:
            session.execute(insert(Annotation), marks)

    def _finish(
        self,
        session: OrmSession,
        reading_id: str,
        reading: SourceReading,
        made: PlacedReading,
        image: MatchedImage,
    ) -> ImportedReading:
        """Write fixations and figures: the gaze is computed like that of any reading."""
        gaze = points_of(stored_reading(session, reading_id))
        rows = source_fixations(reading, made, image) if reading.fixations else []
        events: list[dict[str, Any]] = []
        if reading.fixations is None and reading.time_us is not None:
            rows, events = event_rows(reading_id, gaze, FilterParameters())
        # A source may have its own reasons to leave samples out: none counts as missing.
        figures = stored_figures(gaze, len(rows), made.started_us, made.ended_us, open_us=0)
        clamped_count = int(made.clamped.sum())
        verdict = imported_verdict(figures.loss, figures.off_image, clamped_count, reading.lacks)
        off_count = int((gaze.has_gaze & (gaze.view_index < 0)).sum())
        seen_count = int(gaze.has_gaze.sum())
        notes = reading.notes
        if seen_count and off_count == seen_count:
            notes = (*notes, note("all-off-image"))
        row = session.get_one(Reading, reading_id)
        if notes:
            row.details = {**row.details, "notes": [asdict(each) for each in notes]}
        for name, value in columns(figures, verdict).items():
            setattr(row, name, value)
        row.lost_count = 0  # a source may have its own reasons to leave samples out
        session.get_one(Recording, _recording_of(session, row)).sample_count += len(gaze)
        if rows:
            session.execute(insert(Fixation), [{**r, "reading_id": reading_id} for r in rows])
        if events:
            session.execute(insert(GazeEvent), events)
        return ImportedReading(
            "accepted", reading_id, image.image_id, len(gaze), len(rows),
            int((~gaze.has_gaze).sum()), off_count, clamped_count, notes,
        )  # fmt: skip


def _recording_of(session: OrmSession, reading: Reading) -> str:
    query = select(Recording.id).where(Recording.session_id == reading.session_id)
    return str(session.scalars(query).one())
