"""200 starts and stops of a station under a held lock: python -m bench.starts.

Each start opens the study and begins a session in the background, which waits for the lock that
another program holds. It is closed at a random instant, a tenth of a second before the lock is
free again. Prints one line; a crash ends it with the traces of all threads.
"""

import argparse
import faulthandler
import logging
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image as PilImage
from PySide6.QtWidgets import QApplication
from sqlalchemy import event

from app.images.importing.importer import import_paths
from app.station import Station
from devices.gaze.geometry import ScreenGeometry
from devices.simulated import SimulatedParameters, SimulatedTracker
from migrations.study.folder import Study
from migrations.study.settings import StudySettings

HELD_S = 0.1
"""How long the lock is held after the window was closed."""
BUSY_MS = 50
"""SQLite's patience, so that work ends while its window goes."""


def main() -> int:
    """Run the starts; 0 if none crashed and the database is sound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    times = parser.parse_args().times
    faulthandler.enable()
    logging.disable(logging.CRITICAL)  # that the database is busy is meant
    application, began, drawn = QApplication(sys.argv[:1]), time.monotonic(), random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FOVEATE_CONFIG_DIR"] = f"{folder}/config"
        path = Path(folder) / "study"
        _fill(path)
        with closing(_other(path)) as other:
            for number in range(times):
                _start_and_stop(path, application, other, drawn.uniform(0.0, 0.25))
                if sys.stderr.isatty():
                    sys.stderr.write(f"{number + 1} of {times}\r")
        study = Study.open(path)
        problems = study.database.check()
        study.close()
    sys.stdout.write(
        f"{times} starts and stops under a held lock: 0 crashes, database "
        f"{'damaged' if problems else 'sound'}, {time.monotonic() - began:.0f} s\n"
    )
    return int(bool(problems))


def _fill(path: Path) -> None:
    study = Study.create(path, StudySettings())
    noise = np.random.default_rng(0).integers(0, 255, (3, 200, 150)).astype(np.uint8)
    files = [path.parent / f"{number}.png" for number in range(len(noise))]
    for file, pixels in zip(files, noise, strict=True):
        PilImage.fromarray(pixels).save(file)
    import_paths(study, files)
    study.close()


def _other(path: Path) -> sqlite3.Connection:
    """Return the other program that writes to the study."""
    file = path / "foveate.sqlite"
    return sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)


def _start_and_stop(
    path: Path, application: QApplication, other: sqlite3.Connection, seconds: float
) -> None:
    study = Study.open(path, durable=True)
    event.listen(study.database.engine, "checkout", _impatient)
    station = Station(
        study, reader="R1", consented=True, tracker_source=_simulated, full_screen=False
    )
    station.window.show()
    other.execute("BEGIN EXCLUSIVE")
    station.sitting.start_reading(anyway=True)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        application.processEvents()
    free = threading.Timer(HELD_S, other.execute, ["ROLLBACK"])
    free.start()
    station.window.close()
    station.close()
    free.join()
    station.window.deleteLater()
    application.processEvents()


def _impatient(connection: sqlite3.Connection, *_: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}").close()


def _simulated(_id: str, geometry: ScreenGeometry) -> SimulatedTracker:
    return SimulatedTracker(geometry, SimulatedParameters(rate_hz=120.0), seed=1)


if __name__ == "__main__":
    sys.exit(main())
