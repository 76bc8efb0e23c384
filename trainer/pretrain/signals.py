"""What is measured while training: loss, speed, data wait, feature spread, positives."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.errors import TrainingDiverged
from trainer.methods.base import StepOutput
from trainer.pretrain.job import Job
from trainer.pretrain.tensorboard_log import Board
from trainer.process import distributed
from trainer.process.events import Emit, Metrics, Notice, to_json

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


class Signals:
    """Gathers the steps since the last report, the mean loss of each epoch, and the last look.

    Parameters
    ----------
    job
        What is trained on; rows go to its `metrics.jsonl`.
    saved
        What `saved` returned when the run was stopped; empty at its start.

    Attributes
    ----------
    rank_me, knn
        Of the last look; None before the first, or where there is nothing to look at.
    """

    def __init__(self, job: Job, saved: dict[str, Any]) -> None:
        self._job = job
        self._epoch_losses: list[float] = list(saved.get("epoch_losses", []))
        self._epoch_sum = torch.tensor(saved.get("epoch_sum", 0.0), dtype=torch.float64)
        self._epoch_count: int = saved.get("epoch_count", 0)
        self._spread: float = saved.get("spread", math.nan)
        self.rank_me: float | None = saved.get("rank_me")
        self.knn: float | None = saved.get("knn")
        self._looks: list[tuple[int, float]] = [tuple(x) for x in saved.get("looks", [])]
        self._warned: set[str] = set(saved.get("warned", []))
        self._writes = distributed.rank() == 0
        self._board = Board(job.folder / "tensorboard") if self._writes else None
        self._losses: list[Tensor] = []
        self._data_s = self._step_s = 0.0
        self._last: StepOutput | None = None

    def add(self, output: StepOutput, data_s: float, step_s: float) -> None:
        """Add a step; waits for nothing on the device."""
        loss = output.loss.detach()
        self._losses.append(loss)
        self._epoch_sum = self._epoch_sum.to(loss.device) + loss
        self._epoch_count += 1
        self._data_s += data_s
        self._step_s += step_s
        self._last = output

    def looked(self, step: int, rank: float, knn: float | None) -> None:
        """Take what a look at the features of the cohort found."""
        self.rank_me, self.knn = rank, knn
        if knn is not None:
            self._looks.append((step, knn))

    def report(self, step: int, rate: float, emit: Emit) -> None:
        """Say and write down what was gathered; `step` counts the steps done."""
        if not self._losses or self._last is None:
            return
        loss = self.require_finite(step, rate)
        self._spread = feature_spread(self._last.projections)
        job = self._job
        metrics = Metrics(
            step=step,
            steps=job.steps,
            epoch=self._epoch(step),
            epochs=job.config.epochs,
            loss=loss,
            learning_rate=rate,
            images_per_s=len(self._losses) * job.batch / self._step_s,
            data_wait=self._data_s / self._step_s,
            feature_spread=self._spread,
            positives_per_anchor=float(self._last.mask.sum()) / len(self._last.mask),
            rank_me=self.rank_me,
            knn=self.knn,
        )
        if self._board is not None:
            with job.metrics.open("a", encoding="utf-8") as file:
                file.write(to_json(metrics) + "\n")
            self._board.add(metrics)
        emit(metrics)
        self._warn(metrics, emit)
        self._clear()

    def require_finite(self, step: int, rate: float) -> float:
        """Return the mean loss since the last report.

        Raises
        ------
        TrainingDiverged
            If it is no finite number.
        """
        if not self._losses:
            return math.nan
        loss = float(torch.stack(self._losses).mean())
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The loss is no longer a finite number at step {step} of {self._job.steps} (epoch "
                f"{self._epoch(step)}, learning rate {rate:.3g}). Lower the rate (--set lr=…), "
                "limit the gradient (--set clip_grad=1) or use --set precision=fp32."
            )
        return loss

    def end_epoch(self) -> None:
        """Close the epoch's mean loss."""
        self._epoch_losses.append(float(self._epoch_sum) / max(1, self._epoch_count))
        self._epoch_sum, self._epoch_count = torch.zeros((), dtype=torch.float64), 0

    @property
    def judged_by(self) -> str:
        """What `epochs_without_better` looks at."""
        return "online kNN" if self._looks else "loss"

    def epochs_without_better(self) -> int:
        """Return for how many epochs the online kNN has not risen, or the loss not fallen."""
        if self._looks:
            best_step = max(self._looks, key=lambda look: (look[1], -look[0]))[0]
            return len(self._epoch_losses) - best_step // self._job.steps_per_epoch
        losses = self._epoch_losses
        return len(losses) - 1 - losses.index(min(losses)) if losses else 0

    def saved(self) -> dict[str, Any]:
        """Return plain values that a checkpoint keeps."""
        return {
            "epoch_losses": list(self._epoch_losses),
            "epoch_sum": float(self._epoch_sum),
            "epoch_count": self._epoch_count,
            "spread": self._spread,
            "rank_me": self.rank_me,
            "knn": self.knn,
            "looks": [list(look) for look in self._looks],
            "warned": sorted(self._warned),
        }

    def summary(self) -> tuple[float, float, float]:
        """Return the mean loss of the first epoch, of the last, and the last feature spread."""
        losses = list(self._epoch_losses)
        if self._epoch_count:
            losses.append(float(self._epoch_sum) / self._epoch_count)
        first, last = (losses[0], losses[-1]) if losses else (math.nan, math.nan)
        return first, last, self._spread

    def close(self) -> None:
        """Let go of the files."""
        if self._board is not None:
            self._board.close()

    def _clear(self) -> None:
        self._losses = []
        self._data_s = self._step_s = 0.0
        self._last = None

    def _epoch(self, step: int) -> int:
        """Return the epoch, from 1, that a step count lies in."""
        per_epoch = self._job.steps_per_epoch
        return min(self._job.config.epochs, (max(step, 1) - 1) // per_epoch + 1)

    def _warn(self, metrics: Metrics, emit: Emit) -> None:
        """Say in words what looks wrong, each thing once in a run."""
        for name, message in _worries(metrics):
            if name not in self._warned:
                self._warned.add(name)
                emit(Notice(message))


def _worries(metrics: Metrics) -> Iterator[tuple[str, str]]:
    # A random net starts narrow; collapse is to be narrow still after a tenth of the run.
    if metrics.step < metrics.steps / 10:
        return
    at = f"at step {metrics.step}"
    if metrics.feature_spread < _COLLAPSED:
        yield (
            "collapse",
            f"Feature spread is {metrics.feature_spread:.3f} {at}: the encoder gives nearly "
            "the same features for all images (collapse). Such a run learns little; try a "
            "lower positive rate, a higher drop, or more and stronger views.",
        )
    elif metrics.rank_me is not None and metrics.rank_me < _FEW_DIRECTIONS:
        yield (
            "rank",
            f"RankMe is {metrics.rank_me:.1f} {at}: features vary along hardly more than one "
            "direction (dimensional collapse). Try a lower learning rate, fewer positive pairs, or "
            "another method.",
        )
    if metrics.step > _SETTLED and metrics.data_wait > _WAITING:
        yield (
            "wait",
            f"{metrics.data_wait:.0%} of the time goes into waiting for views {at}. Raise "
            "--set workers=N.",
        )


def cut_metrics(path: Path, step: int) -> None:
    """Drop rows that a killed run wrote after its last checkpoint: they will be written again."""
    if not path.exists():
        return
    rows = [row for row in path.read_text(encoding="utf-8").splitlines() if _is_kept(row, step)]
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")


def _is_kept(row: str, step: int) -> bool:
    try:
        return bool(json.loads(row)["step"] <= step)
    except (json.JSONDecodeError, KeyError):  # a power cut may leave half a row
        return False
