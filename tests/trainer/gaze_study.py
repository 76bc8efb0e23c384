"""A small real study, made of the rows and chunks that a station would have written."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image as PilImage

from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import empty_samples
from devices.gaze.view import Affine, TileView
from migrations.study.folder import Study
from migrations.study.schema import (
    CaseImage,
    Fixation,
    GazeChunk,
    Image,
    Reader,
    Reading,
    Recording,
    Session,
    StudyCase,
    ViewEvent,
    new_id,
)
from migrations.study.settings import StudySettings

GEOMETRY = ScreenGeometry(1000, 500, 500, 250)
STEP_US = 10_000
CHUNK = 25


@dataclass
class StudyMaker:
    """Writes rows as the station does; images lie 1:1 at (0, 0) of the screen unless said."""

    study: Study
    reader_id: str
    session_id: str
    recording_id: str
    sequence: int = 0
    images: int = 0

    @classmethod
    def create(cls, folder: Path, eye: str = "both") -> "StudyMaker":
        study = Study.create(folder, StudySettings(name="Small"))
        reader_id = new_id()
        maker = cls(study, reader_id, "", "")
        with study.database.write() as session:
            session.add(Reader(pseudonym="R01", id=reader_id))
        maker.sit(eye)
        return maker

    def sit(self, eye: str = "both") -> None:
        """Begin another session, with its own recording and clock."""
        session = Session(
            id=new_id(), reader_id=self.reader_id, station="s", software_version="0",
            started_utc="2025-01-01T00:00:00Z", zero_utc="2025-01-01T00:00:00Z",
            tracker_id="t", tracker_kind="lsl", tracker_model="m", tracker_serial="",
            tracker_rate_hz=100.0, screen=GEOMETRY.as_dict(), screen_width_mm=500,
            screen_height_mm=250, refresh_hz=60, distance_mm=650, distance_source="taped",
            eye=eye, case_order=[],
        )  # fmt: skip
        recording = Recording(id=new_id(), session_id=session.id, started_us=0)
        self.session_id, self.recording_id, self.sequence = session.id, recording.id, 0
        with self.study.database.write() as rows:
            rows.add(session)
            rows.flush()
            rows.add(recording)

    def image(self, width: int = 400, height: int = 300, *, png: bool = True, **fields: Any) -> str:
        """Add an image, with a presentation unless told otherwise; return its id."""
        self.images += 1
        image_id = new_id()
        image = Image(
            id=image_id, sha256=f"{self.images:064x}", rows=height, columns=width, bits=12,
            photometric="MONOCHROME2", source_format="png",
            **{"source_group": f"g{self.images}", "import_number": self.images, **fields},
        )  # fmt: skip
        with self.study.database.write() as session:
            session.add(image)
        if png:
            path = self.study.presentation(image_id)
            path.parent.mkdir(parents=True)
            y, x = np.mgrid[:height, :width]
            grey = 40 + 150 * np.exp(-((x - 90) ** 2 + (y - 80 - 20 * self.images) ** 2) / 5000)
            PilImage.fromarray(grey.astype(np.uint8)).save(path)
            np.save(path.with_name("stored.npy"), grey.astype(np.uint16))
            path.with_name("display.json").write_text("{}")
        return image_id

    def case(self, *image_ids: str) -> str:
        """Add a case of images; return its id."""
        case_id = new_id()
        case = StudyCase(id=case_id, name=case_id, position=0)
        with self.study.database.write() as session:
            session.add(case)
            session.flush()
            for tile, image_id in enumerate(image_ids):
                session.add(CaseImage(case_id=case_id, image_id=image_id, tile=tile))
        return case_id

    def samples(self, start_us: int, points_screen: ArrayLike) -> int:
        """Record gaze at screen points, 10 ms apart, in chunks; return the time after the last."""
        points_norm = GEOMETRY.screen_to_norm(np.asarray(points_screen, float).reshape(-1, 2))
        samples = empty_samples(len(points_norm))
        samples["host_us"] = start_us + STEP_US * np.arange(len(samples))
        for side in ("left", "right"):
            samples[f"{side}_x_norm"], samples[f"{side}_y_norm"] = points_norm.T
        for first in range(0, len(samples), CHUNK):
            self.chunk(samples[first : first + CHUNK])
        return start_us + STEP_US * len(samples)

    def chunk(self, part: NDArray[np.void]) -> None:
        """Write one chunk."""
        blob = encode_chunk(part)
        row = GazeChunk(
            recording_id=self.recording_id, sequence=self.sequence,
            first_us=int(part["host_us"][0]), last_us=int(part["host_us"][-1]), count=len(part),
            codec_version=CODEC_VERSION, crc32=zlib.crc32(blob), blob=blob,
        )  # fmt: skip
        self.sequence += 1
        with self.study.database.write() as session:
            session.add(row)

    def reading(self, case_id: str, start_us: int, end_us: int | None, **fields: Any) -> str:
        """Add a reading, finished unless told otherwise; return its id."""
        reading_id = new_id()
        reading = Reading(
            id=reading_id, session_id=self.session_id, case_id=case_id, reader_id=self.reader_id,
            started_us=start_us, ended_us=end_us, **{"state": "finished", **fields},
        )  # fmt: skip
        with self.study.database.write() as session:
            session.add(reading)
        return reading_id

    def view(self, reading_id: str, image_id: str, time_us: int, **changes: Any) -> None:
        """Show an image of 400 × 300 from an instant on."""
        fields = {"kind": "open", "tile": 0, "transform": Affine(), "rect_screen": (0, 0, 400, 300)}
        view = TileView(
            time_us=time_us, image_id=image_id, image_width=400, image_height=300,
            **{**fields, **changes},
        )  # fmt: skip
        with self.study.database.write() as session:
            session.add(ViewEvent(reading_id=reading_id, screen=None, **view.as_row()))

    def fixation(
        self, reading_id: str, image_id: str | None, start_us: int, x: float | None, y: float | None
    ) -> None:
        """Add a fixation of 200 ms."""
        row = Fixation(
            reading_id=reading_id, image_id=image_id, start_us=start_us, duration_us=200_000,
            x_image=x, y_image=y, x_deg=0, y_deg=0, dispersion_deg=0.3, sample_count=20,
            algorithm="velocity", parameters_hash="0",
        )  # fmt: skip
        with self.study.database.write() as session:
            session.add(row)

    def read_once(
        self,
        image_id: str,
        points: Sequence[tuple[float, float]],
        start_us: int = 1_000_000,
        **fields: Any,
    ) -> str:
        """Read a case of one image once, fixating at its points in turn; return the reading."""
        reading_id = self.reading(
            self.case(image_id), start_us, start_us + STEP_US * len(points), **fields
        )
        self.view(reading_id, image_id, start_us)
        self.samples(start_us, points)
        for k, (x, y) in enumerate(points[::20]):
            self.fixation(reading_id, image_id, start_us + 20 * k * STEP_US, x, y)
        return reading_id
