"""How large half a year of daily sessions grows, with its backups: python -m bench.backups.

Two minutes of a simulated reader's gaze are written into a study as the recorder cuts them, and
backed up; what they add is taken for all sessions, and the backups that stay are those that
`migrations.study.thinning` keeps. Fixations, views and images are not in it.
"""

import argparse
import sys
import tempfile
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench.canned import GEOMETRY, reading_gaze
from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.samples import SampleArray
from migrations.study.folder import Study
from migrations.study.schema import GazeChunk, Reader, Recording, Session, new_id
from migrations.study.settings import StudySettings
from migrations.study.thinning import kept

RATE_HZ = 1200.0
CHUNK_S = 0.2
"""What the recorder cuts."""


def main() -> int:
    """Print one line for the sessions and one for the backups of each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=182)
    parser.add_argument("--minutes", type=float, default=30.0, help="of one session")
    parser.add_argument("--recorded-s", type=float, default=120.0, help="really recorded of it")
    options = parser.parse_args()
    gaze = reading_gaze(RATE_HZ, options.recorded_s)
    scale = options.minutes * 60 / options.recorded_s
    with tempfile.TemporaryDirectory() as folder:
        study = Study.create(Path(folder) / "study", StudySettings())
        _sit(study, gaze)
        study.backup()
        first = _sizes(study)
        _sit(study, gaze)
        began = time.monotonic()
        study.backup()
        seconds = time.monotonic() - began
        second = _sizes(study)
        study.close()
    database, rows, store = ((b - a) * scale for a, b in zip(first, second, strict=True))
    _tell(options.days, options.minutes, (database, rows, store), len(gaze) * scale)
    sys.stdout.write(
        f"The backup of {options.recorded_s:.0f} s of new gaze took {seconds:.2f} s.\n"
    )
    return 0


def _tell(days: int, minutes: float, added: tuple[float, float, float], samples: float) -> None:
    database, rows, store = added
    now = datetime.now(UTC)
    instants = [now - timedelta(days=day) for day in range(days)]
    ages = {instant: days - number for number, instant in enumerate(instants)}
    stay = kept(instants, now)
    whole = sum(ages.values()) * database
    thinned = sum(ages[instant] for instant in stay) * database
    small = sum(ages[instant] for instant in stay) * rows + days * store
    told = (
        f"{days} daily sessions of {minutes:g} min at {RATE_HZ:.0f} Hz: "
        f"{days * database / 1e9:.1f} GB ({database / samples:.1f} B a sample, "
        f"{database / 1e6:.0f} MB a session)",
        "| backups | kept | size, GB |",
        "|---|---|---|",
        f"| a whole copy after each session (0.1.0) | {days} | {whole / 1e9:.0f} |",
        f"| whole copies, thinned | {len(stay)} | {thinned / 1e9:.0f} |",
        f"| rows thinned, gaze once | {len(stay)} | {small / 1e9:.1f} |",
    )
    sys.stdout.write("\n".join(told) + "\n")


def _sit(study: Study, gaze: SampleArray) -> None:
    """Write a session as a station does; its rows beside the gaze weigh little (a few per cent)."""
    sitting, recording, reader = new_id(), new_id(), new_id()
    with study.database.write() as rows:
        rows.add(Reader(id=reader, pseudonym=reader))
        rows.flush()
        rows.add(Session(
            id=sitting, reader_id=reader, station="s", software_version="0", started_utc="",
            zero_utc="", tracker_id="t", tracker_kind="simulated", tracker_model="m",
            tracker_serial="", screen=GEOMETRY.as_dict(), screen_width_mm=527,
            screen_height_mm=296, refresh_hz=60, distance_mm=650, distance_source="taped",
            case_order=[],
        ))  # fmt: skip
        rows.flush()
        rows.add(Recording(id=recording, session_id=sitting, started_us=0))
        rows.flush()
        for number, part in enumerate(np.array_split(gaze, round(len(gaze) / RATE_HZ / CHUNK_S))):
            rows.add(_chunk(recording, number, part))


def _chunk(recording: str, number: int, part: SampleArray) -> GazeChunk:
    blob, times = encode_chunk(part), part["host_us"]
    return GazeChunk(
        recording_id=recording, sequence=number, first_us=int(times[0]), last_us=int(times[-1]),
        count=len(part), codec_version=CODEC_VERSION, crc32=zlib.crc32(blob), blob=blob,
    )  # fmt: skip


def _sizes(study: Study) -> tuple[int, int, int]:
    """Return the bytes of the database, of its newest backup's rows, and of the gaze beside it."""
    with study.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    backups = study.folder / "backups"
    files = (study.folder / "foveate.sqlite", max(backups.glob("*.sqlite")))
    database, rows = (path.stat().st_size for path in files)
    return database, rows, (backups / "gaze" / "chunks.sqlite").stat().st_size


if __name__ == "__main__":
    sys.exit(main())
