"""Runs `python main.py export FORMAT` alongside the station."""

from pathlib import Path
from typing import Any

from app.pages.export.page import Choices, ExportPage
from app.ui.background import run
from app.ui.job import JobContext, JobPage
from app.ui.side_job import SideJob
from app.ui.text import tr, trn
from app.workspace.export_formats import ENCODER, ExportFormat, copy_encoder
from app.workspace.runs import runs


class ExportController(SideJob):
    """Exports the study in any format."""

    def __init__(self, context: JobContext) -> None:
        self.page = ExportPage()
        place = JobPage("export", self.page, tr("Export"), "researcher", "import", "probe")
        super().__init__(context, self.page, place)
        self.page.export_wanted.connect(self._export)

    def refresh(self) -> None:
        """Read the runs again."""
        study = self._study
        if study is None:
            return

        def shown(found: Any) -> None:
            if study is self._study:
                self.page.show_study(study.exports, found)

        run(self, lambda: runs(study), shown,
            lambda e: self.context.show_error(tr("The runs cannot be read"), e))  # fmt: skip

    def _export(self, one: ExportFormat, out: Path, choices: Choices) -> None:
        study = self._study
        if study is None:
            return
        if one.name == ENCODER:
            self._copy(study.runs / choices.run, out)
            return
        words = one.words(
            study.folder, out, encoder=choices.run, measure=choices.measure,
            licence=choices.licence, with_images=choices.with_images,
        )  # fmt: skip

        def done() -> None:
            self.page.show_written(out, self.side.last_words)

        def failed(text: str) -> None:
            self._ended(text, "error")

        def stopped() -> None:
            self._ended(tr("Stopped. The unfinished export was removed."), "lead")

        if self.side.start(words, done, failed, stopped):
            self.page.show_running(True)

    def _copy(self, folder: Path, out: Path) -> None:
        def copied(files: list[Path]) -> None:
            self.page.show_written(out, _copied(len(files), out))

        def failed(error: Exception) -> None:
            why = getattr(error, "strerror", None) or error
            self._ended(tr("{out} cannot be written: {why}.", out=out, why=why), "error")

        run(self, lambda: copy_encoder(folder, out), copied, failed)


def _copied(count: int, out: Path) -> str:
    return trn("{count} file copied to {out}.", "{count} files copied to {out}.", count, out=out)
