"""Reading cases: connects page, session and prefetched images, and reports what is seen."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QPointF, QTimer, Signal

from app.errors import ImageUnreadable
from app.pages.reading.aids import show_aids
from app.pages.reading.answers import Answers
from app.pages.reading.between_cases import BetweenCases
from app.pages.reading.page import ReadingPage
from app.pages.reading.prefetch import Images, Prefetcher
from app.recording.cases import CaseToRead
from app.recording.session import ReadingSession
from app.ui.edge_bands import text_pixels
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.keys import load_keys
from app.ui.screen import outside_screen
from app.ui.text import tr, trn
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.view import CLOSED

log = logging.getLogger(__name__)


class ReadingController(StationJob):
    """Leads a session through its cases.

    Attributes
    ----------
    before_case
        Called with a function to call when the next case may be shown; may do something first (a
        drift probe). By default it calls it at once.

    Signals
    -------
    case_shown : str
        A case is on the screen.
    seen : object, object
        The view (`TileView`) and image now on the screen; None, None when there is none.
    completed
        Everything is read.
    ended
        The reader left, or wants to go back.
    end_wanted
        The reader wants to end the session.
    recording_changed : str
        "recording" while gaze at a case is kept, "paused", or "open" where no case is shown.
    failed : object
        An exception that the reader must be told about.
    """

    end_wanted = Signal()
    recording_changed = Signal(str)
    case_shown = Signal(str)
    seen = Signal(object, object)
    completed = Signal()
    ended = Signal()
    failed = Signal(object)

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = ReadingPage()
        self.pages = (JobPage("reading", page, tr("Reading"), "reader"),)
        self._session: ReadingSession | None = None
        self._geometry: ScreenGeometry | None = None
        self._prefetch: Prefetcher | None = None
        self._case: CaseToRead | None = None
        self._held: Images | None = None
        self._skipped: list[str] = []
        self._shown = 0
        self.before_case: Callable[[Callable[[], None]], object] = lambda go_on: go_on()
        self.answers = Answers(page, self)
        self.between = BetweenCases(page, self._go_on, self)
        page.use_keys(load_keys().keys)
        context.notices.keys_changed.connect(page.use_keys)
        page.may_resume = self._not_here
        page.view_changed.connect(self._view_changed)
        page.next_wanted.connect(self._next)
        page.paused.connect(self._paused)
        page.resumed.connect(self._resumed)
        page.left.connect(self._left)
        page.back_wanted.connect(self._back)
        page.end_wanted.connect(self.end_wanted)
        self.answers.covered.connect(self._paused)
        self.answers.uncovered.connect(self._resumed)

    @property
    def reading(self) -> bool:
        """Whether a case is open."""
        return self._case is not None

    def start(self, session: ReadingSession, geometry: ScreenGeometry) -> None:
        """Show the next case of a session."""
        self._session, self._geometry = session, geometry
        self._prefetch = Prefetcher(session.study, self)
        self._prefetch.loaded.connect(self._loaded)
        settings, canvas = session.study.settings, self.page.canvas
        canvas.origin_desktop = QPointF(geometry.x_desktop, geometry.y_desktop)
        canvas.view_pixel_mm = geometry.width_mm / geometry.width_screen
        canvas.with_words = settings.edge_words
        self.page.set_text_size(text_pixels(canvas.view_pixel_mm))
        self.page.set_study(
            settings.classes, settings.annotations, settings.questions,
            with_sheet=bool(settings.case_sheet),
        )  # fmt: skip
        self._skipped, self._shown = [], 0
        self.answers.begin(session)
        self.between.begin(session)
        self.page.show_loading()
        self._load_next()

    def interrupt(self, reason: str) -> None:
        """End what is open as interrupted, whatever the reason."""
        if self._session is not None and self._case is not None:
            self.page.canvas.flush()
            self.answers.leave_correction()
            self._session.interrupt(reason)
            self.page.leave()
        self._stop()

    def pause(self) -> None:
        """Hide the images, as the reader's own pause does."""
        if self.reading and self.page.state in ("reading", "addendum"):
            self.page.hold(tr("If you leave, the case will be shown again."))

    def placement_changed(self) -> None:
        """Report that the window moved; off the tracked screen, nothing is recorded."""
        if not self.reading:
            return
        against = self._not_here()
        if not against:
            self.page.canvas.placement_changed()
        elif self.page.state in ("reading", "addendum"):
            self.page.hold(against, tr("Recording is paused"))

    def screen_changed(self, geometry: ScreenGeometry, text: str) -> None:
        """Report that the tracked screen itself has changed; the reader is asked to check it."""
        self._geometry = geometry
        canvas = self.page.canvas
        canvas.origin_desktop = QPointF(geometry.x_desktop, geometry.y_desktop)
        canvas.view_pixel_mm = geometry.width_mm / geometry.width_screen
        if self._session is not None and self._case is not None:
            if self.page.state in ("reading", "addendum"):
                self.page.hold(text, tr("The screen has changed"))
            self._show(CLOSED)

    def _load_next(self) -> None:
        if self._session is None or self._prefetch is None:  # left meanwhile
            return
        case = self._session.next_case()
        if case is None:
            self._complete()
        else:
            self._coming = case
            self._prefetch.want(case.case_id, case.tiles, self.page.canvas.room(case.hanging))

    def _loaded(self, _case_id: str, images: Images | None, error: Exception | None) -> None:
        if self._session is None:
            return
        if images is None:
            self._skip(self._session, self._coming, error)
            return
        against = self._not_here()
        if against:
            self._held = images
            self.page.hold(against, tr("Recording has not started"))
            return
        self._begin(images)

    def _begin(self, images: Images) -> None:
        session, case = self._session, self._coming
        assert session is not None
        session.begin(case)
        self._case = case
        self._tell_recording()
        notice = _skipped_text(self._skipped) if self._skipped else ""
        self._skipped, self._shown = [], self._shown + 1
        self.answers.case_begun(case, images)
        place = case.name, case.index + 1, case.total
        sheet = session.sheet(case)
        self.page.show_case(case.case_id, images, case.hanging, *place, notice, sheet)
        show_aids(self.page.canvas, case, session.aids(case))
        self.between.case_begun()
        self.case_shown.emit(case.case_id)
        following = session.next_case()
        if following is not None and self._prefetch is not None:
            room = self.page.canvas.room(following.hanging)
            self._prefetch.ahead(following.case_id, following.tiles, room)

    def _skip(self, session: ReadingSession, case: CaseToRead, error: Exception | None) -> None:
        log.error("A case was skipped: its image cannot be shown.", exc_info=error)
        session.set_aside(case)
        self._skipped.append(case.name)
        # A turn of the event loop between two, however many are damaged.
        QTimer.singleShot(0, self._load_next)

    def _view_changed(self, kind: str, tile: int) -> None:
        if self._session is None or self._case is None:
            return
        canvas = self.page.canvas
        view = canvas.tile_view(self._session.clock.now_us(), kind, tile)
        self._session.show(view, self._geometry)
        shown = canvas.box.views.get(tile)
        if shown is not None:
            self.seen.emit(view, shown.image)

    def _next(self) -> None:
        if self._session is None or self._case is None:
            return
        case, self._case = self._case, None
        self.page.strip.show_recording(False)
        self.recording_changed.emit("open")
        self.seen.emit(None, None)
        self._session.finish()
        self.answers.case_ended()
        self.between.case_ended(case, more=self._session.next_case() is not None)

    def _go_on(self) -> None:
        """Show the next case, after whatever comes between two."""
        self.before_case(self._load_next)

    def _paused(self) -> None:
        if self._session is not None and self._case is not None:
            self.page.strip.show_recording(False, paused=True)
            self.recording_changed.emit("paused")
            self.between.pause()
            if self._session.reading_id is not None:
                self._session.pause()
            self._show(CLOSED)
            self.seen.emit(None, None)

    def _resumed(self) -> None:
        if self._held is not None:
            images, self._held = self._held, None
            self._begin(images)
            return
        self.between.resume()
        self._tell_recording()
        if self._session is not None and self._session.reading_id is not None:
            self._session.resume()
        for tile in self.page.canvas.tiles:
            self._view_changed("open", tile)

    def _tell_recording(self) -> None:
        self.page.strip.show_recording(True)
        self.recording_changed.emit("recording")

    def _show(self, kind: str) -> None:
        """Write that all tiles are as `kind` says."""
        assert self._session is not None
        now_us = self._session.clock.now_us()
        for tile in self.page.canvas.tiles:
            view = replace(self.page.canvas.tile_view(now_us, kind, tile), kind=kind)
            self._session.show(view, self._geometry)

    def _not_here(self) -> str:
        """Return what keeps the images off the tracked screen, "" for nothing."""
        if self._geometry is None:
            return ""
        canvas = self.page.canvas
        corner = canvas.mapToGlobal(QPointF(0, 0))
        place = (corner.x(), corner.y(), float(canvas.width()), float(canvas.height()))
        return outside_screen(place, self._geometry)

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
            self.page.leave()
            self.failed.emit(ImageUnreadable(_nothing_text(self._skipped)))
            return
        text = _complete_text(cases.finished_count, len(cases), cases.aside)
        self.page.show_complete(text, correctable=self.answers.correctable)
        self._stop()
        self.completed.emit()

    def _back(self) -> None:
        self.page.leave()
        self.answers.forget()
        self.ended.emit()

    def _stop(self) -> None:
        self._case = self._session = self._held = None
        self.recording_changed.emit("open")
        self.between.stop()
        self.page.strip.clear()
        if self._prefetch is not None:
            self._prefetch.close()
            self._prefetch.deleteLater()
            self._prefetch = None
        self.seen.emit(None, None)


