"""A station without a window, for the tests that kill it.

python -m tests.app.recording.recorded_station

It reads one case after another until it dies, and tells on standard output, once a commit is
acknowledged, up to which sample: ``acknowledged <ordinal> <host time>``.
"""

import sys
import time
from pathlib import Path

import numpy as np

from app.recording.session import ReadingSession
from devices.clock import HostClock
from devices.gaze.view import Affine
from migrations.study.folder import Study
from tests.app.recording.reading_doubles import GEOMETRY, ScriptedTracker, steps, view_of

PLACES = np.array([(0.3, 0.3), (0.6, 0.4), (0.5, 0.7), (0.4, 0.6)])


def main(folder: Path, case_s: float) -> None:
    """Read until killed."""
    study = Study.open(folder, durable=True)
    tracker = ScriptedTracker(lambda t_s: steps(t_s, PLACES, 0.3), 1200.0)
    session = ReadingSession.open(study, "R1", tracker, HostClock(), GEOMETRY, consented=True)
    while (case := session.next_case()) is not None:
        session.begin(case)
        until = time.perf_counter() + case_s
        zoom = 1.0
        while time.perf_counter() < until:
            zoom = 1.35 if zoom == 1.0 else 1.0
            view = view_of(
                session.clock.now_us(), case.tiles[0].image_id, "zoom", Affine(a=zoom, d=zoom)
            )
            session.show(view)
            say(session)
            time.sleep(0.03)
        session.answer("a")
        session.finish()
    session.close()


def say(session: ReadingSession) -> None:
    """Tell what is acknowledged, and the present time."""
    status = session.recorder.status()
    sys.stdout.write(f"acknowledged {status.committed_count} {session.clock.now_us()}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
