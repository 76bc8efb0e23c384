"""Clears images of burned-in names: page and study joined, pictures made off the GUI thread."""

from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.images.clearing import (
    SheetImage,
    black_out,
    clear,
    last_clearer,
    mask_device,
    picture,
    same_device,
    thumbnail,
    to_clear,
)
from app.pages.clearing.page import ClearingPage
from app.ui.background import Task, run
from migrations.study.folder import Study

_SIDE = 320


class ClearingController(QObject):
    """One study's images on the clearing page.

    Signals
    -------
    changed
        Images were cleared, so that more cases can be read.
    failed : str, object
        What could not be done, and the exception.
    """

    changed = Signal()
    failed = Signal(str, object)

    def __init__(self, page: ClearingPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._study: Study | None = None
        self._loading: Task | None = None
        self._tasks: set[Task] = set()
        self._stop = Event()
        page.clear_wanted.connect(self._clear)
        page.opened.connect(self._open)
        page.black_out_wanted.connect(self._black_out)

    def set_study(self, study: Study | None) -> None:
        """Clear images of this study from now on."""
        self.close()
        self._study = study
        if study is not None:
            self._page.by.setText(last_clearer(study))

    def show(self) -> None:
        """Lay out what waits, and load the pictures that are not there yet."""
        if self._study is None:
            return
        self._page.show_images(to_clear(self._study))
        self._load(self._study, self._page.images)

    def close(self) -> None:
        """Stop loading pictures, and wait for what is being written."""
        self._stop.set()
        for task in list(self._tasks):
            task.wait()

    def _load(self, study: Study, images: Sequence[SheetImage]) -> None:
        self._stop.set()  # an earlier sheet's loading ends by itself
        self._stop = stop = Event()
        missing = [i.image_id for i in images if not self._page.sheet.has_picture(i.image_id)]

        def work() -> None:
            for image_id in missing:
                if stop.is_set():
                    return
                task.report((image_id, thumbnail(picture(study, image_id), _SIDE)))

        task = Task(work, self)
        task.progressed.connect(lambda made: self._page.show_thumbnail(*made))
        task.failed.connect(lambda error: self.failed.emit("An image cannot be shown", error))
        self._start(task)

    def _clear(self) -> None:
        study, page = self._study, self._page
        if study is None:
            return
        ids, by, held = page.to_be_cleared, page.clearer, set(page.sheet.held)
        page.show_busy(True)

        def done(_count: int) -> None:
            page.show_busy(False)
            page.sheet.held = held
            self.show()
            self.changed.emit()

        self._run(lambda: clear(study, ids, by), done, "The images could not be cleared")

    def _open(self, image_id: str) -> None:
        study = self._study
        if study is None:
            return

        def work() -> tuple[NDArray[np.uint8], int]:
            image = next(i for i in to_clear(study) if i.image_id == image_id)
            known = bool(image.manufacturer or image.model)
            return picture(study, image_id), len(same_device(study, image)) if known else -1

        def done(made: tuple[NDArray[np.uint8], int]) -> None:
            shown = self._page.large_image
            if shown is not None and shown.image_id == image_id:
                self._page.show_large(image_id, made[0])
                self._page.show_same_device(made[1])

        self._run(work, done, "The image cannot be shown")

    def _black_out(self) -> None:
        study, page, image = self._study, self._page, self._page.large_image
        if study is None or image is None:
            return
        rectangles, by = tuple(page.large.rectangles), page.clearer
        everywhere = page.for_device.isChecked()
        page.show_busy(True)

        def work() -> list[str]:
            if everywhere:
                return mask_device(study, image, rectangles, by)
            black_out(study, image.image_id, rectangles, by)
            return [image.image_id]

        def done(changed: list[str]) -> None:
            page.show_busy(False)
            for image_id in changed:
                page.sheet.forget(image_id)
            self.show()
            if page.large_image is not None:
                page.open_large(image.image_id)

        self._run(work, done, "The image could not be blacked out")

    def _run(self, work: Callable[[], Any], done: Callable[[Any], object], what: str) -> None:
        def failed(error: Exception) -> None:
            self._page.show_busy(False)
            self.failed.emit(what, error)

        task = run(self, work, done, failed)
        self._tasks.add(task)
        task.ended.connect(lambda: self._tasks.discard(task))

    def _start(self, task: Task) -> None:
        self._tasks.add(task)
        task.ended.connect(lambda: self._tasks.discard(task))
        task.ended.connect(task.deleteLater)
        task.start()
