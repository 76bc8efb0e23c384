"""The page Pretrain and the queue of trainings, which goes on when the window is closed."""

import subprocess
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject

from app.pages.pretrain.page import TrainingPage
from app.pages.pretrain.queue import TrainerQueue
from app.pages.pretrain.run_settings import RunSettings, settings_of
from app.ui.background import run
from app.workspace.estimate import estimate
from app.workspace.runs import RunRow, runs
from migrations.study.folder import SERVER, Study
from migrations.study.jobs import Job


class TrainingController(QObject):
    """Starts, follows and stops trainings; hands their events to the page."""

    def __init__(self, page: TrainingPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._study: Study | None = None
        self._runs: tuple[RunRow, ...] = ()
        self._from_server = False
        queue = self.queue = TrainerQueue(self)
        queue.started.connect(lambda job: page.show_started(job.options))
        queue.stage.connect(page.show_stage)
        queue.progress.connect(page.show_progress)
        queue.metrics.connect(page.show_metrics)
        queue.warning.connect(page.show_warning)
        queue.finished.connect(page.show_finished)
        queue.stopped.connect(page.show_stopped)
        queue.failed.connect(page.show_failed)
        queue.changed.connect(self._show_queue)
        page.pretrain_wanted.connect(self.start)
        page.stop_wanted.connect(queue.stop)
        page.take_back_wanted.connect(self._take_back)
        page.settings_wanted.connect(self._load_settings)
        page.form.changed.connect(self._show_estimate)

    def set_study(self, study: Study | None) -> None:
        """Train on this study from now on; a training that goes on is found again."""
        self._study = study
        if study is not None:
            self._page.folder = study.folder
        self.queue.set_study(None if study is None else study.folder)
        self.refresh()

    def refresh(self) -> None:
        """Read again what time and memory earlier runs took."""
        study = self._study
        if study is None:
            return

        def known(found: tuple[RunRow, ...]) -> None:
            self._runs = found
            self._show_estimate()

        run(self, lambda: runs(study), known, lambda _e: None)

    def read_server(self, from_server: bool) -> None:
        """Train on what the laboratory's server holds, or on this station's rows."""
        self._from_server = from_server

    def start(self, options: Sequence[str]) -> None:
        """Put a training at the end of the queue."""
        if self._study is None:
            return
        server = ["--database", SERVER] if self._from_server else []
        try:
            self.queue.start([*options, *server])
        except OSError as error:
            self._page.show_failed(f"{self._study.runs} cannot be written: {error.strerror}.")

    def reproduce(self, row: RunRow) -> None:
        """Start a new run with the settings of another."""
        self.start([*settings_of(row.config), "--fresh"])

    def close(self) -> None:
        """Look away; what runs goes on and is found again."""
        self.queue.close()

    def _show_queue(self) -> None:
        waiting = [j for j in self.queue.jobs() if j.state == "waiting"]
        followed = self.queue.job
        self._page.show_queue([j for j in waiting if followed is None or j.id != followed.id])
        self.refresh()

    def _take_back(self, job: Job) -> None:
        self.queue.take_back(job)

    def _show_estimate(self) -> None:
        self._page.show_estimate(estimate(self._runs, self._page.form.values()))

    def _load_settings(self) -> None:
        program = self.queue.program

        def load() -> Any:
            done = subprocess.run(
                [*program, "train", "--describe"], capture_output=True, text=True, check=True
            )
            return RunSettings.from_json(done.stdout)

        run(self, load, self._page.show_settings, lambda e: self._page.show_no_settings(str(e)))
