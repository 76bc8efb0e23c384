"""The rows of a foreign reading, as a station would have written them."""

import platform
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session as OrmSession

from app.interchange.foreign_reading import SourceAnnotation, SourceReading
from app.interchange.matching import MatchedImage
from app.interchange.stored_gaze import (
    VIRTUAL_SIDE,
    PlacedReading,
    frames_of,
    image_points,
    virtual_screen,
)
from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.samples import SampleArray
from migrations.study.database import foveate_version
from migrations.study.schema import GazeChunk, Session, new_id, utc_now

CHUNK_SAMPLES = 1000
PAUSE_US = 1_000_000
"""Gap between two readings of a session."""


@dataclass(slots=True)
class Sitting:
    """The open session of a reader and screen, and how far its recording has got."""

    session_id: str
    reader_id: str
    recording_id: str
    next_us: int = PAUSE_US
    sequence: int = 0


def session_row(sitting: Sitting, reading: SourceReading, format_name: str) -> Session:
    """Return the session for readings of one reader and screen."""
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


def write_chunks(session: OrmSession, sitting: Sitting, samples: SampleArray) -> None:
    """Write samples as chunks of a session's recording, counting them."""
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


def annotation_row(
    mark: SourceAnnotation, reading_id: str, image_id: str, made: PlacedReading
) -> dict[str, Any]:
    """Return a mark in pixels of its image, with the time of its reading's end."""
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


def source_fixations(
    reading: SourceReading, made: PlacedReading, image: MatchedImage
) -> list[dict[str, Any]]:
    """Return the fixations that a source itself found, in both frames."""
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
