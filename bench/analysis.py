"""How long a study's analysis takes, from raw chunks to tables.

    python -m bench.analysis [--images 100] [--readers 10] [--seconds 60]

Makes a study of readings at 120 Hz in a temporary folder (not timed), then runs what `python
main.py analyse --plain grid` runs, pairs of readers included. Bar: 1,000 readings of 60 s in 60 s
on 2 cores.
"""

import argparse
import resource
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray, empty_samples
from devices.gaze.view import Affine, TileView
from migrations.study.folder import Study
from migrations.study.schema import (
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
from trainer.analysis.run import Question, analyse, write_analysis

RATE_HZ = 120
SIDE = 1000
SCREEN = ScreenGeometry(SIDE, SIDE, 400, 400)
CHUNK = 30


def gaze(rng: np.random.Generator, start_us: int, seconds: float) -> SampleArray:
    """Return fixations of 100 to 500 ms on the image, with a little noise."""
    count = int(seconds * RATE_HZ)
    lengths = rng.integers(RATE_HZ // 10, RATE_HZ // 2, count)
    places = rng.uniform(0.05, 0.95, (count, 2))
    where = np.repeat(places, lengths, axis=0)[:count] + rng.normal(0, 0.0008, (count, 2))
    samples = empty_samples(count)
    samples["host_us"] = start_us + np.arange(count) * 1_000_000 // RATE_HZ
    for side in ("left", "right"):
        samples[f"{side}_x_norm"], samples[f"{side}_y_norm"] = where.T
    return samples


def made_study(folder: Path, images: int, readers: int, seconds: float) -> Study:
    """Return a study in which every reader read every image once."""
    study = Study.create(folder, StudySettings(trial=True))
    rng = np.random.default_rng(0)
    ids = [new_id() for _ in range(images)]
    with study.database.write() as rows:
        rows.execute(insert(Image), [_image(id_, k) for k, id_ in enumerate(ids)])
        rows.execute(insert(StudyCase), [{"id": id_, "name": id_, "position": 0} for id_ in ids])
    for reader in range(readers):
        _read_all(study, f"R{reader:02d}", ids, rng, seconds)
    return study


def _read_all(
    study: Study, pseudonym: str, ids: list[str], rng: np.random.Generator, seconds: float
) -> None:
    reader, sitting, recording = new_id(), new_id(), new_id()
    step_us = int((seconds + 1) * 1e6)
    with study.database.write() as rows:
        rows.execute(insert(Reader), [{"id": reader, "pseudonym": pseudonym}])
        rows.execute(insert(Session), [_session(sitting, reader)])
        rows.execute(insert(Recording), [{"id": recording, "session_id": sitting, "started_us": 0}])
        sequence = 0
        for k, image in enumerate(ids):
            start, reading = k * step_us, new_id()
            rows.execute(
                insert(Reading),
                [{"id": reading, "session_id": sitting, "case_id": image, "reader_id": reader,
                  "started_us": start, "ended_us": start + int(seconds * 1e6),
                  "state": "finished"}],
            )  # fmt: skip
            view = TileView(
                time_us=start, image_id=image, image_width=SIDE, image_height=SIDE, kind="open",
                tile=0, transform=Affine(), rect_screen=(0, 0, SIDE, SIDE),
            )  # fmt: skip
            rows.execute(
                insert(ViewEvent), [{"reading_id": reading, "screen": None, **view.as_row()}]
            )
            chunks = list(_chunks(gaze(rng, start, seconds), recording, sequence))
            sequence += len(chunks)
            rows.execute(insert(GazeChunk), chunks)


def _chunks(samples: SampleArray, recording: str, sequence: int) -> Iterator[dict[str, Any]]:
    for k, first in enumerate(range(0, len(samples), CHUNK)):
        part = samples[first : first + CHUNK]
        blob = encode_chunk(part)
        yield {
            "recording_id": recording, "sequence": sequence + k,
            "first_us": int(part["host_us"][0]), "last_us": int(part["host_us"][-1]),
            "count": len(part), "codec_version": CODEC_VERSION, "crc32": zlib.crc32(blob),
            "blob": blob,
        }  # fmt: skip


def _image(id_: str, number: int) -> dict[str, Any]:
    return {
        "id": id_, "sha256": f"{number:064x}", "rows": SIDE, "columns": SIDE, "bits": 8,
        "photometric": "MONOCHROME2", "source_format": "png", "source_group": id_,
        "import_number": number + 1,
    }  # fmt: skip


def _session(id_: str, reader: str) -> dict[str, Any]:
    return {
        "id": id_, "reader_id": reader, "station": "s", "software_version": "0",
        "started_utc": "2026-01-01T00:00:00Z", "zero_utc": "2026-01-01T00:00:00Z",
        "tracker_id": "t", "tracker_kind": "lsl", "tracker_model": "", "tracker_serial": "",
        "tracker_rate_hz": RATE_HZ, "screen": SCREEN.as_dict(), "screen_width_mm": 400,
        "screen_height_mm": 400, "refresh_hz": 60, "distance_mm": 650, "distance_source": "taped",
        "eye": "both", "case_order": [],
    }  # fmt: skip


def main() -> None:
    """Make, analyse, print a row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = made_study(Path(folder) / "study", options.images, options.readers, options.seconds)
        begun, cpu = time.perf_counter(), time.process_time()
        found = analyse(study, Question(plain="grid"))
        write_analysis(Path(folder) / "out", found, Question(plain="grid"))
        wall, spent = time.perf_counter() - begun, time.process_time() - cpu
        study.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    readings = options.images * options.readers
    print("| readings | pairs | wall | CPU | peak memory |\n|---|---|---|---|---|")
    print(
        f"| {readings} of {options.seconds:.0f} s | {len(found.tables.pairs)} | {wall:.0f} s | "
        f"{spent:.0f} s | {peak:.0f} MB |"
    )


if __name__ == "__main__":
    main()
