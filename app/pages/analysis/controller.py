"""Runs `analyse` or `performance` alongside the station and shows the results."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.pages.analysis.page import AnswerPage
from app.ui.background import run
from app.ui.job import JobContext
from app.ui.side_process import SideProcess
from app.ui.text import tr
from app.workspace.results import notes_of, read_figures
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.incomplete import MARK
from migrations.study.names import resolve


def _incomplete() -> str:
    return tr(
        "These results are not complete: the work was stopped while they were written, and some "
        "may be from an earlier run. Run it again."
    )


class AnswerController(QObject):
    """One command, its page and its folder in the study's exports.

    Parameters
    ----------
    command
        "analyse" or "performance".
    folder
        Name of the folder in the study's exports.
    """

    def __init__(
        self, page: AnswerPage, command: str, folder: str, context: JobContext, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.page, self._command, self._name, self._context = page, command, folder, context
        self._study: Study | None = None
        self.process = SideProcess(self)
        self.process.told.connect(page.work.take)
        page.run_wanted.connect(self.start)
        page.work.stop_wanted.connect(self.process.stop)
        page.replay_wanted.connect(self._replay)

    @property
    def folder(self) -> Path:
        """The output folder of the command."""
        assert self._study is not None
        return self._study.exports / self._name

    def set_study(self, study: Study | None) -> None:
        """Show this study; a command for another one is ended."""
        self.process.close()
        self._study = study
        self.page.show_running(False)
        self.refresh()

    def refresh(self) -> None:
        """Read the results again, off the GUI thread."""
        if self._study is None or self.process.running:
            return
        folder = self.folder
        run(
            self,
            lambda: (read_figures(folder), notes_of(folder)),
            lambda found: self._show(folder, *found),
            lambda error: self._context.show_error(tr("The figures cannot be read"), error),
        )

    def start(self, words: Sequence[str]) -> None:
        """Run the command with options."""
        if self._study is None or self.process.running:
            return
        study, out = str(self._study.folder), str(self.folder)
        self.page.show_running(True)
        self.page.say_state(tr("Working… You can keep using the station."))
        command = [self._command, "--study", study, "--out", out, *words, "--events", "json"]
        self.process.start(command, self._finished, self._failed, self._stopped)

    def close(self) -> None:
        """End the running command."""
        self.process.close()

    def _show(self, folder: Path, figures: Any, notes: list[str]) -> None:
        if self._study is not None and folder == self.folder and not self.process.running:
            self.page.show_results(folder, figures, notes)
            if (folder / MARK).is_file():
                self.page.say_state(_incomplete(), "warning")

    def _finished(self) -> None:
        self.page.show_running(False)
        self.refresh()

    def _stopped(self) -> None:
        self.page.show_running(False)
        if (self.folder / MARK).is_file():
            self.refresh()
        else:
            self.page.say_state(tr("Stopped. The earlier results are unchanged."), "warning")

    def _failed(self, text: str) -> None:
        self.page.show_running(False)
        self.page.say_state(text, "error")

    def _replay(self, name: str) -> None:
        study = self._study
        if study is None:
            return

        def find() -> str:
            with study.database.read() as rows:
                return resolve(rows, "reading", name)

        failed: Callable[[Exception], object] = lambda error: self.page.say_state(  # noqa: E731
            str(error) if isinstance(error, StudyError) else tr("The reading was not found."),
            "warning",
        )
        run(self, find, self._context.notices.replay_wanted.emit, failed)
