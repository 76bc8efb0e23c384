"""Loads images ahead of the reader, in a thread: reading a file holds no lock the GUI needs."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor

from PySide6.QtCore import QObject, Qt, Signal

from app.images.greyscale import display_lut
from app.images.store import LoadedImage, load
from migrations.study import Study

log = logging.getLogger(__name__)


class Prefetcher(QObject):
    """Holds at most the image on the screen and the next one.

    Signals
    -------
    loaded : str, object, object
        Image id, the image or None, the exception or None; on the GUI thread.
    """

    loaded = Signal(str, object, object)
    _done = Signal(str)

    def __init__(self, study: Study, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._study = study
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="foveate-prefetch")
        self._futures: dict[str, Future[LoadedImage]] = {}
        self._wanted = ""
        self._done.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def ahead(self, image_id: str) -> None:
        """Begin to load an image that will be wanted."""
        if image_id not in self._futures:
            future = self._pool.submit(_ready, self._study, image_id)
            self._futures[image_id] = future
            future.add_done_callback(lambda _f: self._tell(image_id))

    def want(self, image_id: str) -> None:
        """Ask for an image: `loaded` follows, at once where it was loaded ahead."""
        self._wanted = image_id
        self.ahead(image_id)
        if self._futures[image_id].done():
            self._deliver(image_id)

    def close(self) -> None:
        """Drop everything."""
        self._wanted = ""
        self._futures.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _tell(self, image_id: str) -> None:
        try:
            self._done.emit(image_id)
        except RuntimeError:
            log.info("An image was loaded after its session had ended.")

    def _deliver(self, image_id: str) -> None:
        if image_id != self._wanted:
            return
        self._wanted = ""
        # What is on the screen is held by the canvas; what was skipped is not needed again.
        future = self._futures.pop(image_id)
        error = future.exception()
        self.loaded.emit(image_id, None if error else future.result(), error)


def _ready(study: Study, image_id: str) -> LoadedImage:
    image = load(study, image_id)
    display_lut(image.attributes)  # its Modality LUT is computed once and kept
    return image
