"""What the steps themselves tell: loss, speed, data wait, feature spread, positives."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from trainer.errors import TrainingDiverged
from trainer.methods.base import StepOutput
from trainer.pretrain.clock import StepClock
from trainer.pretrain.job import Job
from trainer.process.events import Metrics

_COLLAPSED = 0.1
_FEW_DIRECTIONS = 1.5
_WAITING = 0.25
_SETTLED = 50  # steps; the first ones load and compile


def feature_spread(projections: Tensor) -> float:
    """Return the mean deviation of L2-normalised features times the root of their width.

    Parameters
    ----------
    projections
        Shape (B, D), B ≥ 2.

    Returns
    -------
    float
        About 1 where features spread evenly over the sphere, 0 where all are the same (collapse).
    """
    unit = torch.nn.functional.normalize(projections.float(), dim=1)
    return float(unit.std(0, correction=0).mean()) * math.sqrt(unit.shape[1])


class StepSignals:
    """Gathers the steps since the last report, and the mean loss of each epoch.

    Parameters
    ----------
    job
        What is trained on.
    saved
        What `saved` returned when the run was stopped; empty at its start.
    clock
        Times the steps from report to report.
    """

    def __init__(self, job: Job, saved: Mapping[str, Any], clock: StepClock) -> None:
        self._job, self._clock = job, clock
        self._ended: list[float | Tensor] = list(saved.get("epoch_losses", []))
        self._epoch_sum = torch.tensor(saved.get("epoch_sum", 0.0), dtype=torch.float64)
        self._epoch_count: int = saved.get("epoch_count", 0)
        self._spread: float = saved.get("spread", math.nan)
        self._losses: list[Tensor] = []
        self._rate = 0.0
        self._last: StepOutput | None = None

    def add(self, output: StepOutput, rate: float) -> None:
        """Add a step; waits for nothing on the device.

        Parameters
        ----------
        output, rate
            What the method said of it, and the learning rate.
        """
        loss = output.loss.detach()
        self._losses.append(loss)
        if self._epoch_count == 0:  # a sum that is made on the card is not waited for
            self._epoch_sum = torch.zeros((), dtype=torch.float64, device=loss.device)
        self._epoch_sum = self._epoch_sum.to(loss.device) + loss
        self._epoch_count += 1
        self._rate, self._last = rate, output

    def report(self, step: int, rank_me: float | None, knn: float | None) -> Metrics | None:
        """Return what was gathered and begin anew; None where there was no step since.

        Parameters
        ----------
        step
            Steps done.
        rank_me, knn
            What features of the cohort were worth at the last look.

        Raises
        ------
        TrainingDiverged
            If the loss is not a finite number.
        """
        if not self._losses or self._last is None:
            return None
        loss = self.require_finite(step)
        self._spread = feature_spread(self._last.projections)
        positives = float(self._last.mask.sum()) / len(self._last.mask)
        taken_s, waited_s = self._clock.read()  # last: the device is done with all of it
        metrics = Metrics(
            step=step,
            steps=self._job.steps,
            epoch=self._epoch(step),
            epochs=self._job.config.epochs,
            loss=loss,
            learning_rate=self._rate,
            images_per_s=len(self._losses) * self._job.batch / taken_s,
            data_wait=waited_s / taken_s,
            feature_spread=self._spread,
            positives_per_anchor=positives,
            rank_me=rank_me,
            knn=knn,
        )
        self._losses, self._last = [], None
        return metrics

    def require_finite(self, step: int) -> float:
        """Return the mean loss since the last report; NaN where there was no step since.

        Raises
        ------
        TrainingDiverged
            If it is not a finite number.
        """
        if not self._losses:
            return math.nan
        loss = float(torch.stack(self._losses).mean())
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The loss is no longer a finite number at step {step} of {self._job.steps} "
                f"(epoch {self._epoch(step)}, learning rate {self._rate:.3g}). Lower the learning "
                "rate (lr), clip the gradient (clip_grad=1), or set precision to fp32."
            )
        return loss

    @property
    def epoch_losses(self) -> list[float]:
        """Mean loss of each epoch that is over; waits for the device."""
        waiting = [x for x in self._ended if isinstance(x, Tensor)]
        if waiting:
            known = len(self._ended) - len(waiting)
            self._ended[known:] = torch.stack(waiting).tolist()
        return [float(x) for x in self._ended]

    def end_epoch(self) -> None:
        """Close the epoch's mean loss; waits for nothing."""
        self._ended.append(self._epoch_sum / max(1, self._epoch_count))
        self._epoch_count = 0

    def saved(self) -> dict[str, Any]:
        """Return plain values that a checkpoint keeps."""
        return {
            "epoch_losses": self.epoch_losses,
            "epoch_sum": float(self._epoch_sum) if self._epoch_count else 0.0,
            "epoch_count": self._epoch_count,
            "spread": self._spread,
        }

    def summary(self, after: int) -> tuple[float, float, float]:
        """Return the mean loss of the first epoch, of the last, and the last feature spread.

        The first is that which began once `after` steps were done: earlier losses do not compare.
        """
        losses = self.epoch_losses
        if self._epoch_count:
            losses.append(float(self._epoch_sum) / self._epoch_count)
        if not losses:
            return math.nan, math.nan, self._spread
        begun = min(-(-after // self._job.steps_per_epoch), len(losses) - 1)
        return losses[begun], losses[-1], self._spread

    def _epoch(self, step: int) -> int:
        """Return the epoch, from 1, that a step count lies in."""
        per_epoch = self._job.steps_per_epoch
        return min(self._job.config.epochs, (max(step, 1) - 1) // per_epoch + 1)


def worries(metrics: Metrics) -> Iterator[tuple[str, str]]:
    """Yield what looks wrong in a report: its name, and what is said of it."""
    # A random net starts narrow; collapse is to be narrow still after a tenth of the run.
    if metrics.step < metrics.steps / 10:
        return
    at = f"at step {metrics.step}"
    if metrics.feature_spread < _COLLAPSED:
        yield (
            "collapse",
            f"Feature spread is {metrics.feature_spread:.3f} {at}: the encoder computes nearly "
            "the same features for all images (collapse). Such a run learns little. Try a lower "
            "positive rate, a higher drop, or more and stronger views.",
        )
    elif metrics.rank_me is not None and metrics.rank_me < _FEW_DIRECTIONS:
        yield (
            "rank",
            f"RankMe is {metrics.rank_me:.1f} {at}: features vary along little more than one "
            "direction (dimensional collapse). Try a lower learning rate, fewer positive pairs, "
            "or another method.",
        )
    if metrics.step > _SETTLED and metrics.data_wait > _WAITING:
        yield (
            "wait",
            f"{metrics.data_wait:.0%} of the time is spent waiting for views {at}. Raise workers.",
        )
