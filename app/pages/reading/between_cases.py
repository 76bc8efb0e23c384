"""What comes between and over cases: time limits, feedback, breaks."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from sqlalchemy import select

from app.pages.reading.page import ReadingPage
from app.recording.cases import CaseToRead
from app.recording.session import ReadingSession
from app.ui.text import tr, trn
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Image


class BetweenCases(QObject):
    """Keeps the study's times; calls `go_on` when the next case may be shown."""

    def __init__(self, page: ReadingPage, go_on: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._page, self._go_on = page, go_on
        self._session: ReadingSession | None = None
        self._labels: dict[str, str] = {}
        self._read = 0
        self._waiting: list[tuple[str, str, float]] = []
        self._limit = _timer(self, self._time_is_up)
        self._rest = _timer(self, self._rested)
        self._left_ms = 0
        page.went_on.connect(self._next_step)

    def begin(self, session: ReadingSession) -> None:
        """Follow a session."""
        self._session, self._read = session, 0
        wanted = session.study.settings.feedback != "off"
        self._labels = _reference(session.study) if wanted else {}

    def stop(self) -> None:
        """Cancel what was to come."""
        self._limit.stop()
        self._rest.stop()
        self._waiting, self._session, self._left_ms = [], None, 0

    def case_begun(self) -> None:
        """Start the case's time."""
        if self._session is not None and self._session.study.settings.time_limit_s:
            seconds = self._session.study.settings.time_limit_s
            self._limit.start(round(1000 * seconds / self._session.clock.speed))

    def pause(self) -> None:
        """Stop the case's time while a panel covers it."""
        self._left_ms = max(self._limit.remainingTime(), 0) if self._limit.isActive() else 0
        self._limit.stop()

    def resume(self) -> None:
        """Let it continue."""
        if self._left_ms:
            self._limit.start(self._left_ms)
            self._left_ms = 0

    def case_ended(self, case: CaseToRead, *, more: bool) -> None:
        """Show feedback and break if the study has them, then continue."""
        self._limit.stop()
        self._read += 1
        assert self._session is not None
        settings = self._session.study.settings
        label = self._labels.get(case.case_id)
        if label and (settings.feedback == "on" or case.practice):
            given = self._page.answer or "–"
            sign = "✓" if given == label else "✕"
            yours = tr("Your answer: {answer}", answer=given)
            reference = tr("Reference: {answer}", answer=label)
            self._waiting.append((tr("Feedback"), f"{sign} {yours}\n{reference}", 0.0))
        every = settings.break_after_cases
        if every and more and self._read % every == 0:
            text = trn(
                "You have read {count} case. Rest your eyes on something far away, and continue "
                "when you are ready.",
                "You have read {count} cases. Rest your eyes on something far away, and continue "
                "when you are ready.",
                self._read,
            )
            self._waiting.append((tr("Take a break"), text, settings.break_s))
        self._next_step()

    def _next_step(self) -> None:
        if self._session is None:
            return
        if not self._waiting:
            self._go_on()
            return
        heading, text, seconds = self._waiting.pop(0)
        if seconds:
            self._rest.start(round(1000 * seconds / self._session.clock.speed))
            least = tr("The break lasts at least {seconds:g} s.", seconds=seconds)
            text = f"{text} {least}"
        self._page.show_between(heading, text, may_go_on=not seconds)
        self._shown = (heading, text)

    def _rested(self) -> None:
        if self._page.state == "between":
            self._page.show_between(*self._shown)

    def _time_is_up(self) -> None:
        if self._page.state == "reading":
            self._page.cover(tr("Time is up: answer now."))
            self._page.paused.emit()


def _reference(study: Study) -> dict[str, str]:
    """Return the label of each case's images where they agree."""
    query = select(CaseImage.case_id, Image.label).join(Image, Image.id == CaseImage.image_id)
    labels: dict[str, set[str | None]] = {}
    with study.database.read() as session:
        for case_id, label in session.execute(query):
            labels.setdefault(case_id, set()).add(label)
    agreed = ((case, found.pop()) for case, found in labels.items() if len(found) == 1)
    return {case: label for case, label in agreed if label}


def _timer(parent: QObject, slot: Callable[[], object]) -> QTimer:
    made = QTimer(parent)
    made.setSingleShot(True)
    made.timeout.connect(slot)
    return made
