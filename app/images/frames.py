"""Pictures of the frames of a stack that were looked at, for the trainer, which renders nothing.

They are in `images/<id>/frames/`, one per frame, made in the same way as `presentation.png` (which
shows a stack's middle frame); `Study.presentation_of_frame` names them. A frame was looked at if it
has a fixation; its neighbours get a picture too, since a cohort includes them.
"""

import logging
import os
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

from sqlalchemy import select

from app.errors import AppError
from app.images.files import Unwritable, presentation_png
from app.images.store import load
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Fixation, Image

log = logging.getLogger(__name__)


def write_frames(study: Study, image_id: str, frames: Iterable[int]) -> int:
    """Write the pictures of frames (from 0) that are still missing; return how many.

    Each is written completely or not at all. Frames that the stack does not have are skipped.

    Raises
    ------
    ImageUnreadable
        If the image is missing or damaged.
    Unwritable
        If the disk is full or the folder cannot be written.
    """
    missing = [f for f in frames if not study.presentation_of_frame(image_id, f).is_file()]
    if not missing:
        return 0
    image, written = load(study, image_id), 0
    if image.stack is None:
        return 0
    for frame in missing:
        if not 0 <= frame < image.frame_count:
            continue
        png = presentation_png(image.stack[frame], image.attributes)
        path = study.presentation_of_frame(image_id, frame)
        try:
            path.parent.mkdir(exist_ok=True)
            part = path.with_suffix(".part")
            part.write_bytes(png)
            os.replace(part, path)
        except OSError as error:
            raise Unwritable(error.strerror or str(error)) from error
        written += 1
    return written


def frames_looked_at(study: Study, reading_id: str | None = None) -> dict[str, list[int]]:
    """Return, by image, the frames that were looked at and their neighbours, in order.

    Parameters
    ----------
    reading_id
        Only this reading; else all readings.
    """
    query = (
        select(Fixation.image_id, Fixation.frame, Image.frames)
        .join(Image, Image.id == Fixation.image_id)
        .where(Image.frames > 1)
        .distinct()
    )
    if reading_id is not None:
        query = query.where(Fixation.reading_id == reading_id)
    found: dict[str, set[int]] = defaultdict(set)
    by = study.settings.stack_frames
    with study.database.read() as rows:
        for image_id, frame, count in rows.execute(query):
            beside = range(max(frame - by, 0), min(frame + by + 1, count))
            found[str(image_id)].update(beside)
    return {image_id: sorted(frames) for image_id, frames in found.items()}


def write_looked_at(study: Study, reading_id: str | None = None) -> int:
    """Write the missing pictures of all frames that were looked at; return how many.

    An image that cannot be read, or a full disk, is logged: training names the frames it lacks, and
    they are made when the next session begins.
    """
    written = 0
    for image_id, frames in frames_looked_at(study, reading_id).items():
        try:
            written += write_frames(study, image_id, frames)
        except (AppError, Unwritable) as error:
            log.warning("frames of image %s: %s", short_name(image_id), error)
    return written


class FrameWriter:
    """Writes frames during a session, in a thread of its own: recording never waits for it.

    Parameters
    ----------
    committed
        Waits until everything so far is in the database.
    """

    def __init__(self, study: Study, committed: Callable[[], object]) -> None:
        self._study, self._committed = study, committed
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)

    def start(self) -> None:
        """Begin with the frames that earlier sessions left out."""
        self._thread.start()

    def put(self, reading_id: str) -> None:
        """Have the frames of a finished reading written."""
        self._waiting.put(reading_id)

    def close(self, timeout_s: float) -> None:
        """Finish what is waiting; anything slower is done when the next session begins."""
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        reading_id: str | None = None
        while True:
            try:
                self._committed()
                write_looked_at(self._study, reading_id)
            except StudyError:  # the database is busy or gone: the session itself reports it
                log.exception("frames could not be written")
            reading_id = self._waiting.get()
            if reading_id is None:
                return
