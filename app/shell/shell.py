"""The window and its pages as one: what they show of study, reader, tracker and errors."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.pages.calibration.page import CalibrationPage
from app.pages.clearing.page import ClearingPage
from app.pages.pretrain.page import TrainingPage
from app.pages.reading.page import ReadingPage
from app.pages.review.page import ReviewPage
from app.pages.settings.page import SettingsPage
from app.pages.setup.page import SetupPage
from app.pages.worklist.page import WorklistPage
from app.recording.worklist import worklist
from app.shell.start_page import StartPage
from app.shell.studies import finished_readings, readers_of, why_not_read
from app.shell.window import MainWindow
from app.ui.dialogs import MessageDialog
from devices.tracker import TrackerInfo
from migrations.study.folder import Study

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """What is said of a recording.

    Attributes
    ----------
    text
        A few words.
    warn
        Whether the reader has to know now.
    detail
        The whole story, with what to do; empty where `text` tells all.
    """

    text: str
    warn: bool = False
    detail: str = ""


class Shell:
    """Makes the pages and fills them.

    Attributes
    ----------
    last_error
        What the user was told last, empty at first.
    """

    def __init__(self, window: MainWindow, *, full_screen: bool) -> None:
        self.window = window
        self.last_error = ""
        self._full_screen = full_screen
        self.start, self.worklist = StartPage(), WorklistPage()
        self.calibration, self.reading = CalibrationPage(), ReadingPage()
        self.training, self.clearing = TrainingPage(), ClearingPage()
        self.review, self.setup, self.settings = ReviewPage(), SetupPage(), SettingsPage()
        self.pages: dict[str, QWidget] = {
            "start": self.start,
            "worklist": self.worklist,
            "calibration": self.calibration,
            "reading": self.reading,
            "training": self.training,
            "clearing": self.clearing,
            "review": self.review,
            "setup": self.setup,
            "settings": self.settings,
        }
        window.add_pages(self.pages)

    def show_study(self, study: Study, reader: str | None, *, cleared_only: bool) -> None:
        """Show what a study holds for a reader, and what can be done next."""
        rows = worklist(study, reader or "")
        if not cleared_only:
            rows = [replace(row, to_clear=0) for row in rows]
        self.worklist.show_rows(rows)
        self.worklist.show_readers(readers_of(study, reader), reader)
        self.training.show_readings(finished_readings(study))
        why_not = why_not_read(rows, reader)
        self.worklist.show_ready(not why_not, not why_not, why_not)
        for name in ("calibration", "reading"):
            self.window.enable(name, not why_not, why_not)
        self.window.show_reader(f"Reader {reader}" if reader else "No reader chosen")

    def show_tracker(
        self, info: TrackerInfo | None, chosen: str, points: int, *, recording: bool
    ) -> None:
        """Show which tracker is used; `info` is None before it was found."""
        if info is None:
            self.window.show_device(f"Tracker: {chosen}")
            return
        self.window.show_device(info.name, recording=recording)
        self.calibration.show_device(info.name, info.calibrates, points)

    def show_health(self, health: Health) -> None:
        """Say in the strip and in the navigation how the recording stands."""
        self.reading.strip.show_tracking(health.text, warn=health.warn, detail=health.detail)
        self.window.show_trouble(health.text if health.warn else "", health.detail)

    def show_error(self, title: str, error: Exception | str) -> None:
        """Say what went wrong; recording goes on behind the message."""
        self.last_error = str(error)
        log.error("%s: %s", title, type(error).__name__)
        MessageDialog(self.window, title, self.last_error).open()

    def refuse_study(self, error: Exception) -> None:
        """Say on the start page why a study cannot be opened."""
        self.start.show_error(str(error))
        self.window.show_page("start")

    def go_bare(self) -> None:
        """Give the page the whole window, and the screen where that is wanted."""
        self.window.set_bare(True, full_screen=self._full_screen)

    def leave_bare(self) -> None:
        """Show the navigation again."""
        self.window.set_bare(False)

    def screenshot(self, name: str, path: Path) -> None:
        """Write a picture of the window showing a page, or of the page as it is if it is shown."""
        if self.window.current != name:
            self.window.show_page(name)
        self.window.grab().save(str(path))
