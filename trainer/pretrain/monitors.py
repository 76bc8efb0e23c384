"""Looks at what features of the whole cohort are worth while an encoder learns."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from trainer.methods.base import Method
from trainer.pretrain.crops import whole_input
from trainer.pretrain.job import Job

_MOST_IMAGES = 512
_NEIGHBOURS = 20
_TEMPERATURE = 0.07
_BATCH = 64


def rank_me(features: Tensor) -> float:
    """Return the effective rank of features (N, D): exp of the entropy of their singular values.

    From 1 (all features on a line) to min(N, D); higher is better (Garrido et al. 2023, RankMe,
    arXiv 2210.02885).
    """
    values = torch.linalg.svdvals(features.double())
    share = values / values.sum().clamp(min=1e-12) + 1e-7
    return float(torch.exp(-(share * share.log()).sum()))


def knn_accuracy(
    features: Tensor, labels: Tensor, groups: Tensor | None, neighbours: int = _NEIGHBOURS
) -> float | None:
    """Return the share of images whose label their most alike other patients' images vote for.

    Parameters
    ----------
    features, labels
        Shapes (N, D) and (N,); a label of -1 is unknown.
    groups
        Patients, (N,): an image's own patient does not vote. None: each image is its own.
    neighbours
        k; votes are weighted by exp(cosine / 0.07).

    Returns
    -------
    float or None
        0 to 1; None where fewer than two labels are known.
    """
    known = labels >= 0
    labels = labels[known]
    if len(set(labels.tolist())) < 2:
        return None
    unit = torch.nn.functional.normalize(features[known].float(), dim=1)
    owners = torch.arange(len(labels)) if groups is None else groups[known]
    alike = (unit @ unit.T).masked_fill(owners[:, None] == owners[None, :], -torch.inf)
    best, which = alike.topk(min(neighbours, len(labels) - 1), dim=1)
    weights = (best / _TEMPERATURE).exp()  # 0 for an own image
    votes = torch.zeros(len(labels), int(labels.max()) + 1)
    votes.scatter_add_(1, labels[which], weights)
    return float((votes.argmax(1) == labels).float().mean())


class FeatureMonitors:
    """Takes RankMe and, where labels exist, the accuracy of a kNN, on features of whole images.

    Labels of the test split play no part: its images are not among those that are trained on.

    Parameters
    ----------
    job
        What is trained on; of more than 512 images every n-th is looked at.
    saved
        What `saved` returned when the run was stopped; empty at its start.

    Attributes
    ----------
    rank_me, knn
        Of the last look; None before the first, or where there is nothing to look at.
    judged_by
        What tells a better look: "online kNN", or "RankMe" where there are no labels. Never the
        loss: it is lowest where all features are the same, or where a queue is empty still.
    """

    def __init__(self, job: Job, saved: Mapping[str, Any]) -> None:
        self._job = job
        self.rank_me: float | None = saved.get("rank_me")
        self.knn: float | None = saved.get("knn")
        self._looks: list[tuple[int, float]] = [tuple(x) for x in saved.get("looks", [])]
        self.judged_by = "RankMe"
        count = len(job.images)
        self._ids = torch.arange(0, count, max(1, -(-count // _MOST_IMAGES)))

    def look(self, method: Method, step: int) -> None:
        """Look at the encoder as it is; its batch statistics and torch's state stay."""
        job, ids = self._job, self._ids
        features = self._features(method)
        labels = None if job.labels is None else job.labels[ids]
        groups = None if job.groups is None else job.groups[ids]
        finite = bool(features.isfinite().all())
        self.rank_me = rank_me(features) if finite else math.nan
        self.knn = None if labels is None else knn_accuracy(features, labels, groups)
        self.judged_by = "RankMe" if self.knn is None else "online kNN"
        worth = self.rank_me if self.knn is None else self.knn
        self._looks.append((step, worth if math.isfinite(worth) else -math.inf))

    @torch.no_grad()
    def _features(self, method: Method) -> Tensor:
        job = self._job
        method.eval()
        try:
            lowered = job.precision != torch.float32
            with torch.autocast(job.device.type, job.precision, enabled=lowered):
                # Not the compiled net: it would be compiled anew for this mode and these batches.
                look = method.encoder.forward
                made = [look(whole_input(job, i)) for i in torch.split(self._ids, _BATCH)]
            return torch.cat(made).float().cpu()
        finally:
            method.train()

    def steps_without_better(self, after: int) -> int:
        """Return the steps from the best look to the last one, of the looks after a step."""
        looks = [look for look in self._looks if look[0] > after]
        if not looks:
            return 0
        return looks[-1][0] - max(looks, key=lambda look: (look[1], -look[0]))[0]

    def last(self) -> dict[str, float | None]:
        """Return the last look: `rank_me` and `knn`."""
        return {"rank_me": self.rank_me, "knn": self.knn}

    def saved(self) -> dict[str, Any]:
        """Return plain values that a checkpoint keeps."""
        return {**self.last(), "looks": [list(look) for look in self._looks]}
