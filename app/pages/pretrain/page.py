"""Pretrain: start a training, watch it learn, stop it, queue more, open the results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.pages.pretrain import run_words
from app.pages.pretrain.advice import Advice
from app.pages.pretrain.compared import ComparedPanel, ComparePanel
from app.pages.pretrain.curve import Curve
from app.pages.pretrain.form import WIDTH, TrainingForm
from app.pages.pretrain.run_settings import RunSettings
from app.pages.pretrain.run_view import STAGES, SWEEP, ProgressPanel, RunView
from app.pages.pretrain.waiting import WaitingPanel
from app.ui import theme
from app.ui.page import Page
from app.ui.small_widgets import button, column, label, panel, row, say, scrolled
from app.ui.text import tr, trn
from app.workspace.device_use import DeviceUse
from app.workspace.estimate import Estimate
from migrations.study.jobs import Job
from migrations.study.view_size import ViewProposal


class TrainingPage(Page):
    """Follows one training, or a comparison of many.

    Attributes
    ----------
    state
        "idle", "running", "finished", "stopped" or "failed".
    folder
        Of the study, which paths in results start from unless they are absolute.
    result
        The trainer's last event once it has finished or stopped.

    Signals
    -------
    pretrain_wanted : object
        The trainer's options (list of words).
    stop_wanted
        Stop with a checkpoint.
    take_back_wanted : object
        A waiting job should not run after all.
    compare_wanted : object
        The options of a sweep, gaze against plain (list of words).
    settings_wanted
        The trainer should be asked for all its settings.
    """

    pretrain_wanted = Signal(object)
    stop_wanted = Signal()
    take_back_wanted = Signal(object)
    compare_wanted = Signal(object)
    settings_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("training", tr("Pretrain"))
        self.state = "idle"
        self.result: dict[str, Any] = {}
        self.folder = Path()
        self._command = "train"
        self.view = RunView()
        self.form = TrainingForm()
        self.form.all_wanted.connect(self.settings_wanted)
        self.pretrain = button(
            "pretrain", tr("Pretrain"), self._start, role="primary", picture="play"
        )
        self.stop = button("stop", tr("Stop"), self._stop, picture="stop")
        self.report = button("open_report", tr("Open report"), self._open_report, picture="open")
        for made in (self.stop, self.pretrain):
            self.head.addWidget(made)
        content = row(gap=2 * theme.GRID)
        left = column(gap=2 * theme.GRID)
        left.addWidget(self.form, 1)
        self.compare = ComparePanel()
        self.compare.setFixedWidth(WIDTH)
        self.compare.wanted.connect(self._compare)
        left.addWidget(self.compare)
        content.addLayout(left)
        right = QWidget()
        right.setLayout(self._make_right())
        content.addWidget(scrolled(right), 1)
        self.body.addLayout(content, 1)
        self._readings = 0
        self.show_readings(0)

    @property
    def curve(self) -> Curve:
        """The curve of the loss."""
        return self.view.signals.curves["loss"]

    @property
    def step(self) -> int:
        """Steps done, as last reported."""
        return self.view.step

    @property
    def message(self) -> str:
        """The state of the run, in one line."""
        if self.state == "running":
            return f"{self.state_text} {self._progress.text}".strip()
        return f"{self.state_text} {self._result_text.text()}".strip()

    def show_readings(self, finished: int) -> None:
        """Say whether there is something to learn from."""
        self._readings = finished
        if self.state == "idle":
            self.say_state(run_words.waiting(finished))
        self._buttons()

    def show_settings(self, settings: RunSettings) -> None:
        """Offer every setting that the trainer has."""
        self.form.show_settings(settings)

    def show_no_settings(self, why: str) -> None:
        """Say that the trainer did not answer."""
        self.form.show_no_settings(why)

    def show_estimate(self, estimate: Estimate) -> None:
        """Say what a run with these settings will need."""
        self.advice.show_estimate(estimate)

    def show_proposal(self, proposal: ViewProposal) -> None:
        """Offer the view size that the cohort suggests."""
        self.advice.show_proposal(proposal, int(self.form.values()["size"]))

    def show_queue(self, waiting: Sequence[Job]) -> None:
        """List what runs next; each can be removed."""
        self._queue.show_jobs(waiting)

    def show_started(self, options: Sequence[str], command: str = "train") -> None:
        """Show that a training with these options begins, or ("sweep") a comparison."""
        self.state, self.result, self._command = "running", {}, command
        self.view.begin((self.folder, command, *options))
        self._notices.clear()
        for old in (self._notice, self._result, self.compared, self.advice):
            old.hide()
        self._progress.begin()
        self._say_stage({"stage": "cohort" if command == "train" else SWEEP, "message": ""})
        self._buttons()

    def show_stage(self, event: dict[str, Any]) -> None:
        """Show that a stage begins."""
        if event.get("stage") == SWEEP:
            self.view.begin_next()
        self._say_stage(event)

    def show_progress(self, event: dict[str, Any]) -> None:
        """Show the progress of a stage."""
        self._progress.progress(event)

    def show_metrics(self, event: dict[str, Any]) -> None:
        """Show the signals of a training step."""
        self.view.show_metrics(event)
        self.say_state(tr("Training, epoch {epoch} of {epochs}.", epoch=event["epoch"],
                          epochs=event["epochs"]))  # fmt: skip

    def show_use(self, use: DeviceUse | None) -> None:
        """Show what the training uses of the computer."""
        self._progress.show_use(use if self.state == "running" else None)

    def show_log(self, line: str) -> None:
        """Show a line that the trainer wrote."""
        self.view.log.add(line)

    def show_warning(self, event: dict[str, Any]) -> None:
        """Show a warning of the trainer, which continues."""
        text = str(event.get("message", ""))
        self.view.log.add(f"⚠ {text}")
        if text not in self._notices:
            self._notices.append(text)
        self._notice.setText("\n".join(f"⚠ {line}" for line in self._notices[-3:]))
        self._notice.show()

    def show_finished(self, event: dict[str, Any]) -> None:
        """Show that the training is done."""
        self._end("finished", event)
        if self._command == "sweep":
            self.show_compared(event)
            return
        self.say_state(run_words.trained(int(event.get("images") or 0), event.get("positive_rate")))
        self._show_result(
            tr("Encoder: {encoder}\nReport: {report}",
               encoder=event.get("encoder") or "–", report=event.get("report") or "–")
        )  # fmt: skip

    def show_compared(self, event: dict[str, Any]) -> None:
        """Show the result of a comparison, new or from before the window was opened."""
        self.compared.show_result(event)
        if self.state in ("idle", "finished"):
            self.say_state(trn("✓ Compared with {count} seed.", "✓ Compared with {count} seeds.",
                               int(event.get("seeds") or 0)))  # fmt: skip

    def show_stopped(self, event: dict[str, Any]) -> None:
        """Show that the user stopped it."""
        self._end("stopped", event)
        step, is_sweep = event.get("step"), self._command == "sweep"
        if is_sweep:
            self.say_state(tr("The comparison was stopped."))
        else:
            self.say_state(
                tr("Stopped.") if step is None else tr("Stopped at step {step}.", step=step)
            )
        is_kept = bool(event.get("checkpoint"))
        self._show_result(run_words.continued(is_sweep=is_sweep, is_kept=is_kept))

    def show_failed(self, text: str) -> None:
        """Show that it failed, and why."""
        self._end("failed", {})
        self.say_state(tr("The training failed."), "error")
        self._show_result(text)

    def _end(self, state: str, event: dict[str, Any]) -> None:
        self.state, self.result = state, event
        self._progress.hide()
        self.advice.show()
        self._buttons()

    def _buttons(self) -> None:
        running = self.state == "running"
        self.pretrain.setEnabled(self._readings > 0)
        self.pretrain.setText(f" {tr('Add to queue') if running else tr('Pretrain')}")
        self.pretrain.setToolTip("" if self._readings else tr("Read some cases first."))
        self.stop.setEnabled(running)
        self.compare.start.setEnabled(self._readings > 0)
        self.report.setVisible(self.state == "finished" and bool(self.result.get("report")))

    def _start(self) -> None:
        if self._may_start():
            self.pretrain_wanted.emit(self.form.options())

    def _compare(self, seeds: int) -> None:
        if self._may_start():
            self.compare_wanted.emit(self.form.sweep_options(seeds))

    def _may_start(self) -> bool:
        if problem := self.form.problem():
            self.say_state(problem, "warning")
        return not problem

    def _stop(self) -> None:
        self.stop.setEnabled(False)
        self.say_state(tr("Stopping after this step…"))
        self.stop_wanted.emit()

    def _open_report(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder / self.result["report"])))

    def _say_stage(self, event: dict[str, Any]) -> None:
        stage = str(event.get("stage", ""))
        words = tr(STAGES.get(stage, stage))
        self.say_state(words)
        self._progress.stage(event)
        self.view.log.add(f"{words} {event.get('message') or ''}")

    def _show_result(self, text: str) -> None:
        say(self._result_text, text, "body")
        self._result.show()

    def _make_right(self) -> QVBoxLayout:
        right = column(gap=2 * theme.GRID)
        self._progress, self.compared, self._queue = (
            ProgressPanel(),
            ComparedPanel(),
            WaitingPanel(),
        )
        self._result = self._make_result()
        self._queue.take_back_wanted.connect(self.take_back_wanted)
        self.advice = Advice(self.form.encoder.said)
        self.advice.size_wanted.connect(lambda size: self.form.preset(size=size))
        self._notices: list[str] = []
        self._notice = label("", "warning")
        self._notice.hide()
        for part in (self._progress, self.compared, self._result, self._queue, self.advice,
                     self._notice):  # fmt: skip
            right.addWidget(part)
        right.addWidget(self.view.signals, 1)
        right.addWidget(self.view.log)
        return right

    def _make_result(self) -> QFrame:
        frame, layout = panel()
        self._result_text = label("")
        self._result_text.setObjectName("training_result")
        line = row(self._result_text)
        line.setStretch(0, 1)
        line.addWidget(self.report)
        layout.addLayout(line)
        frame.hide()
        return frame
