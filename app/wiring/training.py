"""The training page and the trainer's process."""

from collections.abc import Sequence

from PySide6.QtCore import QObject

from app.pages.training import TrainingPage
from app.trainer_process import TrainerProcess
from migrations.study import Study


class TrainingController(QObject):
    """Starts and stops the trainer; hands its events to the page."""

    def __init__(self, page: TrainingPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._study: Study | None = None
        process = self.process = TrainerProcess(self)
        process.stage.connect(page.show_stage)
        process.progress.connect(page.show_progress)
        process.metrics.connect(page.show_metrics)
        process.warning.connect(page.show_warning)
        process.finished.connect(page.show_finished)
        process.stopped.connect(page.show_stopped)
        process.failed.connect(page.show_failed)
        page.pretrain_wanted.connect(self.start)
        page.stop_wanted.connect(process.stop)

    def set_study(self, study: Study | None) -> None:
        """Train on this study from now on."""
        self._study = study
        if study is not None:
            self._page.folder = study.folder

    def start(self, options: Sequence[str]) -> None:
        """Start a training unless one runs."""
        if self._study is None or self.process.running:
            return
        self._page.show_started()
        self.process.start(self._study.folder, options)

    def close(self) -> None:
        """Stop with a checkpoint and wait for it."""
        self.process.close()