def _named(names: Sequence[str], most: int = 4) -> str:
    first, more = ", ".join(names[:most]), len(names) - most
    return tr("{names} and {count} more", names=first, count=f"{more:,}") if more > 0 else first


def _skipped_text(names: Sequence[str]) -> str:
    return trn(
        "{names} is damaged and was skipped.",
        "{names} are damaged and were skipped.",
        len(names), names=_named(names),
    )  # fmt: skip


def _complete_text(read: int, total: int, aside: Sequence[str]) -> str:
    if not aside:
        return trn(
            "You have read the only case on this worklist.",
            "You have read all {count} cases on this worklist.",
            total,
        )
    done = tr(
        "You have read {read} of {total} cases on this worklist.",
        read=f"{read:,}", total=f"{total:,}",
    )  # fmt: skip
    missing = trn(
        "{names} could not be shown because the image is missing or damaged. "
        "It will be offered again in the next session.",
        "{names} could not be shown because their images are missing or damaged. "
        "They will be offered again in the next session.",
        len(aside), names=_named(aside),
    )  # fmt: skip
    return f"{done} {missing}"


def _nothing_text(names: Sequence[str]) -> str:
    return trn(
        "{names} cannot be shown because the image is missing or damaged, and no other case is "
        "left to read. Restore the study's images from a backup or import the files again. "
        "The case will be offered again in the next session.",
        "{names} cannot be shown because their images are missing or damaged, and no other case "
        "is left to read. Restore the study's images from a backup or import the files again. "
        "The cases will be offered again in the next session.",
        len(names), names=_named(names),
    )  # fmt: skip
