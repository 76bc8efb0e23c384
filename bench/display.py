"""The reading view against naive peers, in one run: window drag, zoom, next case, memory, stalls.

`python -m bench.display [--cases 500] [--frames 40]`; needs no screen (Qt draws offscreen, so what
a window system adds is not in it).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
import psutil
import pyqtgraph
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QEventLoop, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.images.attributes import DisplayAttributes, Window
from app.images.files import write_image
from app.images.store import LoadedImage
from app.pages.reading.canvas import ImageCanvas
from app.pages.reading.prefetch import Prefetcher
from app.recording.worklist import CaseTile
from app.ui import theme
from migrations.study.folder import Study
from migrations.study.settings import StudySettings

ROWS, COLUMNS = 4230, 3328  # 14 megapixels, a mammogram
VIEW = (2048, 2560)
SMALL = (1060, 1400)


def picture(seed: int = 0) -> LoadedImage:
    """Return a smooth 16-bit image with fine noise, as large as a mammogram."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((ROWS // 40, COLUMNS // 40), np.float32)
    stored = cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC) * 40_000
    stored += rng.normal(8000, 600, stored.shape).astype(np.float32)
    values = stored.clip(0, 65_535).astype(np.uint16)
    low, high = int(values.min()), int(values.max())
    kept = DisplayAttributes(
        ROWS, COLUMNS, "MONOCHROME2", 16, 16, False, low, high, windows=(Window(28_000, 40_000),)
    )
    return LoadedImage(f"image-{seed}", values, kept)


class Naive(QWidget):
    """What one writes first: the whole image through NumPy, then scaled smoothly by QPainter."""

    def __init__(self, image: LoadedImage) -> None:
        super().__init__()
        self.stored, self.center, self.zoom = image.stored, 28_000.0, 1.0
        self.window_to(self.center)

    def window_to(self, center: float) -> None:
        """Compute every pixel of the image anew."""
        ramp = np.clip((np.arange(65_536.0) - center) / 40_000 + 0.5, 0, 1) * 255
        self.grey: NDArray[np.uint8] = ramp.astype(np.uint8)[self.stored]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Let Qt scale all of it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        height, width = self.grey.shape
        whole = QImage(self.grey.data, width, height, width, QImage.Format.Format_Grayscale8)
        part = QRectF(0, 0, width / self.zoom, height / self.zoom)
        painter.drawImage(QRectF(self.rect()), whole, part)


def shown_now(widget: QWidget) -> None:
    """Show a widget; without its expose event nothing would be painted."""
    widget.show()
    QApplication.processEvents()


class Spent(list[float]):
    """Milliseconds of some calls, sorted; `work` is what the processor did in each."""

    def __init__(self, wall: list[float], work: list[float] | None = None) -> None:
        super().__init__(sorted(wall))
        self.work = sorted(work or [])


def timed(act: Callable[[], object], times: int) -> Spent:
    """Return how long each call took, the first two left out."""
    wall, work = [], []
    for _ in range(times + 2):
        began, worked = time.perf_counter(), time.process_time()
        act()
        wall.append((time.perf_counter() - began) * 1e3)
        work.append((time.process_time() - worked) * 1e3)
    return Spent(wall[2:], work[2:])


def row(name: str, spent: Spent, base: Spent | None = None) -> Spent:
    """Print a line of the table; the work is told too, which a busy machine does not change."""
    late = spent[int(0.95 * (len(spent) - 1))]
    figures = f"{median(spent):8.1f} ms   least {spent[0]:7.1f}   p95 {late:7.1f}"
    work = f"work {median(spent.work):6.1f}" if spent.work else ""
    ratio = ""
    if base is not None:
        times = median(spent) / median(base), median(spent.work) / median(base.work)
        ratio = f"{times[0]:.1f} × ours, {times[1]:.1f} × its work"
    print(f"  {name:44s} {figures}   {work:11s} {ratio}", flush=True)
    return spent


