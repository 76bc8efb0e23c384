"""Options of a probe, and results of the last ones: `exports/probe` and folders beside it."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrations.study.folder import Study

METRICS = {"auc": "AUC", "accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy"}
KINDS = {"linear": "Linear probe", "knn": "Nearest neighbours", "finetune": "Fine-tuning"}


@dataclass(frozen=True, slots=True)
class ProbeAsked:
    """What a probe should do.

    Attributes
    ----------
    runs
        Names of the folders of runs, which are unique.
    kinds
        Of `KINDS`.
    budgets
        Total numbers of labelled images, as the command takes them: "10,25,100,all".
    """

    runs: tuple[str, ...]
    kinds: tuple[str, ...]
    budgets: str = "10,25,100,all"
    repeats: int = 10
    transductive: bool = False

    def words(self, study: Path, out: Path) -> list[str]:
        """Return the command `probe` for this study, writing into a folder."""
        found = ["probe", "--study", str(study), "--encoder", *self.runs,
                 "--probes", ",".join(self.kinds), "--label-budget", self.budgets,
                 "--repeats", str(self.repeats), "--out", str(out), "--events", "json"]  # fmt: skip
        return [*found, "--transductive"] if self.transductive else found


def probe_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the figures of a probe, empty where there are none."""
    with contextlib.suppress(OSError, ValueError):
        rows = json.loads((folder / "probe.json").read_text(encoding="utf-8"))
        if isinstance(rows, list):
            return [row for row in rows if isinstance(row, dict)]
    return []


def probe_folder(study: Study) -> Path:
    """Return the output folder of the window's probes."""
    return study.exports / "probe"


def cells(row: dict[str, Any]) -> Sequence[str]:
    """Return a figure in words: encoder, probe, labels, metric, mean and interval."""
    kind = str(row.get("probe", ""))
    metric = str(row.get("metric", ""))
    mean, low, high = (row.get(name) for name in ("mean", "low", "high"))
    interval = "–" if low is None or high is None else f"{low:.3f} – {high:.3f}"
    return (
        str(row.get("encoder", "")), KINDS.get(kind, kind), str(row.get("budget", "")),
        METRICS.get(metric, metric), "–" if mean is None else f"{mean:.3f}", interval,
    )  # fmt: skip
