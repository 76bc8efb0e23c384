"""Where readers looked, one fixation after the other, as a step shows it: seen so far, and next.

All of it is drawn on the CPU from the step's own numbers. A disc about a fixation stands for what
the eye sees sharply there; what comes next is the first later fixation outside of all discs so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainer.data.cohort import Member
from trainer.methods.trajectory import SHARP

SEEN = 8
"""Most fixations that are seen before the next one is guessed."""
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class ScanPaths:
    """The fixations of a cohort's readings, in order.

    Attributes
    ----------
    points
        Shape (P, T, 2): of each reading, in array pixels; NaN beyond its last one. The first 64.
    starts
        Shape (N + 1,), int64: where each image's readings begin, and their end.
    """

    points: Tensor
    starts: Tensor

    @classmethod
    def of(cls, readings: Sequence[Sequence[Tensor]]) -> "ScanPaths":
        """Return the paths of each image's readings, (T, 2) each; empty ones are left out."""
        kept = [[p[:_LONGEST] for p in own if len(p)] for own in readings]
        paths = [p for own in kept for p in own]
        longest = max((len(p) for p in paths), default=1)
        points = torch.full((len(paths), longest, 2), torch.nan)
        for row, path in zip(points, paths, strict=True):
            row[: len(path)] = path
        counts = torch.tensor([0, *(len(own) for own in kept)])
        return cls(points, counts.cumsum(0))

    @property
    def images_with(self) -> int:
        """How many images have one."""
        return int((self.starts.diff() > 0).sum())

    def drawn(self, ids: Tensor, draws: torch.Generator) -> Tensor:
        """Return one reading's fixations of each image (B,), drawn anew each step; (B, T, 2)."""
        first, count = self.starts[ids], self.starts.diff()[ids]
        which = (torch.rand(len(ids), generator=draws) * count).long()
        found = torch.full((len(ids), *self.points.shape[1:]), torch.nan)
        there = count > 0
        found[there] = self.points[(first + which.minimum(count - 1))[there]]
        return found


def paths_of(members: Sequence[Member], boxes: Tensor) -> ScanPaths:
    """Return the paths of members whose pictures fill boxes (N, 2) of their arrays."""
    return ScanPaths.of(
        [
            [_scaled(r.fixations.points_image, m, boxes[i]) for r in m.readings]
            for i, m in enumerate(members)
        ]
    )


def _scaled(points: np.ndarray, member: Member, box: Tensor) -> Tensor:
    usable = torch.from_numpy(points[np.isfinite(points).all(1)]).float()
    return usable * (box / torch.tensor([member.width, member.height], dtype=torch.float32))


def draw_glimpses(
    paths: ScanPaths,
    ids: Tensor,
    affine: Tensor,
    side: int,
    order: str,
    draws: torch.Generator,
) -> Tensor:
    """Return what is seen so far in a view of each image, and what comes next.

    Parameters
    ----------
    paths, ids
        Fixations of the cohort, and the images of the batch, (B,).
    affine
        Of the view, (B, 2, 3): see `trainer.pretrain.augment.ViewDraw`.
    side
        Of the arrays, pixels.
    order
        "gaze": as they were made. The controls: "shuffled", the same places in another order;
        "blocks", as many places at random.
    draws
        Of the step.

    Returns
    -------
    Tensor
        Shape (B, SEEN + 1, 2), x and y from -1 to 1 over the view: up to `SEEN` fixations, NaN
        beyond them, and last the next one; NaN where an image has none.
    """
    points = _in_view(paths.drawn(ids, draws) * 2 / side - 1, affine)
    inside = (points.abs() <= 1).all(2)  # NaN is not
    rank = torch.rand(inside.shape, generator=draws)
    anywhere = torch.rand(points.shape, generator=draws) * 2 - 1
    if order == "blocks":
        points = torch.where(inside[..., None], anywhere, torch.nan)
    if order != "shuffled":
        rank = torch.arange(inside.shape[1]).expand_as(rank) / inside.shape[1]
    front = (rank + ~inside).argsort(dim=1, stable=True)
    points = points.gather(1, front[..., None].expand_as(points))
    count = inside.sum(1)
    most = (count - 1).clamp(min=1, max=SEEN)
    cut = 1 + (torch.rand(len(ids), generator=draws) * most).long().minimum(most - 1)
    return _cut(points, count, cut)


def _in_view(points: Tensor, affine: Tensor) -> Tensor:
    """Return points (B, T, 2) of the array in the view's own frame; both from -1 to 1."""
    back = torch.linalg.inv(affine[:, :, :2])
    return torch.einsum("bij,btj->bti", back, points - affine[:, None, :, 2])


def _cut(points: Tensor, count: Tensor, cut: Tensor) -> Tensor:
    """Return the fixations before a cut (B,), and the first after it outside their discs."""
    place = torch.arange(points.shape[1])
    there, seen = place < count[:, None], place < cut[:, None]
    apart = torch.cdist(points.nan_to_num(), points.nan_to_num())
    hidden = ((apart > SHARP) | ~seen[:, :, None]).all(1)
    is_next = hidden & there & ~seen
    first = is_next.float().argmax(1)
    following = points[torch.arange(len(points)), first]
    following = torch.where(is_next.any(1)[:, None], following, torch.nan)
    width = min(SEEN, points.shape[1])
    made = torch.full((len(points), SEEN + 1, 2), torch.nan)
    made[:, :width] = torch.where((seen & there)[..., None], points, torch.nan)[:, :width]
    made[:, SEEN] = following
    return made
