"""Reading cases: page, session, prefetched images, and who else wants to know what is seen."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, QTimer, Signal

from app.images.store import LoadedImage
from app.pages.reading import ReadingPage
from app.reading.cases import CaseToRead
from app.reading.session import ReadingSession
from app.wiring.prefetch import Prefetcher
from devices.geometry import ScreenGeometry
from devices.view import CLOSED, TileView

_STRIP_MS = 250


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
        self._strip = QTimer(self)
        self._strip.setInterval(_STRIP_MS)
        self._strip.timeout.connect(self._show_status)
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
        self._strip.start()
        self._show_status()
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
        assert self._session is not None
        assert self._prefetch is not None
        case = self._session.next_case()
        if case is None:
            self._complete()
        else:
            self._coming = case
            self._prefetch.want(case.tiles[0].image_id)

    def _loaded(self, _image_id: str, image: LoadedImage | None, error: Exception | None) -> None:
        if self._session is None or image is None:
            self._stop()
            self._page.leave()
            self.failed.emit(error)
            return
        case = self._coming
        self._session.begin(case)
        self._case = case
        self._page.show_case(case.case_id, image, case.index + 1, case.total)
        self.case_shown.emit(case.case_id)
        following = self._session.next_case()
        if following is not None and self._prefetch is not None:
            self._prefetch.ahead(following.tiles[0].image_id)

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
        count = len(self._session.cases)
        self._page.show_complete(f"All {count} cases of this worklist are read.")
        self._stop()
        self.completed.emit()

    def _back(self) -> None:
        self._page.leave()
        self.ended.emit()

    def _stop(self) -> None:
        self._case = self._session = None
        self._strip.stop()
        self._page.strip.clear()
        if self._prefetch is not None:
            self._prefetch.close()
            self._prefetch.deleteLater()
            self._prefetch = None
        self.seen.emit(None, None)

    def _show_status(self) -> None:
        if self._session is None:
            return
        status = self._session.recorder.status()
        lost_s = status.lost_for_us / 1e6
        if status.problem:
            self._page.strip.show_tracking(status.problem, warn=True)
        elif lost_s > self._session.study.settings.lost_sign_s:
            self._page.strip.show_tracking(f"No gaze for {lost_s:.0f} s", warn=True)
        else:
            self._page.strip.show_tracking("Tracking", warn=False)

    def _guarded(self, act: Callable[[ReadingSession, str], object]) -> Callable[[str], None]:
        def run(value: str) -> None:
            if self._session is not None and self._case is not None:
                act(self._session, value)

        return run
