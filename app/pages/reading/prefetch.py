"""Loads cases ahead of the reader, in a thread: reading a file holds no lock the GUI needs."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from PySide6.QtCore import QObject, Qt, Signal

from app.hanging.lightbox import Hung, LightBox
from app.images.greyscale import display_lut
from app.images.store import load
from app.recording.worklist import CaseTile
from migrations.study.folder import Study

log = logging.getLogger(__name__)

Images = tuple[Hung, ...]
Room = tuple[str, tuple[float, float], float, float]
"""Hanging, width and height of the canvas, device pixels per one of its own, band of a tile."""


class Prefetcher(QObject):
    """Holds at most the images of the case on the screen and of the next one.

    Signals
    -------
    loaded : str, object, object
        Case id, its images (tuple of `Hung`) or None, the exception or None; on the GUI thread.
    """

    loaded = Signal(str, object, object)
    _done = Signal(str)

    def __init__(self, study: Study, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._study = study
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="foveate-prefetch")
        self._futures: dict[str, Future[Images]] = {}
        self._wanted = ""
        self._done.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def ahead(self, case_id: str, tiles: Sequence[CaseTile], room: Room | None = None) -> None:
        """Begin to load a case that will be needed, sampled for where it will hang."""
        if case_id not in self._futures:
            future = self._pool.submit(_ready, self._study, tuple(tiles), room)
            self._futures[case_id] = future
            future.add_done_callback(lambda _f: self._tell(case_id))

    def want(self, case_id: str, tiles: Sequence[CaseTile], room: Room | None = None) -> None:
        """Ask for a case: `loaded` follows, at once if it was loaded ahead."""
        self._wanted = case_id
        for other in [c for c in self._futures if c != case_id]:
            self._futures.pop(other).cancel()  # loaded ahead, but another was requested first
        self.ahead(case_id, tiles, room)
        if self._futures[case_id].done():
            self._deliver(case_id)

    def close(self) -> None:
        """Discard everything."""
        self._wanted = ""
        self._futures.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _tell(self, case_id: str) -> None:
        try:
            self._done.emit(case_id)
        except RuntimeError:
            log.info("A case was loaded after its session had ended.")

    def _deliver(self, case_id: str) -> None:
        if case_id != self._wanted:
            return
        self._wanted = ""
        # The canvas holds what is on the screen; what was skipped is not needed again.
        future = self._futures.pop(case_id)
        error = future.exception()
        self.loaded.emit(case_id, None if error else future.result(), error)


def _ready(study: Study, tiles: Sequence[CaseTile], room: Room | None) -> Images:
    images = tuple(_hung(study, tile) for tile in tiles)
    if room is not None:
        hanging, size, ratio, band = room
        box = LightBox(0, band)
        box.hang(images, hanging, size, ratio)
        for view in box.views.values():
            view.viewport.resample_ahead(view.image.stored, ratio)
    return images


def _hung(study: Study, tile: CaseTile) -> Hung:
    image = load(study, tile.image_id)
    display_lut(image.attributes)  # its Modality LUT is computed once and kept
    return Hung(tile.tile, image)
