"""Whether a foreign reading is in the study already, with its gaze at the same place."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from app.interchange.foreign_reading import SourceReading
from app.interchange.matching import MatchedImage
from app.interchange.places import Placement
from devices.gaze.errors import GazeFileError

_ENOUGH_SAMPLES = 20
"""Fewer times may be the same by chance."""


def check_frames(reading: SourceReading, image: MatchedImage) -> None:
    """Refuse gaze on a frame that its image does not have.

    Raises
    ------
    GazeFileError
        Naming the frame.
    """
    frames = [placement.frame for laid in _laid(reading, image) for placement in laid]
    if frames and not 0 <= min(frames) <= max(frames) < image.frames:
        raise GazeFileError(
            f"gaze on frame {max(frames)} (counted from 0), but its image has {image.frames} frames"
        )


def runs_of(mask: Any) -> list[list[int]]:
    """Return the runs of True in a mask (N,) as [first, count]."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    return [[int(a), int(b - a)] for a, b in zip(edges[::2], edges[1::2], strict=True)]


def digest_of(reading: SourceReading, image: MatchedImage, reader: str) -> str:
    """Return what identifies a reading: reader, image, gaze, times, fixations."""
    digest = hashlib.sha256(f"{reader}\0{image.sha256}".encode())
    parts: list[Any] = [reading.points_canvas, reading.time_us]
    if reading.fixations is not None:
        found = reading.fixations
        parts += [found.start_us, found.duration_us, found.points_canvas]
    for part in parts:
        digest.update(b"\0" if part is None else np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def moments_of(reading: SourceReading, image: MatchedImage, reader: str) -> str:
    """Return what two imports of one recording share in whatever unit its gaze was read.

    Reader, image, and when there was gaze; empty where too few samples are there to tell.
    """
    if reading.time_us is None or len(reading.time_us) < _ENOUGH_SAMPLES:
        return ""
    digest = hashlib.sha256(f"{reader}\0{image.sha256}".encode())
    digest.update(np.ascontiguousarray(reading.time_us).tobytes())
    digest.update(np.isfinite(reading.points_canvas).tobytes())
    return digest.hexdigest()


def laid_of(reading: SourceReading, image: MatchedImage) -> str:
    """Return what identifies the position of a reading's gaze on its image."""
    screen = None if reading.screen is None else reading.screen.as_dict()
    found = [screen, [[asdict(placement) for placement in laid] for laid in _laid(reading, image)]]
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=float).encode()).hexdigest()


def _laid(reading: SourceReading, image: MatchedImage) -> list[Sequence[Placement]]:
    """Return where the image was under the samples, and under the fixations that came with them."""
    places = [reading.place] + ([reading.fixations.place] if reading.fixations else [])
    return [place(image.width, image.height) for place in places]
