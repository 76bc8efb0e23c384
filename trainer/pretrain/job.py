"""What the loop works on, and how its steps are counted."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from trainer.config.config import RunConfig
from trainer.data.cache import ImageCache
from trainer.pairs.policy import PairPolicy
from trainer.pretrain.checkpoint import Identity
from trainer.pretrain.paths import ScanPaths
from trainer.pretrain.window_draws import StoredViews

_MOST_REPORTS = 2000  # rows of metrics.jsonl in a whole run
_FEATURE_LOOKS = 20  # at kNN and RankMe in a whole run, unless told


@dataclass(frozen=True, slots=True)
class Job:
    """All that the loop needs; settings of `device` and `precision` are resolved.

    A step is one batch; the optimiser steps after every `accumulate` of them.

    Attributes
    ----------
    labels
        Number of each image's label, (N,), int64, -1 without one; None: nobody knows any.
    groups
        Number of each image's patient, (N,), int64; None: nobody knows any.
    paths
        Fixations in order, for methods that learn of them; None otherwise.
    stored
        Stored values and windows that views are cut by; None: views are cut from the pictures.
    focus
        Boxes of what was looked at, (N, 4) in array pixels, for gaze-aware crops; None otherwise.
    """

    identity: Identity
    images: ImageCache
    policy: PairPolicy
    folder: Path
    device: torch.device
    precision: torch.dtype = torch.float32
    labels: Tensor | None = None
    groups: Tensor | None = None
    focus: Tensor | None = None
    paths: ScanPaths | None = None
    stored: StoredViews | None = None

    @property
    def config(self) -> RunConfig:
        """Settings of the run."""
        return self.identity.config

    @property
    def batch(self) -> int:
        """Images per step over all processes; the whole cohort where it is smaller."""
        return min(self.config.batch, len(self.images))

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in the cohort; what is left over waits for the next epoch's order."""
        return len(self.images) // self.batch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.config.epochs * self.steps_per_epoch

    @property
    def updates(self) -> int:
        """Optimiser steps of the whole run."""
        return -(-self.steps // self.config.accumulate)

    def window(self, step: int) -> int:
        """Return how many batches share the optimiser step of this one; the last one's are few."""
        accumulate = self.config.accumulate
        return min(accumulate, self.steps - step // accumulate * accumulate)

    def update_due(self, step: int) -> bool:
        """Return whether the optimiser steps after this step."""
        return (step + 1) % self.config.accumulate == 0 or step + 1 == self.steps

    @property
    def extra_pairs(self) -> float:
        """Extra pairs expected in a batch, after dropping."""
        return self.policy.extra_pairs_per_batch(len(self.images), self.batch)

    @property
    def report_every(self) -> int:
        """Steps between reports."""
        return max(1, self.steps // _MOST_REPORTS)

    @property
    def look_every(self) -> int:
        """Steps between looks at what features of the whole cohort are worth."""
        epochs = self.config.knn_every or max(1, self.config.epochs // _FEATURE_LOOKS)
        if self.config.early_stop:  # which has nothing else to judge by
            epochs = min(epochs, self.config.early_stop)
        return epochs * self.steps_per_epoch

    @property
    def metrics(self) -> Path:
        """Where reports are kept, one JSON object a row."""
        return self.folder / "metrics.jsonl"