def drags_and_zooms(image: LoadedImage, size: tuple[int, int], times: int) -> None:
    """Time the same drag and the same zoom in our view and in two peers."""
    print(f"window drag, {size[0]} × {size[1]} view of {COLUMNS} × {ROWS} at 16 bits")
    canvas, naive = ImageCanvas(), Naive(image)
    canvas.resize(*size)
    shown_now(canvas)
    canvas.set_image(image)
    at = [400]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center())

    def drag() -> None:
        at[0] += 1
        # Sent, not played by QTest: that would paint once more on the way.
        QApplication.sendEvent(canvas, _moved(QPointF(canvas.rect().center()), at[0] % 60))
        canvas.flush()
        canvas.repaint()

    ours = row("ours: mouse event to painted", timed(drag, times))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center())
    naive.resize(*size)
    shown_now(naive)

    def naive_drag() -> None:
        naive.center += 10
        naive.window_to(naive.center)
        naive.repaint()

    row("NumPy over the image, QPainter smooth", timed(naive_drag, max(times // 4, 5)), ours)
    graph, item = _pyqtgraph(image, size)

    def graph_drag() -> None:
        at[0] += 10
        item.setLevels((at[0], at[0] + 40_000))
        graph.viewport().repaint()

    row("pyqtgraph ImageItem", timed(graph_drag, max(times // 4, 5)), ours)
    print("zoom at the cursor, one notch of the wheel")
    step = [1]

    def zoom() -> None:
        step[0] += 1
        notch = 120 if step[0] % 20 < 10 else -120
        middle = QPointF(canvas.rect().center())
        canvas.wheelEvent(_wheel(middle, notch))
        canvas.flush()
        canvas.repaint()

    ours = row("ours: wheel event to painted", timed(zoom, times))
    rest = timed(lambda: (canvas.view and canvas.view.settle(), canvas.repaint()), times)
    row("ours: averaged at rest (done in a thread)", rest)

    def naive_zoom() -> None:
        naive.zoom = 1.0 + (naive.zoom + 0.1) % 1.0
        naive.repaint()

    row("QPainter smooth", timed(naive_zoom, max(times // 4, 5)), ours)

    def graph_zoom() -> None:
        step[0] += 1
        graph.getViewBox().scaleBy((0.87, 0.87) if step[0] % 20 < 10 else (1.15, 1.15))
        graph.viewport().repaint()

    row("pyqtgraph ImageItem", timed(graph_zoom, max(times // 4, 5)), ours)
    for widget in (canvas, naive, graph):
        widget.close()


def _moved(start: QPointF, by: int) -> QMouseEvent:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    at = start + QPointF(by, 0)
    return QMouseEvent(QEvent.Type.MouseMove, at, at, none, left, Qt.KeyboardModifier.NoModifier)


def _wheel(at: QPointF, notch: int) -> QWheelEvent:
    none = QPointF(0, 0).toPoint()
    turned = QPointF(0, notch).toPoint()
    return QWheelEvent(
        at, at, none, turned, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip


def _pyqtgraph(
    image: LoadedImage, size: tuple[int, int]
) -> tuple[pyqtgraph.PlotWidget, pyqtgraph.ImageItem]:
    graph = pyqtgraph.PlotWidget()
    graph.resize(*size)
    item = pyqtgraph.ImageItem(image.stored, axisOrder="row-major", autoDownsample=True)
    graph.addItem(item)
    graph.hideAxis("left")
    graph.hideAxis("bottom")
    shown_now(graph)
    return graph, item


def reading(study: Study, cases: int) -> None:
    """Read many cases as the station does; time each change, watch memory and the event loop."""
    canvas = ImageCanvas()
    canvas.resize(*VIEW)
    shown_now(canvas)
    files = [folder.name for folder in sorted((study.folder / "images").iterdir())]
    prefetch, gaps, last = Prefetcher(study), [0.0], [time.perf_counter()]

    def beat() -> None:
        now = time.perf_counter()
        gaps.append((now - last[0]) * 1e3)
        last[0] = now

    heart = QTimer()
    heart.setTimerType(Qt.TimerType.PreciseTimer)
    heart.timeout.connect(beat)
    heart.start(2)
    shown, sizes, loop = [], [], QEventLoop()
    began = [0.0]

    def show(_case: str, images: object, error: Exception | None) -> None:
        if error is not None:
            raise error
        canvas.set_case(images, "one-up")
        canvas.repaint()
        shown.append((time.perf_counter() - began[0]) * 1e3)
        loop.quit()

    prefetch.loaded.connect(show)
    for number in range(cases):
        began[0] = time.perf_counter()
        room = canvas.room("one-up")
        prefetch.want(f"case {number}", _tiles(files, number), room)
        if len(shown) <= number:
            loop.exec()
        prefetch.ahead(f"case {number + 1}", _tiles(files, number + 1), room)
        QTimer.singleShot(120, loop.quit)  # the reader looks at it; a very fast one
        loop.exec()
        sizes.append(psutil.Process().memory_info().rss / 1e6)
    prefetch.close()
    heart.stop()
    print(f"{cases} cases of {COLUMNS} × {ROWS} one after the other, one prefetched")
    row("next case, asked for to painted", Spent(shown[1:]))
    row("the first, not prefetched", Spent(shown[:1]))
    early, late = median(sizes[5:15]), median(sizes[-10:])
    print(
        f"  memory after 10 cases {early:.0f} MB, at the end {late:.0f} MB, most {max(sizes):.0f}"
    )
    late_beats = sorted(gaps)[-5:]
    print(f"  longest stalls of the GUI thread: {', '.join(f'{gap:.0f}' for gap in late_beats)} ms")


def _tiles(files: list[str], number: int) -> list[CaseTile]:
    return [CaseTile(0, files[number % len(files)], COLUMNS, ROWS)]


def start_up(times: int = 5) -> None:
    """Time `python main.py` from the process's start to its first painted window."""
    code = (
        "import time, psutil; from app.command import first_window; first_window();"
        "print(time.time() - psutil.Process().create_time())"
    )
    spent = []
    for _ in range(times):
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        spent.append(float(run.stdout.split()[-1]) * 1e3)
    print("start")
    row("process to first window", Spent(spent))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--frames", type=int, default=40)
    arguments = parser.parse_args()
    application = QApplication([])
    theme.apply(application)
    print(f"{os.cpu_count()} cores, load before: {psutil.getloadavg()[0]:.1f}")
    start_up()
    image = picture()
    for size in (VIEW, SMALL):
        drags_and_zooms(image, size, arguments.frames)
    with tempfile.TemporaryDirectory() as folder:
        study = Study.create(Path(folder) / "study", StudySettings())
        for seed in range(6):
            made = picture(seed)
            place = study.image_folder(f"image-{seed}")
            place.mkdir(parents=True)
            write_image(place, made.stored, made.attributes)
        reading(study, arguments.cases)
        study.close()


if __name__ == "__main__":
    main()
