"""The page Pretrain and the queue of trainings, which continues when the window is closed."""

import logging
import subprocess
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QTimer

from app.pages.pretrain.compared import SEEDS
from app.pages.pretrain.encoder_question import EncoderQuestion
from app.pages.pretrain.encoder_told import EncoderTold
from app.pages.pretrain.last_form import keep_form, last_form
from app.pages.pretrain.page import TrainingPage
from app.pages.pretrain.queue import TrainerQueue
from app.pages.pretrain.run_settings import RunSettings, settings_of
from app.ui.background import run
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.text import tr
from app.workspace.cohort import finished_readings
from app.workspace.device_use import DeviceUse, device_use
from app.workspace.estimate import estimate
from app.workspace.runs import RunRow, runs
from migrations.study.folder import SERVER, Study
from migrations.study.job_check import outside_files, refusal
from migrations.study.jobs import FOREIGN, Job, read_job
from migrations.study.view_size import SeenParts, propose, seen_parts

log = logging.getLogger(__name__)

_MEASURED_EVERY_MS = 3000


class TrainingController(StationJob):
    """Starts, follows and stops trainings; hands their events to the page."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = TrainingPage()
        self.pages = (JobPage("training", page, tr("Pretrain"), "researcher", after="similarity"),)
        self._study: Study | None = None
        self._runs: tuple[RunRow, ...] = ()
        self._seen = SeenParts()
        self._from_server = False
        queue = self.queue = TrainerQueue(self)
        queue.started.connect(lambda job: page.show_started(job.options, job.command))
        queue.logged.connect(page.show_log)
        queue.stage.connect(page.show_stage)
        queue.progress.connect(page.show_progress)
        queue.metrics.connect(page.show_metrics)
        queue.warning.connect(page.show_warning)
        queue.finished.connect(page.show_finished)
        queue.stopped.connect(page.show_stopped)
        queue.failed.connect(page.show_failed)
        queue.changed.connect(self._show_queue)
        page.pretrain_wanted.connect(self.start)
        page.compare_wanted.connect(self._compare)
        page.stop_wanted.connect(queue.stop)
        page.take_back_wanted.connect(self._take_back)
        page.settings_wanted.connect(self._load_settings)
        page.form.changed.connect(self._show_estimate)
        self._told: EncoderTold | None = None
        self._question = EncoderQuestion(lambda: queue.program, self)
        self._question.asked.connect(self._forget_told)
        self._question.answered.connect(self._show_told)
        self._measuring = False
        self._meter = QTimer(self)
        self._meter.setInterval(_MEASURED_EVERY_MS)
        self._meter.timeout.connect(self._measure)
        context.notices.study_changed.connect(self._count_readings)
        context.notices.reproduce_wanted.connect(self.reproduce)
        context.notices.server_read.connect(self.read_server)

    def open(self, study: Study) -> None:
        """Train on this study from now on; a running training is found again."""
        if self.page.folder != study.folder:
            self._restore_form(study)
        self._study = study
        self.page.folder = study.folder
        self.queue.set_study(study.folder)
        if compared := self.queue.compared():
            self.page.show_compared(compared)
        self._meter.start()
        self.refresh()

    def refresh(self) -> None:
        """Read again what there is to learn from, and the time and memory of earlier runs."""
        self._count_readings()
        self._read_runs()

    def _read_runs(self) -> None:
        study = self._study
        if study is None:
            return

        def known(found: tuple[tuple[RunRow, ...], SeenParts]) -> None:
            self._runs, self._seen = found
            self._show_estimate()

        run(self, lambda: (runs(study), seen_parts(study)), known, lambda _e: None)

    def read_server(self, from_server: bool) -> None:
        """Train on the readings of the laboratory's server, or on this station's rows."""
        self._from_server = from_server

    def start(self, options: Sequence[str]) -> None:
        """Put a training at the end of the queue; files it names were chosen in the form."""
        self._start_from_form(options, "train")

    def _compare(self, options: Sequence[str]) -> None:
        self._start_from_form(options, "sweep")

    def _start_from_form(self, options: Sequence[str], command: str) -> None:
        study = self._study
        if study is not None and self._queue_up(
            options, outside_files(study.folder, options), command
        ):
            seeds = self.page.compare.seeds.value()
            keep_form(study.folder, {**self.page.form.said(), "seeds": seeds})

    def _restore_form(self, study: Study) -> None:
        """Fill in the settings last started for this study, else the defaults."""
        form, seeds = self.page.form, self.page.compare.seeds
        said = last_form(study.folder)
        try:
            if said is not None:
                form.restore(said)
                seeds.setValue(int(said["seeds"]))
                return
        except (KeyError, TypeError, ValueError):
            log.warning("The settings last started cannot be filled in.", exc_info=True)
        form.reset()
        seeds.setValue(SEEDS)

    def _queue_up(
        self, options: Sequence[str], agreed: Sequence[str], command: str = "train"
    ) -> bool:
        """Put a job at the end of the queue; if it may not be, say why and return False."""
        assert self._study is not None
        server = ["--database", SERVER] if self._from_server else []
        if why := refusal(self._study.folder, options, agreed):
            self.page.show_failed(
                tr(
                    "The training was not started. {why} If you want it, choose it in the form.",
                    why=why,
                )
            )
            return False
        try:
            # Put first: what follows the "--" of a sweep is for its trainings only.
            self.queue.start([*server, *options], agreed, command)
        except OSError as error:
            place = error.filename or self._study.runs
            self.page.show_failed(
                tr("{path} cannot be written: {why}.", path=place, why=error.strerror)
            )
            return False
        return True

    def reproduce(self, row: RunRow) -> None:
        """Start a new run with the settings of another, which may have come from elsewhere."""
        if self._study is not None:
            self._queue_up([*settings_of(row.config), "--fresh"], ())

    def close(self) -> None:
        """Stop following; what is running continues and is found again."""
        self._study = None
        self._meter.stop()
        self.queue.close()

    def _measure(self) -> None:
        """Read what the running training uses, off the GUI thread."""
        job = self.queue.job
        if job is None or self._measuring or not self.page.isVisible():
            return
        self._measuring = True

        def measured(use: DeviceUse | None) -> None:
            self._measuring = False
            self.page.show_use(use)

        def work() -> DeviceUse | None:
            now = read_job(job.folder)
            return None if now is None or not now.pid else device_use(now.pid, now.pid_created)

        run(self, work, measured, lambda _e: measured(None))

    def _count_readings(self) -> None:
        if self._study is not None:
            self.page.show_readings(finished_readings(self._study))

    def _show_queue(self) -> None:
        waiting = [j for j in self.queue.jobs() if j.state in ("waiting", FOREIGN)]
        followed = self.queue.job
        self.page.show_queue([j for j in waiting if followed is None or j.id != followed.id])
        self._read_runs()

    def _take_back(self, job: Job) -> None:
        self.queue.take_back(job)

    def _show_estimate(self) -> None:
        form = self.page.form
        self._question.put(form.encoder_question())
        net = self._told.net if self._told is not None else None
        self.page.show_estimate(estimate(self._runs, form.values(), net))
        self.page.show_proposal(propose(self._seen, str(form.values()["encoder"])))

    def _forget_told(self) -> None:
        self._told = None
        self.page.form.encoder.show_asked()

    def _show_told(self, told: EncoderTold | None) -> None:
        self._told = told
        self.page.form.encoder.show_told(told)
        self._show_estimate()

    def _load_settings(self) -> None:
        program = self.queue.program

        def load() -> Any:
            done = subprocess.run(
                [*program, "train", "--describe"], capture_output=True, text=True, check=True
            )
            return RunSettings.from_json(done.stdout)

        run(self, load, self.page.show_settings, lambda e: self.page.show_no_settings(str(e)))
