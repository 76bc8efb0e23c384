"""Where in its image a crop should lie: what readers looked at, or what the encoder answers to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.data.cache import ImageCache
from trainer.data.cohort import Member
from trainer.encoders.nets import to_input
from trainer.encoders.patches import as_maps, layer_with_places
from trainer.methods.base import Method
from trainer.pretrain.augment import apply_views, whole_views
from trainer.pretrain.job import Job

_DWELL_KEPT = 0.8
"""Share of the dwell time that the box of what was looked at holds, the rest on either side."""
_ACTIVE = 0.1
"""Of ContrastiveCrop: activation, from least (0) to most (1), above which a place counts."""
_BATCH = 64


def gaze_boxes(members: Sequence[Member], images: ImageCache) -> Tensor:
    """Return the box of what was looked at in each image, (N, 4): x0, y0, x1, y1, array pixels.

    The box holds the middle 80 % of dwell time along each axis, over all readings of the image; NaN
    for an image that nobody read.
    """
    return torch.stack([_gaze_box(m, images.boxes[i]) for i, m in enumerate(members)])


def _gaze_box(member: Member, box: Tensor) -> Tensor:
    fixations = [r.fixations for r in member.readings]
    points = np.concatenate([f.points_image for f in fixations]) if fixations else np.zeros((0, 2))
    weights = np.concatenate([f.duration_us for f in fixations]) if fixations else np.zeros(0)
    usable = np.isfinite(points).all(1) & (weights > 0)
    if not usable.any():
        return torch.full((4,), torch.nan)
    edge = (1 - _DWELL_KEPT) / 2
    ends = [
        [_quantile(points[usable, axis], weights[usable], share) for axis in (0, 1)]
        for share in (edge, 1 - edge)
    ]
    scale = box / torch.tensor([member.width, member.height], dtype=torch.float32)
    corners = torch.tensor(ends, dtype=torch.float32) * scale
    return torch.minimum(corners.clamp(min=0), box).flatten()


def _quantile(values: NDArray[Any], weights: NDArray[Any], share: float) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, share * total[-1])])


def activation_boxes(method: Method, job: Job) -> Tensor:
    """Return the box that the encoder's activation marks in each image, (N, 4), array pixels.

    The activation of the last layer of maps (the patches of a transformer), summed over channels
    and scaled to 0 to 1, is cut at 0.1; the box is what lies above (Peng et al. 2022). Batch
    statistics and random state stay as they are.
    """
    method.eval()
    caught: list[Tensor] = []
    hook = layer_with_places(method.encoder, "layer4").register_forward_hook(
        lambda _module, _inputs, output: caught.append(_activation(method.encoder, output))
    )
    try:
        made = [_boxes_of(method, job, ids, caught) for ids in _all_ids(job)]
    finally:
        hook.remove()
        method.train()
    return torch.cat(made)


def _all_ids(job: Job) -> list[Tensor]:
    return list(torch.split(torch.arange(len(job.images)), _BATCH))


@torch.no_grad()
def _boxes_of(method: Method, job: Job, ids: Tensor, caught: list[Tensor]) -> Tensor:
    method.encoder.forward(whole_input(job, ids))  # compiled, it would not call the hook
    maps = caught.pop().float().cpu()
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    active = (maps - low) / (high - low).clamp(min=1e-12) > _ACTIVE
    ends = [_ends(active.any(axis)) for axis in (1, 2)]  # over rows: x; over columns: y
    corners = torch.stack([ends[0][0], ends[1][0], ends[0][1], ends[1][1]], 1)
    return corners * job.images.boxes[ids].repeat(1, 2)


def _ends(line: Tensor) -> tuple[Tensor, Tensor]:
    """Return where each row of bools (B, L) begins and ends to be True, as shares of its length."""
    length, number = line.shape[1], line.to(torch.uint8)
    first, last = number.argmax(1), length - number.flip(1).argmax(1)
    none = ~line.any(1)
    return (
        torch.where(none, 0, first) / length,
        torch.where(none, length, last) / length,
    )


def _activation(encoder: nn.Module, output: Tensor) -> Tensor:
    """Return maps (B, h, w) of what a layer puts out: of patches their length."""
    maps = as_maps(encoder, output.detach())
    return maps.clamp(min=0).sum(1) if output.ndim == 4 else maps.norm(dim=1)


def whole_input(job: Job, ids: Tensor) -> Tensor:
    """Return whole images, unchanged, as the encoder takes them, (B, C, H, W)."""
    draw = whole_views(job.images.boxes[ids], job.images.side)
    views = apply_views(job.images.batch(ids, job.device), draw, job.config.view)
    layout = torch.channels_last if job.config.channels_last else torch.contiguous_format
    return to_input(views, job.config.in_channels).contiguous(memory_format=layout)
