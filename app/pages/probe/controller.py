"""Runs `python main.py probe` alongside the station and shows its figures."""

import shutil
from typing import Any

from app.pages.probe.page import ProbePage
from app.ui.background import run
from app.ui.job import JobContext, JobPage
from app.ui.side_job import SideJob
from app.ui.text import tr
from app.workspace.probes import ProbeAsked, probe_folder, probe_rows
from app.workspace.runs import runs


class ProbeController(SideJob):
    """Measures how well encoders distinguish classes."""

    def __init__(self, context: JobContext) -> None:
        self.page = ProbePage()
        place = JobPage("probe", self.page, tr("Probe"), "researcher", "check", "features")
        super().__init__(context, self.page, place)
        self.page.probe_wanted.connect(self._probe)

    def refresh(self) -> None:
        """Read the runs and the last figures again."""
        study = self._study
        if study is None:
            return

        def shown(found: Any) -> None:
            if study is self._study:
                self.page.show_runs(found[0])
                self.page.show_rows(found[1])

        run(self, lambda: (runs(study), probe_rows(probe_folder(study))), shown,
            lambda e: self.context.show_error(tr("The runs cannot be read"), e))  # fmt: skip

    def _probe(self, asked: ProbeAsked) -> None:
        study = self._study
        if study is None:
            return
        out = probe_folder(study)
        # Into a temporary folder first: a failed or stopped probe leaves the last one unchanged.
        new = out.with_name("probe.unfinished")
        shutil.rmtree(new, ignore_errors=True)

        def done() -> None:
            shutil.rmtree(out, ignore_errors=True)
            new.rename(out)
            self._ended(tr("✓ Done. The tables are in {folder}.", folder=out), "lead")
            self.page.show_rows(probe_rows(out))

        def failed(text: str) -> None:
            self._ended(text, "error")

        def stopped() -> None:
            self._ended(tr("Stopped. Nothing was saved."), "lead")

        if self.side.start(asked.words(study.folder, new), done, failed, stopped):
            self.page.show_running(True)
