"""Clears images of burned-in names: connects page and study, makes pictures off the GUI thread."""

from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from app.pages.clearing.cells import Shown
from app.pages.clearing.page import ClearingPage
from app.ui.background import Task, run
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.text import tr
from migrations.study.folder import Study


class ClearingController(StationJob):
    """One study's images on the clearing page."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = ClearingPage()
        self.pages = (JobPage("clearing", page),)
        self._study: Study | None = None
        self._loading: Task | None = None
        self._tasks: set[Task] = set()
        self._stop = Event()
        page.clear_wanted.connect(self._clear)
        page.opened.connect(self._open)
        page.black_out_wanted.connect(self._black_out)
        page.turned.connect(self._turned)
        page.left.connect(lambda: context.go("worklist"))

    def open(self, study: Study) -> None:
        """Clear images of this study from now on."""
        self.close()
        self._study = study
        self.page.by.setText(last_clearer(study))

    def refresh(self) -> None:
        """Show what is waiting, and load the missing pictures."""
        if self._study is None:
            return
        self.page.show_images(to_clear(self._study))
        self._load(self._study, self.page.images)

    def close(self) -> None:
        """Stop loading pictures, and wait for what is being written."""
        self._stop.set()
        for task in list(self._tasks):
            task.wait()

    def _turned(self) -> None:
        if self._study is not None:
            self._load(self._study, self.page.images)

    def _load(self, study: Study, images: Sequence[SheetImage]) -> None:
        self._stop.set()  # an earlier sheet's loading ends by itself
        self._stop = stop = Event()
        side = self.page.sheet.side_wanted()
        missing = [i.image_id for i in images if not self.page.sheet.has_picture(i.image_id)]

        def work() -> None:
            for image_id in missing:
                if stop.is_set():
                    return
                full = picture(study, image_id)
                task.report((image_id, Shown(full, thumbnail(full, side))))

        task = Task(work, self)
        task.progressed.connect(lambda made: self.page.show_picture(*made))
        task.failed.connect(lambda e: self.context.show_error(tr("An image cannot be shown"), e))
        self._start(task)

    def _clear(self) -> None:
        study, page = self._study, self.page
        if study is None:
            return
        ids, by = page.to_be_cleared, page.clearer
        page.show_busy(True)

        def done(_count: int) -> None:
            page.show_busy(False)
            page.pass_held()
            self.refresh()
            self.context.notices.cases_changed.emit()

        self._run(lambda: clear(study, ids, by), done, tr("The images could not be cleared"))

    def _open(self, image_id: str) -> None:
        study = self._study
        if study is None:
            return

        def work() -> tuple[NDArray[np.uint8], int]:
            image = next(i for i in to_clear(study) if i.image_id == image_id)
            known = bool(image.manufacturer or image.model)
            return picture(study, image_id), len(same_device(study, image)) if known else -1

        def done(made: tuple[NDArray[np.uint8], int]) -> None:
            shown = self.page.large_image
            if shown is not None and shown.image_id == image_id:
                self.page.show_large(image_id, made[0])
                self.page.show_same_device(made[1])

        self._run(work, done, tr("The image cannot be shown"))

    def _black_out(self) -> None:
        study, page, image = self._study, self.page, self.page.large_image
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
            self.refresh()
            if page.large_image is not None:
                page.open_large(image.image_id)

        self._run(work, done, tr("The image could not be blacked out"))

    def _run(self, work: Callable[[], Any], done: Callable[[Any], object], what: str) -> None:
        def failed(error: Exception) -> None:
            self.page.show_busy(False)
            self.context.show_error(what, error)

        task = run(self, work, done, failed)
        self._tasks.add(task)
        task.ended.connect(lambda: self._tasks.discard(task))

    def _start(self, task: Task) -> None:
        self._tasks.add(task)
        task.ended.connect(lambda: self._tasks.discard(task))
        task.ended.connect(task.deleteLater)
        task.start()
