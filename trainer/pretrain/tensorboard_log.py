"""Curves for TensorBoard: `tensorboard --logdir RUNS` shows those of all runs."""

from pathlib import Path
from typing import Any

from trainer.process.events import Metrics

_SHOWN = (
    "loss", "learning_rate", "images_per_s", "data_wait", "feature_spread", "positives_per_anchor",
    "rank_me", "knn",
)  # fmt: skip


class Board:
    """Writes the figures of a run for TensorBoard; its file is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def add(self, metrics: Metrics) -> None:
        """Write one report."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # slow to import

            # What a killed run wrote beyond its checkpoint is written again.
            self._writer = SummaryWriter(str(self._folder), purge_step=metrics.step)
        for name in _SHOWN:
            value = getattr(metrics, name)
            if value is not None:
                self._writer.add_scalar(name, value, metrics.step)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
