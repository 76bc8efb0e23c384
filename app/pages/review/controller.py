"""The review page: which readings may be looked at; they are loaded off the GUI thread."""

import threading
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from app.pages.review.page import ReviewPage
from app.pages.review.still import still_of, write_still
from app.pages.review.video import VideoPlan, write_video
from app.recording.replay import Replay, load_replay, readings_to_review
from app.ui.background import Task, run
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.text import tr
from migrations.study.folder import Study


class ReviewController(StationJob):
    """Fills the page; a reader sees only own readings, a researcher all of them side by side.

    While a session is open, nothing is shown.
    """

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = ReviewPage()
        self.pages = (JobPage("review", page, tr("Review"), "reader"),)
        self._study: Study | None = None
        self._wanted = ["", ""]
        page.chosen.connect(self._load)
        page.end_wanted.connect(self._end_session)
        page.picture_wanted.connect(self._ask_picture)
        page.video_wanted.connect(self._ask_video)
        self._stop = threading.Event()
        page.work.stop_wanted.connect(self.close)
        context.notices.session_closed.connect(self._session_closed)
        context.notices.replay_wanted.connect(self._replay)

    def open(self, study: Study) -> None:
        """Review this study from now on."""
        self._study = study

    def refresh(self) -> None:
        """Show the reader's own readings, or all of them to the researcher."""
        self._show(researcher=self.context.window.in_workspace)

    def _show(self, *, researcher: bool) -> None:
        if self._study is None:
            return
        is_open = self.context.session_busy()
        whose = None if researcher else (self.context.reader.name or "")
        rows = [] if is_open else readings_to_review(self._study, whose)
        self.page.show_rows(rows, side_by_side=researcher, open_session=is_open)

    def _replay(self, reading_id: str) -> None:
        self.context.go("review")
        self._show(researcher=True)
        self.page.select(reading_id)

    def _session_closed(self) -> None:
        if self.context.window.current == "review":
            self.refresh()

    def _end_session(self) -> None:
        self.context.close_session()
        self.context.go("review")

    def _ask_picture(self) -> None:
        """Ask where to save the picture of this instant, and write it there."""
        image, page = still_of(self.page.views), self.page  # before the file dialog covers it
        name, _ = QFileDialog.getSaveFileName(
            page, tr("Save picture"), "replay.png", tr("PNG (*.png)")
        )
        if name:
            run(
                self,
                lambda: write_still(image, Path(name)),
                lambda path: page.say_state(tr("Saved as {path}.", path=path)),
                lambda error: self.context.show_error(tr("The picture could not be saved"), error),
            )

    def _ask_video(self) -> None:
        """Ask where to save the video of this span, and write it there in the background."""
        page = self.page
        shown = tuple(v.replay for v in page.views if v.replay is not None)
        drawn = page.views[0].drawing
        over = (drawn.show_path, drawn.show_heat, drawn.show_gaze)
        plan = VideoPlan(shown, page.span.span, page.speed.currentData(), over)
        name, _ = QFileDialog.getSaveFileName(
            page, tr("Save video"), "replay.webm", tr("WebM (*.webm)")
        )
        if name:
            self.save_video(plan, Path(name))

    def save_video(self, plan: VideoPlan, path: Path) -> None:
        """Write a video off the GUI thread; the page shows the progress, and Stop."""
        stop, page = threading.Event(), self.page
        self._stop = stop

        def tell(done: int, total: int) -> None:
            event = {"event": "progress", "done": done, "total": total, "unit": tr("frames")}
            task.report(event)

        def wrote(written: Path | None) -> None:
            said = tr("Stopped. No video was saved.")
            page.say_state(said if written is None else tr("Saved as {path}.", path=written))

        task = Task(lambda: write_video(plan, path, tell, stop), self)
        task.progressed.connect(page.work.take)
        task.succeeded.connect(wrote)
        task.failed.connect(
            lambda error: self.context.show_error(tr("The video could not be saved"), error)
        )
        task.ended.connect(page.work.end)
        task.ended.connect(lambda: page.save_video.setEnabled(True))
        task.ended.connect(task.deleteLater)
        page.save_video.setEnabled(False)
        page.work.begin(tr("Saving the video."))
        task.start()

    def close(self) -> None:
        """Stop a video that is being written; the unfinished file is removed."""
        self._stop.set()

    def _load(self, side: int, reading_id: str) -> None:
        study, self._wanted[side] = self._study, reading_id
        if study is None or not reading_id:
            self.page.show_replay(side, None)
            return
        self.page.show_busy()

        def took(replay: Replay) -> None:
            if self._wanted[side] == reading_id:  # otherwise another was chosen meanwhile
                self.page.show_replay(side, replay)

        run(
            self,
            lambda: load_replay(study, reading_id),
            took,
            lambda error: self.page.show_error(str(error)),
        )
