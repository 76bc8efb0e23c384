"""A study made directly: images, readings with gaze, views; no station, no tracker."""

import zlib
from pathlib import Path

import cv2
import numpy as np

from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import empty_samples
from devices.gaze.view import Affine, TileView
from migrations.study.folder import Study
from migrations.study.schema import (
    CaseImage,
    GazeChunk,
    Image,
    Reader,
    Reading,
    Recording,
    Session,
    StudyCase,
    ViewEvent,
    new_id,
    utc_now,
)
from migrations.study.settings import StudySettings

WIDTH, HEIGHT = 60, 80
SCREEN = ScreenGeometry(width_screen=600, height_screen=800, width_mm=300, height_mm=400)
READING_US = 1_000_000


def make_study(
    folder: Path,
    images: int = 8,
    *,
    read: int | None = None,
    labels: bool = True,
    test_images: int = 0,
    seed: int = 0,
) -> Study:
    """Return a study whose images of even number are read alike, those of odd number likewise."""
    study = Study.create(folder, StudySettings())
    rng = np.random.default_rng(seed)
    ids = [new_id() for _ in range(images)]
    with study.database.write() as session:
        for number, image_id in enumerate(ids):
            _add_image(study, session, image_id, number, labels, number >= images - test_images)
        session.flush()
        _add_readings(session, ids[: images if read is None else read], rng)
    return study


def write_presentation(study: Study, image_id: str, number: int) -> None:
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 60, (HEIGHT, WIDTH), dtype=np.uint8)
    cv2.circle(pixels, (20 + 20 * (number % 2), 40), 12, 220, -1)
    study.image_folder(image_id).mkdir(parents=True, exist_ok=True)
    cv2.imencode(".png", pixels)[1].tofile(study.presentation(image_id))


def _add_image(study, session, image_id: str, number: int, labels: bool, test: bool) -> None:
    write_presentation(study, image_id, number)
    session.add(
        Image(
            id=image_id,
            sha256=f"{number:064x}",
            rows=HEIGHT,
            columns=WIDTH,
            bits=8,
            photometric="MONOCHROME2",
            source_format="png",
            source_group=f"patient-{number // 2}",
            label=("even", "odd")[number % 2] if labels else None,
            split="test" if test else "train",
            import_number=number + 1,
        )
    )
    session.flush()
    case = StudyCase(id=new_id(), name=f"case {number:03d}", position=number)
    session.add(case)
    session.flush()
    session.add(CaseImage(case_id=case.id, image_id=image_id))


def _add_readings(session, ids: list[str], rng: np.random.Generator) -> None:
    reader = Reader(id=new_id(), pseudonym="R1")
    session.add(reader)
    session.flush()
    sitting = _session_row(reader.id)
    session.add(sitting)
    session.flush()
    recording = Recording(id=new_id(), session_id=sitting.id, state="closed", started_us=0)
    session.add(recording)
    session.flush()
    for number, image_id in enumerate(ids):
        case = session.query(CaseImage).filter_by(image_id=image_id).one().case_id
        _add_reading(session, sitting, recording, case, image_id, number, rng)


def _session_row(reader_id: str) -> Session:
    return Session(
        id=new_id(),
        reader_id=reader_id,
        station="test",
        software_version="0",
        started_utc=utc_now(),
        zero_utc=utc_now(),
        tracker_id="simulated",
        tracker_kind="lsl",
        tracker_model="simulated",
        tracker_serial="0",
        tracker_rate_hz=100.0,
        screen=SCREEN.as_dict(),
        screen_width_mm=300,
        screen_height_mm=400,
        refresh_hz=60,
        distance_mm=600,
        distance_source="assumed",
        case_order=[],
    )


def _add_reading(session, sitting, recording, case_id, image_id, number, rng) -> None:
    start = number * 2 * READING_US
    reading = Reading(
        id=new_id(),
        session_id=sitting.id,
        case_id=case_id,
        reader_id=sitting.reader_id,
        state="finished",
        started_us=start,
        ended_us=start + READING_US,
    )
    session.add(reading)
    session.flush()
    view = TileView(start, "open", 0, image_id, WIDTH, HEIGHT, Affine(a=10, d=10), (0, 0, 600, 800))
    session.add(ViewEvent(reading_id=reading.id, **view.as_row()))
    samples = _samples(start, number, rng)
    blob = encode_chunk(samples)
    session.add(
        GazeChunk(
            recording_id=recording.id,
            sequence=number,
            first_us=int(samples["host_us"][0]),
            last_us=int(samples["host_us"][-1]),
            count=len(samples),
            codec_version=CODEC_VERSION,
            crc32=zlib.crc32(blob),
            blob=blob,
        )
    )


def _samples(start_us: int, number: int, rng: np.random.Generator):
    """Return 100 samples: even images are read top to bottom on the left, odd ones rightwards."""
    samples = empty_samples(100)
    samples["host_us"] = start_us + np.arange(100) * 10_000
    stops = np.repeat(np.linspace(0.15, 0.85, 5), 20)
    x, y = (np.full(100, 0.25), stops) if number % 2 == 0 else (stops, np.full(100, 0.7))
    for eye in ("left", "right"):
        samples[f"{eye}_x_norm"] = x + rng.normal(0, 0.01, 100)
        samples[f"{eye}_y_norm"] = y + rng.normal(0, 0.01, 100)
    return samples
