"""MoCo v2 with gaze pairs (Chen et al. 2020, arXiv 2003.04297; pairs: Wang et al. 2024).

A query is compared with its own key and with keys of earlier steps. Keys of related images in the
queue are positives too. Unlike the released code, the queue carries the ids of its images from the
start, empty slots count for nothing, and an image's own older keys are never negatives.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from trainer.config.methods import MethodSpec
from trainer.methods.base import Method, StepOutput, Widths
from trainer.methods.ema import ema_momentum, ema_update, target_of
from trainer.methods.losses import in_float32, info_nce, only, unit, without
from trainer.methods.queue import KeyQueue
from trainer.methods.split_norm import mixed
from trainer.pairs.policy import StepPairs
from trainer.process.distributed import gather

METHOD = MethodSpec(
    title="MoCo v2",
    net="MoCoV2",
    kind="contrastive",
    queue=True,
    aliases=("moco", "moco_v2"),
    # Recipes of the papers keep their constant.
    settings={
        "mammo": {"momentum_schedule": "constant"},
        "knee": {"momentum_schedule": "constant"},
        "dental": {"momentum_schedule": "constant"},
    },
)

_RELEASED_MOMENTUM = 0.999


@in_float32
def moco_v2_loss(
    queries: Tensor,
    keys: Tensor,
    queue: Tensor,
    related: Tensor,
    candidates: Tensor,
    temperature: float,
    normalisation: str = "batch",
) -> Tensor:
    """Return −ΣM∘logsoftmax(z)/ΣM with z = [q·k, q·queue]/τ and M = [1, related].

    Parameters
    ----------
    queries, keys
        Of one view each, shape (B, D); no gradient flows into keys.
    queue
        Earlier keys, shape (K, D).
    related
        Earlier keys that are positives, shape (B, K), bool or weights.
    candidates
        Earlier keys that count at all, shape (B, K), bool.
    temperature
        τ, by which cosines are divided.
    normalisation
        See `losses.pair_mean`.

    Returns
    -------
    Tensor
        Scalar.
    """
    q, k = unit(queries), unit(keys.detach())
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue.T], 1) / temperature
    own = torch.ones(len(q), 1, dtype=torch.bool, device=q.device)
    return info_nce(
        logits, torch.cat([own, related], 1), torch.cat([own, candidates], 1), normalisation
    )


class MoCoV2(Method):
    """Query net, key net that follows it, and a queue of 1,280 keys.

    Head as released: d → d → 256, fc-ReLU-fc. The momentum is the released 0.999, less in runs of
    fewer than 10,000 optimiser steps unless it is named: see `ema_momentum`, "fitted".
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        widths: Widths,
        momentum: float | None = None,
        momentum_schedule: str = "",
        temperature: float = 0.2,
        queue: int = 1280,
        normalisation: str = "batch",
        norm: str = "batch",
    ) -> None:
        super().__init__()
        hidden, out = widths.projector_hidden or features, widths.projector_out or 256
        self.encoder = encoder
        self.projector = nn.Sequential(
            nn.Linear(features, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, out)
        )
        self.target = target_of(nn.Sequential(self.encoder, self.projector))
        self.queue = KeyQueue(queue, out)
        # A momentum that the user names is meant as it is.
        self._schedule = momentum_schedule or ("fitted" if momentum is None else "constant")
        self._momentum = _RELEASED_MOMENTUM if momentum is None else momentum
        self._temperature, self._normalisation = temperature, normalisation
        self._mixes_keys = norm == "split"

    def trainable(self) -> Iterable[nn.Parameter]:
        """Return all but the key net."""
        for part in (self.encoder, self.projector):
            yield from part.parameters()

    def step_output(
        self, view_1: Tensor, view_2: Tensor, ids: Tensor, pairs: StepPairs
    ) -> StepOutput:
        """Return the loss of a batch and remember its keys; views (B, C, H, W), ids (B,)."""
        queries = gather(self.projector(self.encoder(view_1)))
        with torch.no_grad():
            keys = unit(gather(self._keys(view_2)))
        related, candidates = queue_masks(ids, self.queue.ids, pairs)
        loss = moco_v2_loss(
            queries, keys, self.queue.keys.clone(), related, candidates,
            self._temperature, self._normalisation,
        )  # fmt: skip
        self.queue.add(keys, ids)
        own = torch.ones(len(ids), 1, dtype=torch.bool, device=ids.device)
        return StepOutput(loss, queries.detach(), torch.cat([own, related], 1))

    def _keys(self, views: Tensor) -> Tensor:
        """Return keys (B, D); in parts, normalised among other companions than their queries."""
        if not self._mixes_keys:
            return self.target(views)  # type: ignore[no-any-return]
        order = mixed(len(views), views.device)
        made = self.target(views[order])
        return torch.empty_like(made).index_copy_(0, order, made)

    def settles_after(self, batch: int) -> int:
        """Return the steps until the queue is full: a loss over fewer keys is lower."""
        return -(-len(self.queue.ids) // batch)

    def forget(self, images: int) -> None:
        """Take the keys of the last images out of the queue."""
        self.queue.forget(images)

    def after_step(self, step: int, steps: int) -> None:
        """Let the key net follow."""
        momentum = ema_momentum(self._momentum, step, steps, self._schedule)
        ema_update(self.target, nn.Sequential(self.encoder, self.projector), momentum)


def queue_masks(ids: Tensor, queue_ids: Tensor, pairs: StepPairs) -> tuple[Tensor, Tensor]:
    """Return which keys of a queue are positives (bool or weights) and which count, (B, K) each.

    Empty slots and an image's own older keys are neither. `pairs` are those of the batch with the
    queue, drawn when the batch was made: its ids follow from the step, see `remembered_ids`.
    """
    other = (queue_ids >= 0) & (ids[:, None] != queue_ids)
    return only(pairs.mask, other), without(other, pairs.passed_over)
