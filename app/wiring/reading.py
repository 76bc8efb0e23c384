"""Reading cases: page, session, prefetched images, and who else wants to know what is seen."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, QTimer, Signal

from app.errors import ImageUnreadable
from app.images.store import LoadedImage
from app.pages.reading import ReadingPage
from app.reading.cases import CaseToRead
from app.reading.session import ReadingSession
from app.wiring.prefetch import Prefetcher
from devices.geometry import ScreenGeometry
from devices.view import CLOSED, TileView

log = logging.getLogger(__name__)


class ReadingController(QObject):
    """Leads a session through its cases.

    Signals
    -------
    case_shown : str
        A case stands on the screen.
    seen : object, object
        The view (`TileView`) and image now on the screen; None, None when there is none.
    completed
        All is read.
    ended
        The reader left, or wants to go back.
    failed : object
        An exception the reader must be told of.
    """

    case_shown = Signal(str)
    seen = Signal(object, object)
    completed = Signal()
    ended = Signal()
    failed = Signal(object)

    def __init__(self, page: ReadingPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._session: ReadingSession | None = None
        self._prefetch: Prefetcher | None = None
        self._case: CaseToRead | None = None
        self._skipped: list[str] = []
        self._shown = 0
        page.view_changed.connect(self._view_changed)
        page.answered.connect(self._guarded(lambda s, label: s.answer(label)))
        page.next_wanted.connect(self._next)
        page.paused.connect(self._paused)
        page.resumed.connect(lambda: self._view_changed("open"))
        page.left.connect(self._left)
        page.back_wanted.connect(self._back)

    @property
    def reading(self) -> bool:
        """Whether a case is open."""
        return self._case is not None

    def start(self, session: ReadingSession, geometry: ScreenGeometry) -> None:
        """Show the next case of a session."""
        self._session = session
        self._prefetch = Prefetcher(session.study, self)
        self._prefetch.loaded.connect(self._loaded)
        self._page.canvas.origin_desktop = QPointF(geometry.x_desktop, geometry.y_desktop)
        self._page.set_classes(session.study.settings.classes)
        self._page.strip.show_recording(True)
        self._skipped, self._shown = [], 0
        self._page.show_loading()
        self._load_next()

    def interrupt(self, reason: str) -> None:
        """End what is open as interrupted, whatever the reason."""
        if self._session is not None and self._case is not None:
            self._page.canvas.flush()
            self._session.interrupt(reason)
            self._page.leave()
        self._stop()

    def placement_changed(self) -> None:
        """Tell that the window moved."""
        if self.reading:
            self._page.canvas.placement_changed()

    def _load_next(self) -> None:
        if self._session is None or self._prefetch is None:  # left meanwhile
            return
        case = self._session.next_case()
        if case is None:
            self._complete()
        else:
            self._coming = case
            self._prefetch.want(case.tiles[0].image_id)

    def _loaded(self, _image_id: str, image: LoadedImage | None, error: Exception | None) -> None:
        if self._session is None:
            return
        case = self._coming
        if image is None:
            self._skip(self._session, case, error)
            return
        self._session.begin(case)
        self._case = case
        notice = _skipped_text(self._skipped) if self._skipped else ""
        self._skipped, self._shown = [], self._shown + 1
        self._page.show_case(case.case_id, image, case.index + 1, case.total, notice)
        self.case_shown.emit(case.case_id)
        following = self._session.next_case()
        if following is not None and self._prefetch is not None:
            self._prefetch.ahead(following.tiles[0].image_id)

    def _skip(self, session: ReadingSession, case: CaseToRead, error: Exception | None) -> None:
        log.error("A case was skipped: its image cannot be shown.", exc_info=error)
        session.set_aside(case)
        self._skipped.append(case.name)
        # A turn of the event loop between two, however many are damaged.
        QTimer.singleShot(0, self._load_next)

    def _view_changed(self, kind: str) -> None:
        if self._session is None or self._case is None:
            return
        canvas = self._page.canvas
        view = canvas.tile_view(self._session.clock.now_us(), kind)
        self._session.show(view)
        self.seen.emit(view, canvas.image)

    def _next(self) -> None:
        if self._session is None or self._case is None:
            return
        self._case = None
        self.seen.emit(None, None)
        self._session.finish()
        self._load_next()

    def _paused(self) -> None:
        if self._session is not None and self._case is not None:
            now_us = self._session.clock.now_us()
            closed: TileView = self._page.canvas.tile_view(now_us, CLOSED)
            self._session.show(replace(closed, kind=CLOSED))
            self.seen.emit(None, None)

    def _left(self) -> None:
        if self._session is not None and self._case is not None:
            self._session.interrupt("left by the reader")
        self._stop()
        self.ended.emit()

    def _complete(self) -> None:
        assert self._session is not None
        cases = self._session.cases
        if self._skipped and not self._shown:
            self._stop()
            self._page.leave()
            self.failed.emit(ImageUnreadable(_nothing_text(self._skipped)))
            return
        self._page.show_complete(_complete_text(cases.finished_count, len(cases), cases.aside))
        self._stop()
        self.completed.emit()

    def _back(self) -> None:
        self._page.leave()
        self.ended.emit()

    def _stop(self) -> None:
        self._case = self._session = None
        self._page.strip.clear()
        if self._prefetch is not None:
            self._prefetch.close()
            self._prefetch.deleteLater()
            self._prefetch = None
        self.seen.emit(None, None)

    def _guarded(self, act: Callable[[ReadingSession, str], object]) -> Callable[[str], None]:
        def run(value: str) -> None:
            if self._session is not None and self._case is not None:
                act(self._session, value)

        return run


def _named(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _skipped_text(names: Sequence[str]) -> str:
    verb = "is damaged and was skipped" if len(names) == 1 else "are damaged and were skipped"
    return f"{_named(names)} {verb}."


def _complete_text(read: int, total: int, aside: Sequence[str]) -> str:
    if not aside:
        return f"All {total} cases of this worklist are read."
    return (
        f"{read} of {total} cases of this worklist are read. {_named(aside)} could not be shown: "
        "the image is missing or damaged. The next session offers it again."
    )


def _nothing_text(names: Sequence[str]) -> str:
    return (
        f"{_named(names)}: the image is missing or damaged, and no other case is left to read. "
        "Restore the study's images from a copy, or import the files again; the next session "
        "offers the case again."
    )
