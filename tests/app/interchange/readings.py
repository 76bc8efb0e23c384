"""A study as a station would have written it: two readers, zoom, both eyes, lost samples."""

import zlib

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.recording.stored_figures import event_rows
from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.fixations import FilterParameters
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import empty_samples
from devices.gaze.view import Affine, TileView
from migrations.study.answers import keep_questions
from migrations.study.folder import Study
from migrations.study.forms import Question
from migrations.study.schema import (
    Annotation,
    Answer,
    Calibration,
    CaseImage,
    Fixation,
    GazeChunk,
    GazeEvent,
    Image,
    Reader,
    Reading,
    Recording,
    Session,
    ViewEvent,
    new_id,
)
from tests.stored import gaze_of

FORM = (
    Question("finding", "?", options=("no finding", "finding")),
    Question("sure", "?", kind="confidence"),
    Question("why", "?", kind="text"),
)
SAID = {"finding": "finding", "sure": "4", "why": "as Mrs Quill said"}
SCREEN = ScreenGeometry(1600, 1200, 640, 480, 600, "taped")


def add_readings(study: Study, readers=("R-01", "R-02"), *, station: str = "desk") -> list[str]:
    """Let each reader read every image once; return the ids of the readings."""
    with study.database.read() as session:
        cases = session.execute(
            select(CaseImage.case_id, CaseImage.image_id, Image.columns, Image.rows)
            .join(Image, Image.id == CaseImage.image_id)
            .order_by(Image.import_number)
        ).all()
    found = []
    for number, pseudonym in enumerate(readers):
        sitting, recording = _sit(study, pseudonym, station)
        for k, case in enumerate(cases):
            found.append(_read(study, sitting, recording, tuple(case), k, number))
        with study.database.write() as session:
            session.get_one(Recording, recording).state = "closed"
            session.get_one(Session, sitting[0]).ended_utc = "2026-01-01T00:10:00.000000Z"
    return found


def _sit(study: Study, pseudonym: str, station: str) -> tuple[tuple[str, str], str]:
    with study.database.write() as session:
        reader = session.scalar(select(Reader).where(Reader.pseudonym == pseudonym))
        if reader is None:
            reader = Reader(id=new_id(), pseudonym=pseudonym)
            session.add(reader)
            session.flush()
        sitting = Session(
            id=new_id(), reader_id=reader.id, station=station, software_version="0.1",
            started_utc="2026-01-01T00:00:00.000000Z", zero_utc="2026-01-01T00:00:00.000000Z",
            tracker_id="t", tracker_kind="lsl", tracker_model="Model X", tracker_serial="SERIAL-S1",
            tracker_rate_hz=100.0, screen=SCREEN.as_dict(), screen_width_mm=640,
            screen_height_mm=480, refresh_hz=60, distance_mm=600, distance_source="taped",
            case_order=[],
        )  # fmt: skip
        session.add(sitting)
        session.flush()
        session.add(
            Calibration(session_id=sitting.id, kind="validation", status="success", started_us=1,
                        ended_us=2, points=[], accuracy_deg=0.4, accuracy_left_deg=0.5,
                        accuracy_right_deg=0.6)
        )  # fmt: skip
        recording = Recording(id=new_id(), session_id=sitting.id, started_us=0)
        session.add(recording)
        session.flush()
        return (sitting.id, reader.id), recording.id


def _read(study, sitting, recording, case, k: int, seed: int) -> str:
    case_id, image_id, width, height = case
    start = 1_000_000 + k * 5_000_000
    samples = _samples(start, np.random.default_rng(10 * seed + k))
    reading_id = new_id()
    with study.database.write() as session:
        session.add(
            Reading(id=reading_id, session_id=sitting[0], case_id=case_id, reader_id=sitting[1],
                    state="finished", started_us=start, ended_us=start + 2_000_000, loss=0.02,
                    off_image=0.1, sample_count=200, lost_count=0, verdict="good",
                    details={"eye": "both"})
        )  # fmt: skip
        session.flush()
        for time_us, kind, zoom in ((start, "open", 5.0), (start + 1_000_000, "zoom", 6.0)):
            place = Affine(a=zoom, d=zoom, tx=400.0, ty=50.0)
            view = TileView(time_us, kind, 0, image_id, width, height,
                            place, (0, 0, 1600, 1200))  # fmt: skip
            screen = SCREEN.as_dict() if kind == "open" else None
            session.add(ViewEvent(reading_id=reading_id, screen=screen, **view.as_row()))
        blob = encode_chunk(samples)
        session.add(
            GazeChunk(recording_id=recording, sequence=k, first_us=start,
                      last_us=int(samples["host_us"][-1]), count=len(samples),
                      codec_version=CODEC_VERSION, crc32=zlib.crc32(blob), blob=blob)
        )  # fmt: skip
        session.add_all(
            [
                Annotation(reading_id=reading_id, time_us=start + 9, kind="class", label="finding"),
                Annotation(reading_id=reading_id, image_id=image_id, time_us=start + 10, kind="box",
                           x_image=10.5, y_image=20.25, width_image=30, height_image=40),
                Annotation(reading_id=reading_id, time_us=start + 11, kind="note",
                           details={"text": "Mrs Quill, room 4"}),
            ]
        )  # fmt: skip
        session.flush()
        _answer(session, reading_id, start + 12)
    rows, events = event_rows(reading_id, gaze_of(study.database, reading_id), FilterParameters())
    with study.database.write() as session:
        session.add_all(Fixation(**row) for row in rows)
        session.add_all(GazeEvent(**row) for row in events)
    return reading_id


def _answer(session: OrmSession, reading_id: str, time_us: int) -> None:
    ids = keep_questions(session, FORM)
    session.flush()
    session.add_all(
        Answer(reading_id=reading_id, question_id=ids[key], time_us=time_us, value=value)
        for key, value in SAID.items()
    )


def _samples(start: int, rng):
    samples = empty_samples(200)
    samples["host_us"] = start + np.arange(200) * 10_000
    samples["device_us"] = 77_000_000_000 + np.arange(200) * 10_000
    stops = np.repeat(rng.uniform(0.3, 0.5, (5, 2)), 40, axis=0)
    for side, offset in (("left", -0.002), ("right", 0.002)):
        samples[f"{side}_x_norm"] = stops[:, 0] + offset + rng.normal(0, 2e-4, 200)
        samples[f"{side}_y_norm"] = stops[:, 1] + rng.normal(0, 2e-4, 200)
        samples[f"{side}_pupil_mm"] = 3 + rng.normal(0, 0.1, 200)
    for field in samples.dtype.names[2:8]:
        samples[field][50:54] = np.nan
    samples["left_x_norm"][90] = samples["left_y_norm"][90] = np.nan
    return samples
