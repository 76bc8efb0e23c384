"""Pretrain: press it, watch it learn, stop it, queue more, open what came out."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QProgressBar, QVBoxLayout, QWidget

from app.pages.pretrain.curve import Curve
from app.pages.pretrain.form import TrainingForm
from app.pages.pretrain.run_settings import RunSettings
from app.ui import theme
from app.ui.page import Page
from app.ui.small_widgets import Figure, button, column, label, panel, row, say
from app.workspace.estimate import Estimate
from migrations.study.clean_text import shown
from migrations.study.jobs import FOREIGN, Job

STAGES = {
    "cohort": "Collecting finished readings",
    "similarity": "Comparing gaze",
    "images": "Preparing images",
    "train": "Training",
    "export": "Exporting the encoder",
    "report": "Writing the report",
}
_COLLAPSED = 0.1
_WAITING = 0.1
_MOST_REPORTS = 2000
"""The trainer tells at most so many steps of a run."""


class TrainingPage(Page):
    """Follows one training.

    Attributes
    ----------
    state
        "idle", "running", "finished", "stopped" or "failed".
    folder
        Of the study, which paths in results start from unless they are absolute.
    result
        The trainer's last event once it finished or stopped.
    step
        Steps done, as last told.

    Signals
    -------
    pretrain_wanted : object
        The trainer's options (list of words).
    stop_wanted
        Stop with a checkpoint.
    take_back_wanted : object
        A waiting job is not to run after all.
    settings_wanted
        The trainer is to be asked for all its settings.
    """

    pretrain_wanted = Signal(object)
    stop_wanted = Signal()
    take_back_wanted = Signal(object)
    settings_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("training", "Pretrain")
        self.state = "idle"
        self.result: dict[str, Any] = {}
        self.folder = Path()
        self.step = self._before = 0
        self._settings: tuple[object, ...] = ()
        self.form = TrainingForm()
        self.form.all_wanted.connect(self.settings_wanted)
        self.pretrain = button("pretrain", "Pretrain", self._start, role="primary", picture="play")
        self.stop = button("stop", "Stop", self._stop, picture="stop")
        self.report = button("open_report", "Open report", self._open_report, picture="open")
        for made in (self.stop, self.pretrain):
            self.head.addWidget(made)
        content = row(gap=2 * theme.GRID)
        content.addWidget(self.form)
        content.addLayout(self._make_right(), 1)
        self.body.addLayout(content, 1)
        self._readings = 0
        self.show_readings(0)

    @property
    def message(self) -> str:
        """What it says of the run, in one line."""
        if self.state == "running":
            return f"{self.state_text} {self._detail.text()}".strip()
        return f"{self.state_text} {self._result_text.text()}".strip()

    def show_readings(self, finished: int) -> None:
        """Say whether there is something to learn from."""
        self._readings = finished
        if self.state == "idle":
            self._say_idle()
        self._buttons()

    def show_settings(self, settings: RunSettings) -> None:
        """Offer every setting that the trainer has."""
        self.form.show_settings(settings)

    def show_no_settings(self, why: str) -> None:
        """Say that the trainer could not be asked."""
        self.form.show_no_settings(why)

    def show_estimate(self, estimate: Estimate) -> None:
        """Say what a run with these settings will take."""
        time = "time known after the first steps"
        if estimate.seconds is not None:
            time = f"about {_duration(estimate.seconds)}, as an earlier run took"
        memory = ""
        if estimate.memory_bytes is not None:
            memory = f"; some {estimate.memory_bytes / 1e9:.1f} GB of memory in fp32"
        self._estimate.setText(f"{time[0].upper()}{time[1:]}{memory}.")

    def show_queue(self, waiting: Sequence[Job]) -> None:
        """List what runs next; each can be taken back."""
        while (item := self._queue_rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for number, job in enumerate(waiting, start=1):
            text = label(f"{number}. {_queued(job)}", "small")
            back = button("take_back", "Take back", partial(self.take_back_wanted.emit, job))
            line = QWidget()
            line.setLayout(row(text, back))
            self._queue_rows.addWidget(line)
        self._queue.setVisible(bool(waiting))

    def show_started(self, options: Sequence[str]) -> None:
        """Show that a training with these options begins."""
        self.state, self.result = "running", {}
        settings = (self.folder, *options)
        self._before = self.step if settings == self._settings else 0
        self._settings, self.step = settings, 0
        if not self._before:
            self.curve.clear()
        self._notices.clear()
        self._notice.hide()
        self._result.hide()
        self._bar.setRange(0, 0)
        self._progress.show()
        for figure in self._figures.values():
            figure.show_value("–")
        self._say_stage({"stage": "cohort", "message": ""})
        self._buttons()

    def show_stage(self, event: dict[str, Any]) -> None:
        """Show that a stage begins."""
        self._bar.setRange(0, 0)
        self._say_stage(event)

    def show_progress(self, event: dict[str, Any]) -> None:
        """Show how far a stage is."""
        total = int(event.get("total") or 0)
        self._bar.setRange(0, total)
        self._bar.setValue(int(event.get("done") or 0))
        self._detail.setText(_progress_text(event))

    def show_metrics(self, event: dict[str, Any]) -> None:
        """Show the signals of a training step."""
        step = int(event["step"])
        self._go_on_from(step, int(event["steps"]))
        self.step = step
        self.curve.add(self.step, float(event["loss"]), int(event["steps"]))
        spread, wait = float(event["feature_spread"]), float(event["data_wait"])
        show = {name: figure.show_value for name, figure in self._figures.items()}
        show["loss"](f"{event['loss']:.3f}")
        show["epoch"](f"{event['epoch']} / {event['epochs']}")
        show["feature_spread"](f"{spread:.2f}", warn=spread < _COLLAPSED)
        show["positives_per_anchor"](f"{event['positives_per_anchor']:.2f}")
        show["data_wait"](f"{wait:.0%}", warn=wait > _WAITING)
        show["images_per_s"](f"{event['images_per_s']:.0f} /s")

    def _go_on_from(self, step: int, steps: int) -> None:
        # A run that goes on where the one before was stopped keeps its curve; any other begins
        # anew. The checkpoint may lie before what was told last: those steps are told again.
        before, self._before = self._before, 0
        if not before:
            return
        stride = -(-steps // _MOST_REPORTS)
        if stride < step <= before + stride:
            self.curve.keep_until(step)
        else:
            self.curve.clear()

    def show_warning(self, event: dict[str, Any]) -> None:
        """Show what the trainer wants known; it goes on."""
        text = str(event.get("message", ""))
        if text not in self._notices:
            self._notices.append(text)
        self._notice.setText("\n".join(f"⚠ {line}" for line in self._notices[-3:]))
        self._notice.show()

    def show_finished(self, event: dict[str, Any]) -> None:
        """Show that the training is done."""
        self._end("finished", event)
        rate = event.get("positive_rate")
        pairs = "" if rate is None else f", {rate:.1%} of the pairs positive"
        self.say_state(f"✓ Trained on {event.get('images', '?')} images{pairs}.")
        lines = [f"Encoder: {event.get('encoder', '–')}", f"Report: {event.get('report', '–')}"]
        self._show_result("\n".join(lines))

    def show_stopped(self, event: dict[str, Any]) -> None:
        """Show that the user stopped it."""
        self._end("stopped", event)
        step = event.get("step")
        self.say_state("Stopped." if step is None else f"Stopped at step {step}.")
        kept = "The checkpoint is kept: Pretrain with the same settings goes on from there."
        lost = "The trainer was ended before it could write a checkpoint."
        self._show_result(kept if event.get("checkpoint") else lost)

    def show_failed(self, text: str) -> None:
        """Show that it went wrong, and why."""
        self._end("failed", {})
        self.say_state("The training failed.", "error")
        self._show_result(text)

    def _end(self, state: str, event: dict[str, Any]) -> None:
        self.state, self.result = state, event
        self._progress.hide()
        self._buttons()

    def _buttons(self) -> None:
        running = self.state == "running"
        self.pretrain.setEnabled(self._readings > 0)
        self.pretrain.setText(" Add to queue" if running else " Pretrain")
        self.pretrain.setToolTip("" if self._readings else "Read some cases first.")
        self.stop.setEnabled(running)
        self.report.setVisible(self.state == "finished" and bool(self.result.get("report")))

    def _start(self) -> None:
        if problem := self.form.problem():
            self.say_state(problem, "warning")
        else:
            self.pretrain_wanted.emit(self.form.options())

    def _stop(self) -> None:
        self.stop.setEnabled(False)
        self.say_state("Stopping after this step…")
        self.stop_wanted.emit()

    def _open_report(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder / self.result["report"])))

    def _say_idle(self) -> None:
        if self._readings:
            self.say_state(f"{self._readings} finished readings to learn from. Press Pretrain.")
        else:
            self.say_state("No finished readings yet. Read some cases, then come back.")

    def _say_stage(self, event: dict[str, Any]) -> None:
        stage = str(event.get("stage", ""))
        self.say_state(f"{STAGES.get(stage, stage)}…")
        self._detail.setText(str(event.get("message", "")))

    def _show_result(self, text: str) -> None:
        say(self._result_text, text, "body")
        self._result.show()

    def _make_right(self) -> QVBoxLayout:
        right = column(gap=2 * theme.GRID)
        self._progress, inner = panel()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._detail = label("", "hint")
        inner.addWidget(self._detail)
        inner.addWidget(self._bar)
        self._progress.hide()
        right.addWidget(self._progress)
        self._result = self._make_result()
        right.addWidget(self._result)
        self._queue, inner = panel()
        inner.addWidget(label("Queue", "heading"))
        self._queue_rows = column(gap=theme.GRID // 2)
        inner.addLayout(self._queue_rows)
        self._queue.hide()
        right.addWidget(self._queue)
        self._estimate = label("", "hint")
        right.addWidget(self._estimate)
        self._notices: list[str] = []
        self._notice = label("", "warning")
        self._notice.hide()
        right.addWidget(self._notice)
        frame, plot = panel(margin=theme.GRID)
        self.curve = Curve("Loss", "The loss appears here while training runs.")
        plot.addWidget(self.curve, 1)
        right.addWidget(frame, 1)
        self._figures = _make_figures()
        figures = row()
        for figure in self._figures.values():
            figures.addWidget(figure, 1)
        right.addLayout(figures)
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


def _make_figures() -> dict[str, Figure]:
    return {
        "epoch": Figure("Epoch"),
        "loss": Figure("Loss"),
        "feature_spread": Figure("Feature spread", "1 spread over the sphere, 0 collapsed"),
        "positives_per_anchor": Figure("Positives / anchor", "Mean in the batch, itself included"),
        "data_wait": Figure("Data wait", "Share of the time spent waiting for images"),
        "images_per_s": Figure("Speed", "Images per second"),
    }


def _progress_text(event: dict[str, Any]) -> str:
    unit = event.get("unit", "")
    text = f"{event.get('done', 0):,} of {event.get('total', 0):,} {unit}"
    if rate := event.get("rate"):
        text += f", {rate:,.1f} {unit}/s"
    if (left := event.get("seconds_left")) is not None:
        text += f", {_duration(float(left))} left"
    return text


def _queued(job: Job) -> str:
    """Return what a job is told; of one from elsewhere, that it does not start by itself."""
    options = shown(" ".join(job.options))
    if job.state != FOREIGN:
        return options
    made = f"on {shown(job.computer)}" if job.computer else "on an unknown computer"
    return f"Made {made}, does not start by itself: {options}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
