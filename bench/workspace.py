"""The workspace with a large cohort: longest stall of the GUI thread while each page fills.

python -m bench.workspace [--cases 5000] [--first]

`--first` (Linux, as root) runs before everything else on the machine, the window's thread before
the others: stalls then are those of an idle machine, whatever else is running.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("FOVEATE_CONFIG_DIR", tempfile.mkdtemp())

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.pages.workspace.job import WorkspaceJob
from app.station import Station
from app.ui import theme
from app.workspace.cohort import cohort_rows
from tests.app.workspace.cohort_study import add_run, add_similarity, make_study

_TICK_MS = 2
_WAIT_S = 60.0


class Heart:
    """Beats on the GUI thread; a missing beat is a stall."""

    def __init__(self) -> None:
        self.longest_ms = self.work_ms = 0.0
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(_TICK_MS)

    def watch(self, act, done) -> tuple[float, float]:  # type: ignore[no-untyped-def]
        """Return (longest stall in ms, seconds until done)."""
        QApplication.processEvents()
        self.longest_ms, self._last = 0.0, time.perf_counter()
        self.work_ms, self._worked = 0.0, time.thread_time()
        begun = time.perf_counter()
        act()
        while not done() and time.perf_counter() - begun < _WAIT_S:
            QApplication.processEvents()
            time.sleep(0.0005)
        took = time.perf_counter() - begun
        for _ in range(100):
            QApplication.processEvents()
            time.sleep(0.002)
        return self.longest_ms, took

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest_ms = max(self.longest_ms, 1000 * (now - self._last))
        self._last = now
        worked = time.thread_time()
        self.work_ms = max(self.work_ms, 1000 * (worked - self._worked))
        self._worked = worked


def go_first() -> None:
    """Let this process run before all others, and this thread before its other threads."""
    begin = threading.Thread.run

    def run(thread: threading.Thread) -> None:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        begin(thread)

    threading.Thread.run = run  # type: ignore[method-assign]
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--first", action="store_true", help="before all else on the machine")
    arguments = parser.parse_args()
    cases = arguments.cases
    if arguments.first:
        go_first()
    application = QApplication([])
    theme.apply(application)
    study = make_study(Path(tempfile.mkdtemp()) / "study", cases, pictures=cases <= 500)
    add_similarity(study)
    add_run(study, "run", pairs="gzpt")
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        cohort_rows(study)
        times.append(time.perf_counter() - begun)
    print(f"{cases} cases; cohort query {statistics.median(times):.2f} s (in a worker)")
    station = Station(study, reader="R1", consented=True, full_screen=False)
    station.show()
    heart = Heart()
    job = station.job(WorkspaceJob)
    inside = lambda: job.inside  # noqa: E731
    enter = station.shell.enter_workspace
    steps = (
        ("worklist", lambda: station.go("worklist"), lambda: True),
        ("open + cohort", enter, lambda: job.ready and inside().cohort.model.rowCount() > 0),
        ("search", lambda: inside().cohort.search.setText("A"), lambda: True),
        ("similarity", lambda: station.go("similarity"), lambda: inside().similarity.relation),
        ("threshold", lambda: inside().similarity.slider.setValue(400), lambda: True),
        ("runs", lambda: station.go("runs"), lambda: inside().runs.rows),
        ("features", lambda: station.go("features"), lambda: inside().features.features),
    )
    print("| page | longest stall of the GUI thread | most of its own work | shown after |")
    print("|---|---|---|---|")
    for name, act, done in steps:
        stall_ms, took = heart.watch(act, done)
        print(f"| {name} | {stall_ms:.0f} ms | {heart.work_ms:.0f} ms | {took:.2f} s |")
    station.close()
    study.close()


if __name__ == "__main__":
    main()
