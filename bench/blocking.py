"""How long the GUI thread stands still while cases are read: python bench/blocking.py.

A heartbeat of 2 ms runs in the station's event loop while a case of four images is opened,
windowed, zoomed with all images linked, panned and left; late beats are stalls. What the GUI
thread itself computed meanwhile is told beside it: the rest is other programs on the machine.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

BEAT_MS = 2
CASES = 7
BAR_MS = 50.0


class Heartbeat:
    """Notes the longest gap between two beats, by what went on."""

    def __init__(self) -> None:
        from PySide6.QtCore import QTimer

        self.worst_ms: dict[str, float] = {}
        self.busy_ms: dict[str, float] = {}
        self.doing = "start"
        self._last, self._last_busy = time.perf_counter(), time.thread_time()
        self._timer = QTimer()
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now, busy = time.perf_counter(), time.thread_time()
        busy_ms = 1000 * (busy - self._last_busy)
        self.busy_ms[self.doing] = max(self.busy_ms.get(self.doing, 0.0), busy_ms)
        gap_ms = 1000 * (now - self._last) - BEAT_MS
        self.worst_ms[self.doing] = max(self.worst_ms.get(self.doing, 0.0), gap_ms)
        self._last, self._last_busy = now, busy


def main() -> int:
    """Print the longest stall of each kind of work; 1 where one is above the bar."""
    from PySide6.QtWidgets import QApplication

    from app.demo.steps import run_script
    from app.screenshots.shoot import small_study
    from app.station import Station
    from app.ui import theme

    application = QApplication([])
    theme.apply(application)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FOVEATE_CONFIG_DIR"] = folder
        station = Station(small_study(Path(folder) / "study"), reader="R1", consented=True,
                          full_screen=False)  # fmt: skip
        station.sitting.offer_all()
        station.window.resize(780, 760)
        station.show()
        beat = Heartbeat()
        try:
            run_script(_work(station, beat))
        finally:
            station.close()
            station.window.close()
    for doing, worst in beat.worst_ms.items():
        print(f"{doing:24s} {worst:6.1f} ms, of them busy {beat.busy_ms[doing]:6.1f} ms")
    return int(max(v for k, v in beat.worst_ms.items() if k != "start") > BAR_MS)


def _work(station, beat) -> Iterator:
    from PySide6.QtCore import QPointF, Qt

    from app.demo.hands import drag, press, wheel
    from app.demo.steps import Until

    page, canvas = station.sitting.reading.page, station.sitting.reading.page.canvas
    beat.doing = "open session and case"
    station.sitting.start_reading(anyway=True)
    yield Until("the first case", lambda: page.state == "reading", 60)
    middle = QPointF(canvas.width() * 0.4, canvas.height() * 0.3)
    steps = {
        "window": lambda: drag(canvas, Qt.MouseButton.LeftButton, middle, QPointF(9, 4), 1),
        "linked zoom": lambda: wheel(canvas, middle, 1),
        "pan": lambda: drag(canvas, Qt.MouseButton.MiddleButton, middle, QPointF(5, 2), 1),
        "invert": lambda: press(canvas, Qt.Key.Key_I),
        "reset": lambda: press(canvas, Qt.Key.Key_Space),
    }
    press(canvas, Qt.Key.Key_Z)
    for doing, act in steps.items():
        beat.doing = doing
        for _ in range(12):
            act()
            yield from _pause(0.05)
    for number in range(2):
        beat.doing = "next case"
        press(canvas, Qt.Key.Key_1)
        press(canvas, Qt.Key.Key_Return)
        with contextlib.suppress(KeyError):
            yield Until("a case", lambda: page.state in ("reading", "between"), 30)
        if page.state == "between":
            press(page, Qt.Key.Key_Return)
        yield from _pause(0.8 + 0.1 * number)
    beat.doing = "pause and go on"
    press(canvas, Qt.Key.Key_Escape)
    yield from _pause(0.1)
    press(page, Qt.Key.Key_Escape)
    yield from _pause(0.2)


def _pause(seconds: float) -> Iterator:
    from app.demo.steps import Until

    until = time.perf_counter() + seconds
    yield Until("time to pass", lambda: time.perf_counter() >= until, 30)


if __name__ == "__main__":
    sys.exit(main())
