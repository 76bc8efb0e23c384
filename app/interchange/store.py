"""Write foreign readings into the tables a station writes; what comes after sees no difference.

One session for each reader and screen of an import; a reading comes whole or not at all, and the
same reading does not come twice.
"""

import hashlib
import json
import platform
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session as OrmSession

from app.interchange.foreign_reading import SourceAnnotation, SourceFixations, SourceReading
from app.interchange.matching import MatchedImage
from app.interchange.notes import Note, note
from app.interchange.stored_gaze import (
    VIRTUAL_SIDE,
    PlacedReading,
    frames_of,
    image_points,
    placed,
    virtual_screen,
)
from app.recording.stored_figures import event_rows, stored_figures
from app.recording.verdict import columns
from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.errors import GazeFileError
from devices.gaze.fixations import FilterParameters
from devices.gaze.rating import imported_verdict
from devices.gaze.samples import SampleArray
from devices.gaze.stored import points_of
from migrations.study.audit import add_audit
from migrations.study.database import foveate_version
from migrations.study.folder import Study
from migrations.study.schema import (
    Annotation,
    Fixation,
    GazeChunk,
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

CHUNK_SAMPLES = 1000
_PAUSE_US = 1_000_000
LAID_OTHERWISE = (
    "the same gaze is in the study already, but by another screen, place of its image or frames: "
    "erase what came in wrongly (db erase --reader), or import it as another --reader"
)


@dataclass(frozen=True, slots=True)
class ImportedReading:
    """What became of a foreign reading.

    Attributes
    ----------
    status
        "accepted" or "known" (the same reading is in the study).
    clamped, lost, off_image
        Samples moved to the border, without gaze, and with gaze beside the image.
    notes
        What was inferred of it.
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
class _Sitting:
    session_id: str
    reader_id: str
    recording_id: str
    next_us: int = _PAUSE_US
    sequence: int = 0


@dataclass(slots=True)
class ReadingStore:
    """Writes the readings of one import.

    Parameters
    ----------
    format_name
        Named in every row that came this way.
    """

    study: Study
    format_name: str
    _known: dict[str, str] = field(default_factory=dict)
    _laid: dict[str, str] = field(default_factory=dict)
    _erased: dict[str, bool] = field(default_factory=dict)
    _sittings: dict[tuple[str, str], _Sitting] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study, format_name: str) -> "ReadingStore":
        """Return a store that knows what was imported before."""
        store = cls(study, format_name)
        with study.database.read() as session:
            for reading_id, details in session.execute(select(Reading.id, Reading.details)):
                imported = (details or {}).get("imported", {})
                store._learn(reading_id, imported.get("digest"), imported.get("own_id"))
                store._laid[reading_id] = imported.get("laid", "")
                store._known[f"id {reading_id}"] = reading_id
        return store

    def _learn(self, reading_id: str, digest: str | None, own_id: str | None) -> None:
        if digest:
            self._known[digest] = reading_id
        if own_id:
            self._known[own_id] = reading_id

    def _known_as(self, reading: SourceReading, digest: str, own_id: str) -> str | None:
        """Return the reading of the study that this one is; our own exports say its id."""
        found = (digest, own_id, f"id {reading.own_id}")
        return next((self._known[key] for key in found if key in self._known), None)

    def add(self, reading: SourceReading, image: MatchedImage, reader: str) -> ImportedReading:
        """Write one reading of an image.

        Parameters
        ----------
        reader
            Pseudonym of who read.
        """
        if self._is_erased(reader):
            raise GazeFileError(f"reader {reader} was erased from this study on request")
        _check_frames(reading, image)
        digest = _digest(reading, image, reader)
        own_id = f"{reading.own_id} {image.sha256}" if reading.own_id else ""
        known = self._known_as(reading, digest, own_id)
        laid = _laid(reading, image)
        if known is not None:
            if known == self._known.get(digest) and self._laid.get(known) not in (None, "", laid):
                raise GazeFileError(LAID_OTHERWISE)
            return ImportedReading("known", known, image.image_id)
        reading_id = new_id()
        open_before = {key: sitting.sequence for key, sitting in self._sittings.items()}
        try:
            with self.study.database.write() as session:
                sitting = self._sitting(session, reading, reader)
                made = placed(reading, image.image_id, image.width, image.height, sitting.next_us)
                self._write(session, sitting, reading_id, reading, made, image, digest)
                result = self._finish(session, reading_id, reading, made, image)
        except BaseException:
            self._forget(open_before)
            raise
        sitting.next_us = made.ended_us + _PAUSE_US
        self._learn(reading_id, digest, own_id)
        self._laid[reading_id] = laid
        return result

    def _forget(self, open_before: dict[tuple[str, str], int]) -> None:
        """Take back what was only in the transaction that failed."""
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

    def _sitting(self, session: OrmSession, reading: SourceReading, reader: str) -> _Sitting:
        screen = json.dumps(reading.screen.as_dict()) if reading.screen else ""
        key = (reader, f"{screen} {','.join(reading.lacks)}")
        if key not in self._sittings:
            self._sittings[key] = self._open(session, reading, reader)
        return self._sittings[key]

    def _open(self, session: OrmSession, reading: SourceReading, reader: str) -> _Sitting:
        row = session.scalar(select(Reader).where(Reader.pseudonym == reader))
        if row is None:
            row = Reader(id=new_id(), pseudonym=reader, details={"imported": True})
            session.add(row)
            session.flush()
        sitting = _Sitting(new_id(), row.id, new_id())
        session.add(_session_row(sitting, reading, self.format_name))
        session.flush()
        session.add(Recording(id=sitting.recording_id, session_id=sitting.session_id, started_us=0))
        session.flush()
        return sitting

    def _write(
        self,
        session: OrmSession,
        sitting: _Sitting,
        reading_id: str,
        reading: SourceReading,
        made: PlacedReading,
        image: MatchedImage,
        digest: str,
    ) -> None:
        imported = {
            "format": self.format_name,
            "lacks": list(reading.lacks),
            "digest": digest,
            "laid": _laid(reading, image),
            "source_zero_us": made.source_zero_us,
            "clamped": _runs(made.clamped),
            **({"source": reading.details} if reading.details else {}),
            **({"own_id": f"{reading.own_id} {image.sha256}"} if reading.own_id else {}),
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
        _write_chunks(session, sitting, made.samples)
        marks = [
            _annotation_row(mark, reading_id, image.image_id, made) for mark in reading.annotations
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
        """Write fixations and figures: the gaze is computed as that of any reading is."""
        gaze = points_of(stored_reading(session, reading_id))
        rows = _source_fixations(reading, made, image) if reading.fixations else []
        events: list[dict[str, Any]] = []
        if reading.fixations is None and reading.time_us is not None:
            rows, events = event_rows(reading_id, gaze, FilterParameters())
        # A source may leave samples out for reasons of its own: none is missed.
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
        row.lost_count = 0  # a source may leave samples out for reasons of its own
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


def _session_row(sitting: _Sitting, reading: SourceReading, format_name: str) -> Session:
    screen = reading.screen or virtual_screen(VIRTUAL_SIDE / 2)
    return Session(
        id=sitting.session_id,
        reader_id=sitting.reader_id,
        station=platform.node(),
        software_version=foveate_version(),
        started_utc=utc_now(),
        zero_utc=utc_now(),
        tracker_id=f"imported:{format_name}",
        tracker_kind="imported",
        tracker_model="",
        tracker_serial="",
        screen=screen.as_dict(),
        screen_width_mm=screen.width_mm,
        screen_height_mm=screen.height_mm,
        refresh_hz=screen.refresh_hz,
        distance_mm=screen.distance_mm,
        distance_source=screen.distance_source,
        case_order=[],
        details={"imported": {"format": format_name, "lacks": list(reading.lacks)}},
    )


def _write_chunks(session: OrmSession, sitting: _Sitting, samples: SampleArray) -> None:
    rows = []
    for first in range(0, len(samples), CHUNK_SAMPLES):
        part = samples[first : first + CHUNK_SAMPLES]
        blob = encode_chunk(part)
        rows.append(
            {
                "id": new_id(),
                "recording_id": sitting.recording_id,
                "sequence": sitting.sequence,
                "first_us": int(part["host_us"][0]),
                "last_us": int(part["host_us"][-1]),
                "count": len(part),
                "codec_version": CODEC_VERSION,
                "crc32": zlib.crc32(blob),
                "blob": blob,
            }
        )
        sitting.sequence += 1
    if rows:
        session.execute(insert(GazeChunk), rows)


def _annotation_row(
    mark: SourceAnnotation, reading_id: str, image_id: str, made: PlacedReading
) -> dict[str, Any]:
    p = made.placements[0]
    scale_x, scale_y = (mark.scale or p.scale_x), (mark.scale or p.scale_y)
    return {
        "id": new_id(),
        "reading_id": reading_id,
        "image_id": image_id,
        "time_us": made.ended_us - 1,
        "kind": mark.kind,
        "label": mark.label,
        "x_image": None if mark.x_canvas is None else (mark.x_canvas - p.x_canvas) / scale_x,
        "y_image": None if mark.y_canvas is None else (mark.y_canvas - p.y_canvas) / scale_y,
        "width_image": None if mark.width_canvas is None else mark.width_canvas / scale_x,
        "height_image": None if mark.height_canvas is None else mark.height_canvas / scale_y,
        "details": {"imported": True},
    }


def _source_fixations(
    reading: SourceReading, made: PlacedReading, image: MatchedImage
) -> list[dict[str, Any]]:
    found = reading.fixations
    assert found is not None
    points = image_points(found, image.width, image.height)
    norm = made.screen.screen_to_norm(made.to_screen(found.points_canvas))
    deg = made.screen.norm_to_deg(norm)
    frames = frames_of(found, image.width, image.height)
    rows = []
    for k in range(len(points)):
        if not np.isfinite(deg[k]).all():
            continue
        on = bool(np.isfinite(points[k]).all())
        start_us = int(found.start_us[k]) - (made.source_zero_us or 0)
        rows.append(
            {
                "id": new_id(),
                "image_id": image.image_id if on else None,
                "frame": int(frames[k]),
                "start_us": start_us,
                "duration_us": int(found.duration_us[k]),
                "x_image": float(points[k, 0]) if on else None,
                "y_image": float(points[k, 1]) if on else None,
                "x_deg": float(deg[k, 0]),
                "y_deg": float(deg[k, 1]),
                "dispersion_deg": 0.0,
                "sample_count": _samples_within(made, start_us, int(found.duration_us[k])),
                "spans_view_change": False,
                "algorithm": "source",
                "parameters_hash": "",
            }
        )
    return rows


def _samples_within(made: PlacedReading, start_us: int, duration_us: int) -> int:
    host_us = made.samples["host_us"]
    return int(((host_us >= start_us) & (host_us <= start_us + duration_us)).sum())


def _check_frames(reading: SourceReading, image: MatchedImage) -> None:
    places = [reading.place] + ([reading.fixations.place] if reading.fixations else [])
    frames = [p.frame for place in places for p in place(image.width, image.height)]
    if frames and not 0 <= min(frames) <= max(frames) < image.frames:
        raise GazeFileError(
            f"gaze on frame {max(frames)} (from 0), but its image has {image.frames} frames"
        )


def _runs(mask: Any) -> list[list[int]]:
    """Return the runs of True in a mask (N,) as [first, count]."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    return [[int(a), int(b - a)] for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _digest(reading: SourceReading, image: MatchedImage, reader: str) -> str:
    """Return what tells a reading from every other: reader, image, gaze, times, fixations."""
    digest = hashlib.sha256(f"{reader}\0{image.sha256}".encode())
    parts: list[Any] = [reading.points_canvas, reading.time_us]
    if reading.fixations is not None:
        found: SourceFixations = reading.fixations
        parts += [found.start_us, found.duration_us, found.points_canvas]
    for part in parts:
        digest.update(b"\0" if part is None else np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _laid(reading: SourceReading, image: MatchedImage) -> str:
    """Return what tells where a reading's gaze lies on its image from every other such place."""
    screen = None if reading.screen is None else reading.screen.as_dict()
    places = [reading.place] + ([reading.fixations.place] if reading.fixations else [])
    laid = [[asdict(p) for p in place(image.width, image.height)] for place in places]
    return hashlib.sha256(
        json.dumps([screen, laid], sort_keys=True, default=float).encode()
    ).hexdigest()
