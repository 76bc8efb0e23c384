"""Shared by the tests of the reading room: a small study and a tracker that plays a script."""

import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.recording.recorder import Recorder
from devices.clock import HostClock
from devices.gaze.chunks import decode_chunk
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray, empty_samples
from devices.gaze.view import Affine, TileView
from devices.tracker import Calibrator, DeviceEvent, TrackerInfo
from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, GazeChunk, Image, StudyCase, new_id
from migrations.study.settings import StudySettings
from tests import PATIENCE_S

GEOMETRY = ScreenGeometry(1920, 1080, 527.0, 296.0, distance_mm=650.0, distance_source="taped")

Gaze = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def still(t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaze resting at the middle of the screen."""
    return np.full((len(t_s), 2), 0.5)


def steps(
    t_s: NDArray[np.float64], places: NDArray[np.float64], each_s: float
) -> NDArray[np.float64]:
    """Gaze resting at one place after another, jumping between them; (N, 2) `_norm`."""
    return places[(t_s / each_s).astype(int) % len(places)]


def until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Wait for progress."""
    deadline = time.perf_counter() + timeout_s
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError("waited in vain")
        time.sleep(0.01)


def recorded_more(recorder: Recorder, seconds: float) -> Callable[[], bool]:
    """Return what becomes true once so many seconds of gaze more than now are recorded."""
    wanted = recorder.status().sample_count + seconds * recorder.tracker.info.rate_hz
    return lambda: recorder.status().sample_count >= wanted


def record_for(recorder: Recorder, seconds: float) -> None:
    """Wait until so many seconds of gaze more are recorded, as the tracker's own clock counts."""
    until(recorded_more(recorder, seconds))


class ScriptedTracker:
    """A tracker whose gaze is a function of host time in seconds, without any noise of its own.

    `lost` makes it silent and says so; `restore` brings it back; `fail` makes `read` raise.
    """

    def __init__(self, gaze: Gaze = still, rate_hz: float = 1200.0) -> None:
        self.info = TrackerInfo(
            "scripted", "simulated", "Scripted", model="M1", serial="S1", rate_hz=rate_hz
        )
        self.gaze, self.period_us = gaze, 1e6 / rate_hz
        self.given = 0
        self.fail: Exception | None = None
        self.connected = False
        self._lock = threading.Lock()
        self._events: list[DeviceEvent] = []
        self._silent = False

    def connect(self, clock: HostClock) -> None:
        self.clock = clock
        self._next = int(clock.now_us() / self.period_us) + 1
        self.connected = True

    def disconnect(self) -> None:
        self.connected = False

    def read(self) -> SampleArray:
        if self.fail is not None:
            raise self.fail
        with self._lock:
            last = int(self.clock.now_us() / self.period_us)
            index = np.arange(self._next, last + 1)
            self._next = last + 1
            if self._silent or len(index) == 0:
                return empty_samples(0)
            self.given += len(index)
            return self.samples_at(index)

    def samples_at(self, index: NDArray[np.int64]) -> SampleArray:
        samples = empty_samples(len(index))
        samples["host_us"] = np.rint(index * self.period_us).astype(np.int64)
        samples["device_us"] = index  # the ordinal: shows that none is missing or doubled
        points = self.gaze(samples["host_us"] / 1e6)
        for eye in ("left", "right"):
            samples[f"{eye}_x_norm"], samples[f"{eye}_y_norm"] = points[:, 0], points[:, 1]
        return samples

    def lose(self) -> None:
        with self._lock:
            self._silent = True
            self._events.append(DeviceEvent(self.clock.now_us(), "lost", "cable"))

    def restore(self) -> None:
        with self._lock:
            self._silent = False
            self._events.append(DeviceEvent(self.clock.now_us(), "restored"))

    def events(self) -> list[DeviceEvent]:
        with self._lock:
            events, self._events = self._events, []
        return events

    def calibrator(self) -> Calibrator | None:
        return None


def make_study(folder: Path, cases: int = 3, **settings: object) -> Study:
    """Return a durable study with `cases` cases of one 1000 x 800 image each (rows only)."""
    study = Study.create(
        folder,
        StudySettings(classes=("a", "b"), **settings),  # type: ignore[arg-type]
        durable=True,
    )
    with study.database.write() as session:
        for i in range(cases):
            image = Image(
                id=new_id(),
                sha256=f"{i:064x}",
                rows=800,
                columns=1000,
                bits=12,
                photometric="MONOCHROME2",
                source_format="dicom",
                source_group=f"g{i}",
                import_number=i,
            )
            case = StudyCase(id=new_id(), name=f"case-{i}", position=i)
            session.add_all((image, case))
            session.flush()
            session.add(CaseImage(case_id=case.id, image_id=image.id, tile=0))
    return study


def view_of(
    time_us: int, image_id: str, kind: str = "open", transform: Affine | None = None, tile: int = 0
) -> TileView:
    """Return a view of a 1000 x 800 image over the whole screen of `GEOMETRY`."""
    return TileView(
        time_us,
        kind,
        tile,
        image_id,
        1000,
        800,
        transform or Affine(a=1.35, d=1.35, tx=285.0, ty=0.0),
        (0.0, 0.0, 1920.0, 1080.0),
    )


def recorded(database: Database, recording_id: str) -> list[SampleArray]:
    """Return the chunks of a recording in order, each checked by its checksum."""
    with database.read() as session:
        rows = (
            session.query(GazeChunk)
            .filter_by(recording_id=recording_id)
            .order_by(GazeChunk.sequence)
            .all()
        )
        assert [row.sequence for row in rows] == list(range(len(rows)))
        assert all(zlib.crc32(row.blob) == row.crc32 for row in rows)
        return [decode_chunk(r.blob, r.count, r.crc32, r.codec_version) for r in rows]
