"""A training while it runs: progress, signals, log, and what it uses."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QFrame, QProgressBar

from app.pages.pretrain.log_tail import LogTail
from app.pages.pretrain.signals import SignalsPanel
from app.ui import theme
from app.ui.small_widgets import column, label
from app.ui.text import tr
from app.ui.work_bar import progress_text
from app.workspace.device_use import DeviceUse

_MOST_REPORTS = 2000
"""The trainer reports at most this many steps of a run."""
STAGES = {
    "cohort": "Collecting finished readings…",
    "similarity": "Comparing gaze…",
    "images": "Preparing images…",
    "train": "Training…",
    "export": "Exporting the encoder…",
    "report": "Writing the report…",
    "sweep": "Comparing gaze with plain…",
    "probe": "Testing the encoder…",
}
SWEEP = "sweep"
"""The stage that counts the runs of a comparison."""


class ProgressPanel(QFrame):
    """A bar for the stage, one for the runs of a comparison, and what the training uses."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._runs, self._detail, self._use = (label("", "hint") for _ in range(3))
        self._runs_bar, self._bar = QProgressBar(), QProgressBar()
        layout = column(self, theme.GRID + theme.GRID // 2, gap=theme.GRID // 2)
        for bar in (self._runs_bar, self._bar):
            bar.setTextVisible(False)
        for widget in (self._runs, self._runs_bar, self._detail, self._bar, self._use):
            layout.addWidget(widget)
        self.hide()

    @property
    def text(self) -> str:
        """The progress of the stage."""
        return " ".join(filter(None, (self._runs.text(), self._detail.text())))

    @property
    def use_text(self) -> str:
        """What the training uses of the computer."""
        return self._use.text()

    def begin(self) -> None:
        """Show that something begins."""
        self._detail.setText("")
        self._use.setText("")
        self._bar.setRange(0, 0)
        for widget in (self._runs, self._runs_bar):
            widget.hide()
        self._runs.setText("")
        self.show()

    def stage(self, event: Mapping[str, Any]) -> None:
        """Show that a stage begins."""
        self._bar.setRange(0, 0)
        self._detail.setText(str(event.get("message", "")))

    def progress(self, event: Mapping[str, Any]) -> None:
        """Show the progress of a stage, or how many runs of a comparison are done."""
        of_runs = event.get("stage") == SWEEP
        bar, text = (self._runs_bar, self._runs) if of_runs else (self._bar, self._detail)
        bar.setRange(0, int(event.get("total") or 0))
        bar.setValue(int(event.get("done") or 0))
        text.setText(progress_text({**event, "rate": None} if of_runs else event))
        bar.show()
        text.show()

    def show_use(self, use: DeviceUse | None) -> None:
        """Show what the training uses of the computer."""
        self._use.setText("" if use is None else use_text(use))


class RunView:
    """Signals and log of the followed run; knows when curves continue and when they restart.

    Attributes
    ----------
    step
        Steps done, as last reported.
    """

    def __init__(self) -> None:
        self.signals, self.log = SignalsPanel(), LogTail()
        self.step = self._before = 0
        self._settings: tuple[object, ...] = ()

    def begin(self, settings: tuple[object, ...]) -> None:
        """Begin a run with these settings; the curves of the same one before may continue."""
        self._before = self.step if settings == self._settings else 0
        self._settings, self.step = settings, 0
        self.log.clear()
        if not self._before:
            self.signals.clear()

    def begin_next(self) -> None:
        """Begin the next run of a comparison."""
        self._before = self.step = 0
        self.signals.clear()

    def show_metrics(self, event: Mapping[str, Any]) -> None:
        """Show the signals of a step."""
        step = int(event["step"])
        self._go_on_from(step, int(event["steps"]))
        self.step = step
        self.signals.show_metrics(event)

    def _go_on_from(self, step: int, steps: int) -> None:
        # A run that continues a stopped one keeps its curve; any other starts a new one. The
        # checkpoint may be earlier than the last report: those steps are reported again.
        before, self._before = self._before, 0
        if not before:
            return
        stride = -(-steps // _MOST_REPORTS)
        if stride < step <= before + stride:
            self.signals.keep_until(step)
        else:
            self.signals.clear()


def use_text(use: DeviceUse) -> str:
    """Return what a training uses of the computer, in words."""
    parts = [tr("Trainer: {cores} of {all} cores, {memory} GB of memory", cores=f"{use.cores:.1f}",
                all=use.all_cores, memory=f"{use.memory_bytes / 1e9:.1f}")]  # fmt: skip
    parts += [
        tr("graphics card {busy} busy, {used} of {total} GB", busy=f"{gpu.busy:.0%}",
           used=f"{gpu.used_bytes / 1e9:.1f}", total=f"{gpu.total_bytes / 1e9:.0f}")
        for gpu in use.gpus
    ]  # fmt: skip
    return "; ".join(parts)
