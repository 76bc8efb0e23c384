"""The reports of a run on disk: one JSON object a row, and curves for TensorBoard.

`tensorboard --logdir RUNS` shows the curves of all runs.
"""

import json
from pathlib import Path
from typing import Any

from trainer.process.events import Metrics, to_json

_CURVES = (
    "loss", "learning_rate", "images_per_s", "data_wait", "feature_spread", "positives_per_anchor",
    "rank_me", "knn",
)  # fmt: skip


class MetricsLog:
    """Writes `metrics.jsonl` and TensorBoard's file, which is made with the first report.

    Parameters
    ----------
    rows
        The file of rows; those beyond `step` are dropped: a killed run wrote them after its last
        checkpoint, and they will be written again.
    curves
        TensorBoard's folder.
    step
        Steps that are done.
    """

    def __init__(self, rows: Path, curves: Path, step: int) -> None:
        self._rows, self._curves = rows, curves
        self._writer: Any = None
        _cut(rows, step)

    def add(self, metrics: Metrics) -> None:
        """Write one report."""
        with self._rows.open("a", encoding="utf-8") as file:
            file.write(to_json(metrics) + "\n")
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # slow to import

            # What a killed run wrote beyond its checkpoint is written again.
            self._writer = SummaryWriter(str(self._curves), purge_step=metrics.step)
        for name in _CURVES:
            value = getattr(metrics, name)
            if value is not None:
                self._writer.add_scalar(name, value, metrics.step)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()


def _cut(path: Path, step: int) -> None:
    if not path.exists():
        return
    rows = [row for row in path.read_text(encoding="utf-8").splitlines() if _is_kept(row, step)]
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")


def _is_kept(row: str, step: int) -> bool:
    try:
        return bool(json.loads(row)["step"] <= step)
    except (json.JSONDecodeError, KeyError):  # a power cut may leave half a row
        return False
