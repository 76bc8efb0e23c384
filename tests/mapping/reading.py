"""A reading as a station writes it: rows, chunks, its fixations found live or after a crash."""

import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import delete

from app.recording.live_reading import LiveReading
from app.recording.recovery import close_open_rows
from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.fixations import FilterParameters
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray, empty_samples
from devices.gaze.view import CLOSED, Affine, TileView
from migrations.study.folder import Study
from migrations.study.schema import (
    Fixation,
    GazeChunk,
    GazeEvent,
    Reading,
    Recording,
    Session,
    ViewEvent,
    new_id,
)
from tests.mapping.oracle import (
    STEP_US,
    Scenario,
    Screen,
    image_to_screen,
    in_force,
    tile_rect,
)
from tests.trainer.gaze_study import StudyMaker

START_US = 5_000_001
SIZES = ((400, 300), (240, 320))
FRAMES = 12
BEYOND = 15
"""Samples before and after the reading."""


@dataclass(frozen=True)
class Bench:
    """A study with a case of a stack and a radiograph, that holds one reading at a time."""

    maker: StudyMaker
    case_id: str
    image_ids: tuple[str, str]

    @property
    def study(self) -> Study:
        return self.maker.study


def geometry_of(screen: Screen) -> ScreenGeometry:
    return ScreenGeometry(
        screen.width_px, screen.height_px, screen.width_mm, screen.height_mm, screen.distance_mm,
        "taped", **dict(screen.ignored),
    )  # fmt: skip


def samples_of(scenario: Scenario) -> SampleArray:
    """Return what the tracker gives, from before the reading until after it."""
    left, right = scenario.eyes()
    samples = empty_samples(len(left) + 2 * BEYOND)
    samples["host_us"] = START_US + STEP_US * (np.arange(len(samples)) - BEYOND)
    for name, points in (("left", left), ("right", right)):
        all_points = np.pad(points, ((BEYOND, BEYOND), (0, 0)), constant_values=0.25)
        samples[f"{name}_x_norm"], samples[f"{name}_y_norm"] = all_points.T
    return samples


def view_rows(scenario: Scenario, image_ids: tuple[str, str]) -> list[dict[str, Any]]:
    """Return the rows of table `view_event`; the first, and those of another screen, tell it."""
    rows, told = [], None
    for shown in scenario.shown:
        screen = in_force(scenario.screens, shown.from_us)
        rect = tile_rect(screen, shown.tile, scenario)
        m = image_to_screen(shown, rect, SIZES[shown.tile])
        rows.append(
            {
                "time_us": START_US + shown.from_us,
                "kind": CLOSED if shown.closed else "zoom",
                "tile": shown.tile,
                "image_id": image_ids[shown.tile],
                "image_width": SIZES[shown.tile][0],
                "image_height": SIZES[shown.tile][1],
                "frame": shown.frame,
                "a": m[0, 0], "b": m[1, 0], "c": m[0, 1], "d": m[1, 1],
                "tx": m[0, 2], "ty": m[1, 2],
                "tile_x": rect[0], "tile_y": rect[1],
                "tile_width": rect[2], "tile_height": rect[3],
                "window_center": None, "window_width": None, "inverted": False,
                "flipped_horizontally": shown.flips[0], "flipped_vertically": shown.flips[1],
                "rotation_deg": shown.turn_deg,
                "screen": geometry_of(screen).as_dict() if screen != told else None,
            }
        )  # fmt: skip
        told = screen
    return rows


def correction_of(scenario: Scenario) -> dict[str, float] | None:
    names = ("a", "b", "c", "d", "tx", "ty")
    given = scenario.correction
    return None if given is None else dict(zip(names, given, strict=True))


def write(bench: Bench, scenario: Scenario) -> str:
    """Write a reading as a station that died before its figures did; return its id."""
    for table in (Fixation, GazeEvent, ViewEvent, GazeChunk, Reading, Recording, Session):
        with bench.study.database.write() as rows:
            rows.execute(delete(table))
    bench.maker.sit()
    reading_id, second = new_id(), new_id()
    samples = samples_of(scenario)
    details = {"eye": scenario.eye, "correction": correction_of(scenario)}
    with bench.study.database.write() as rows:
        # What a later calibration at another distance leaves in the session's row.
        last = replace(geometry_of(scenario.screens[-1]), distance_mm=333.0, width_screen=777.0)
        rows.get_one(Session, bench.maker.session_id).screen = last.as_dict()
        rows.add(Recording(id=second, session_id=bench.maker.session_id, started_us=0))
        rows.add(
            Reading(
                id=reading_id, session_id=bench.maker.session_id, case_id=bench.case_id,
                reader_id=bench.maker.reader_id, state="finished", started_us=START_US,
                ended_us=START_US + int(scenario.time_us[-1]) + STEP_US, details=details,
            )
        )  # fmt: skip
        rows.flush()
        for row in view_rows(scenario, bench.image_ids):
            rows.add(ViewEvent(reading_id=reading_id, **row))
        parts = np.array_split(samples, 7)
        for number, part in reversed(list(enumerate(parts))):
            rows.add(chunk_row(part, number, bench.maker.recording_id if number < 4 else second))
    close_open_rows(bench.study.database)
    with bench.study.database.write() as rows:
        rows.get_one(Reading, reading_id).verdict = "good"
    return reading_id


def chunk_row(part: SampleArray, number: int, recording_id: str) -> GazeChunk:
    blob, times = encode_chunk(part), part["host_us"]
    return GazeChunk(
        recording_id=recording_id, sequence=number, first_us=int(times[0]), last_us=int(times[-1]),
        count=len(part), codec_version=CODEC_VERSION, crc32=zlib.crc32(blob), blob=blob,
    )  # fmt: skip


def live_rows(bench: Bench, scenario: Scenario) -> list[dict[str, Any]]:
    """Return the fixation rows that the station writes while the reading goes on."""
    first, correction = geometry_of(scenario.screens[0]), correction_of(scenario)
    track = LiveReading(
        "live", START_US, first, FilterParameters(), scenario.eye,
        Affine(**correction) if correction else None,
    )  # fmt: skip
    track.ended_us = START_US + int(scenario.time_us[-1]) + STEP_US
    views, found = view_rows(scenario, bench.image_ids), []
    for part in np.array_split(samples_of(scenario), 5):
        while views and views[0]["time_us"] <= part["host_us"][-1]:
            row = views.pop(0)
            screen = ScreenGeometry.from_dict(row["screen"]) if row["screen"] else None
            track.show(TileView.from_row(row), screen)
        found += track.push(part)
    return found + track.finish()
