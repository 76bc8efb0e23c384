"""All that watches a training: progress, signals, features, reports, warnings, early end."""

import math
import time
from collections.abc import Mapping
from typing import Any

from trainer.methods.base import Method, StepOutput
from trainer.pretrain.clock import clock_of
from trainer.pretrain.job import Job
from trainer.pretrain.metrics_log import MetricsLog
from trainer.pretrain.monitors import FeatureMonitors
from trainer.pretrain.signals import StepSignals, worries
from trainer.process import distributed
from trainer.process.events import Emit, Meter, Notice

_NEVER_FULL = (
    "early_stop = {} has nothing to judge by: the queue fills after {} steps, but the run has {}. "
    "Lower queue, or train for more epochs."
)
_REST_S = 0.2  # between reports of a card


class Observer:
    """Watches a run and changes nothing of what is learnt.

    Parameters
    ----------
    job, method
        What is trained on, and the nets.
    step
        Steps that are done.
    saved
        What `saved` returned for that step; empty at the start.
    emit
        Where progress, reports and warnings go.

    Attributes
    ----------
    clock
        Times the steps; the loop tells it what it waits for and what is no part of a step.
    stands_still
        Whether the run has got no better for as many epochs as `early_stop` allows.
    """

    def __init__(
        self, job: Job, method: Method, step: int, saved: Mapping[str, Any], emit: Emit
    ) -> None:
        self._job, self._method, self._emit = job, method, emit
        self._meter = Meter(emit, "train", "steps")
        self.clock = clock_of(job.device)
        self._signals = StepSignals(job, saved, self.clock)
        self._monitors = FeatureMonitors(job, saved)
        self._warned: set[str] = set(saved.get("warned", []))
        first = distributed.rank() == 0
        # What all processes find alike is said by the first; a wait is each one's own.
        self._say_once: Emit = emit if first else lambda _: None
        self._log = MetricsLog(job.metrics, job.folder / "tensorboard", step) if first else None
        self._reported_s = -math.inf
        self.stands_still = False
        self._settled = method.settles_after(job.batch)
        if job.config.early_stop and self._settled >= job.steps:
            self._say_once(
                Notice(_NEVER_FULL.format(job.config.early_stop, self._settled, job.steps))
            )

    def after_step(self, step: int, output: StepOutput, rate: float) -> None:
        """Take in a step; report, look at the features and judge the epoch when it is time.

        Parameters
        ----------
        step
            Steps done, this one included.
        output, rate
            What the method said of it, and the learning rate.

        Raises
        ------
        TrainingDiverged
            If the loss is no longer finite.
        """
        job = self._job
        self._signals.add(output, rate)
        self._meter(step, job.steps)
        if step % job.look_every == 0 or step == job.steps:
            with self.clock.left_out():
                self._monitors.look(self._method, step)
        if self._report_due(step):
            self._report(step)
        if step % job.steps_per_epoch == 0:
            self._signals.end_epoch()
            self.stands_still = self._is_standing_still()

    def at_end(self) -> tuple[float, float, float, dict[str, float | None]]:
        """Return mean loss of the first and last epoch, feature spread, and the last look.

        The first epoch is that which a queue, if there is one, was full for.
        """
        return *self._signals.summary(self._settled), self._monitors.last()

    def saved(self, step: int) -> dict[str, Any]:
        """Return plain values that a checkpoint keeps.

        Raises
        ------
        TrainingDiverged
            If the loss since the last report is not finite: such a state is not worth keeping.
        """
        self._signals.require_finite(step)
        warned = sorted(self._warned)
        return {**self._signals.saved(), **self._monitors.saved(), "warned": warned}

    def close(self) -> None:
        """Let go of the files."""
        if self._log is not None:
            self._log.close()

    def _report_due(self, step: int) -> bool:
        """Return whether it is time; a card waits at each report, so it gives few a second."""
        job, now_s = self._job, time.monotonic()
        if step % job.report_every != 0 and step != job.steps:
            return False
        on_card = job.device.type != "cpu"
        if on_card and step != job.steps and now_s - self._reported_s < _REST_S:
            return False
        self._reported_s = now_s
        return True

    def _report(self, step: int) -> None:
        """Say and write down what was gathered; say each thing that looks wrong once in a run."""
        metrics = self._signals.report(step, self._monitors.rank_me, self._monitors.knn)
        if metrics is None:
            return
        if self._log is not None:
            self._log.add(metrics)
        self._emit(metrics)
        for name, message in worries(metrics):
            if name not in self._warned:
                self._warned.add(name)
                say = self._emit if name == "wait" else self._say_once
                say(Notice(message))

    def _is_standing_still(self) -> bool:
        patience = self._job.config.early_stop
        if not patience:
            return False
        steps = self._monitors.steps_without_better(self._settled)
        epochs = steps // self._job.steps_per_epoch
        if epochs < patience:
            return False
        self._say_once(
            Notice(
                f"{self._monitors.judged_by} has not improved for {epochs} epochs. Training ends "
                f"here, because early_stop is {patience}."
            )
        )
        return True
