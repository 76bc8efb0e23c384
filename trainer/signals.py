"""What is measured while training: loss, speed, data wait, feature spread, positives."""

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.errors import TrainingDiverged
from trainer.events import Emit, Metrics, Notice, to_json
from trainer.methods.base import StepOutput

_COLLAPSED = 0.1


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
    """Gathers the steps since the last report, and the mean loss of each epoch.

    Parameters
    ----------
    path
        `metrics.jsonl`; one row per report is added.
    steps, epochs, batch
        Of the whole run.
    saved
        What `saved` returned when the run was stopped; empty at its start.
    """

    def __init__(
        self, path: Path, steps: int, epochs: int, batch: int, saved: dict[str, Any]
    ) -> None:
        self._path, self._steps, self._epochs, self._batch = path, steps, epochs, batch
        self._epoch_losses: list[float] = list(saved.get("epoch_losses", []))
        self._epoch_sum = torch.tensor(saved.get("epoch_sum", 0.0), dtype=torch.float64)
        self._epoch_count: int = saved.get("epoch_count", 0)
        self._spread: float = saved.get("spread", math.nan)
        self._warned = False
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

    def report(self, step: int, rate: float, emit: Emit) -> None:
        """Say and write down what was gathered; `step` counts the steps done."""
        if not self._losses or self._last is None:
            return
        loss = self.require_finite(step, rate)
        self._spread = feature_spread(self._last.projections)
        metrics = Metrics(
            step=step,
            steps=self._steps,
            epoch=self._epoch(step),
            epochs=self._epochs,
            loss=loss,
            learning_rate=rate,
            images_per_s=len(self._losses) * self._batch / self._step_s,
            data_wait=self._data_s / self._step_s,
            feature_spread=self._spread,
            positives_per_anchor=float(self._last.mask.sum()) / len(self._last.mask),
        )
        with self._path.open("a", encoding="utf-8") as file:
            file.write(to_json(metrics) + "\n")
        emit(metrics)
        self._warn_of_collapse(step, emit)
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
                f"The loss is no longer a finite number at step {step} of {self._steps} (epoch "
                f"{self._epoch(step)}, learning rate {rate:.3g}). Lower the rate (--set lr=…), "
                "limit the gradient (--set clip_grad=1) or use --set precision=fp32."
            )
        return loss

    def end_epoch(self) -> None:
        """Close the epoch's mean loss."""
        self._epoch_losses.append(float(self._epoch_sum) / max(1, self._epoch_count))
        self._epoch_sum, self._epoch_count = torch.zeros((), dtype=torch.float64), 0

    def saved(self) -> dict[str, Any]:
        """Return plain values that a checkpoint keeps."""
        return {
            "epoch_losses": list(self._epoch_losses),
            "epoch_sum": float(self._epoch_sum),
            "epoch_count": self._epoch_count,
            "spread": self._spread,
        }

    def summary(self) -> tuple[float, float, float]:
        """Return the mean loss of the first epoch, of the last, and the last feature spread."""
        losses = list(self._epoch_losses)
        if self._epoch_count:
            losses.append(float(self._epoch_sum) / self._epoch_count)
        first, last = (losses[0], losses[-1]) if losses else (math.nan, math.nan)
        return first, last, self._spread

    def _clear(self) -> None:
        self._losses = []
        self._data_s = self._step_s = 0.0
        self._last = None

    def _epoch(self, step: int) -> int:
        """Return the epoch, from 1, that a step count lies in."""
        per_epoch = self._steps // self._epochs
        return min(self._epochs, (max(step, 1) - 1) // per_epoch + 1)

    def _warn_of_collapse(self, step: int, emit: Emit) -> None:
        # A random net starts narrow; collapse is to be narrow still after a tenth of the run.
        if self._warned or step < self._steps / 10 or self._spread >= _COLLAPSED:
            return
        self._warned = True
        emit(
            Notice(
                f"Feature spread is {self._spread:.3f} at step {step}: the encoder gives nearly "
                "the same features for all images (collapse). Such a run learns little; try a "
                "lower positive rate, a higher drop, or more and stronger views."
            )
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
