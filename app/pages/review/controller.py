"""The review page: which readings may be looked at, and reading them back off the GUI thread."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.pages.review.page import ReviewPage
from app.recording.replay import Replay, load_replay, readings_to_review
from app.ui.background import run
from migrations.study.folder import Study


class ReviewController(QObject):
    """Fills the page; a reader sees own readings only, a researcher all.

    Parameters
    ----------
    session_open
        Whether a session goes on: then nothing is shown.
    """

    def __init__(self, page: ReviewPage, session_open: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._page, self._session_open = page, session_open
        self._study: Study | None = None
        self._wanted = ["", ""]
        page.chosen.connect(self._load)

    def set_study(self, study: Study | None) -> None:
        """Review this study from now on."""
        self._study = study

    def show(self, reader: str | None, *, researcher: bool, reading_id: str = "") -> None:
        """Show readings: a reader's own, or all of them side by side to a researcher."""
        if self._study is None:
            return
        is_open = self._session_open()
        whose = None if researcher else (reader or "")
        rows = [] if is_open else readings_to_review(self._study, whose)
        self._page.show_rows(rows, side_by_side=researcher, open_session=is_open)
        if reading_id:
            self._page.select(reading_id)

    def _load(self, side: int, reading_id: str) -> None:
        study, self._wanted[side] = self._study, reading_id
        if study is None or not reading_id:
            self._page.show_replay(side, None)
            return
        self._page.show_busy()

        def took(replay: Replay) -> None:
            if self._wanted[side] == reading_id:  # else another was chosen meanwhile
                self._page.show_replay(side, replay)

        run(
            self,
            lambda: load_replay(study, reading_id),
            took,
            lambda error: self._page.show_error(str(error)),
        )
