"""Smoothing of images before a view shrinks them, so that nothing finer than its pixels shows.

A view that takes one of one and a half pixels by bilinear weights keeps half of a stripe one pixel
wide as a pattern that is not there, and drops or doubles a microcalcification by chance. So each
image is first averaged over about as many pixels as lie between two of its view's, along each axis,
within its own box; one that its view enlarges, or hardly shrinks, stays as it is.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_TOGETHER = 4  # images at once on a CPU: more of them leave its cache between two sums
_MORE = 1.05  # of the width that has the spread of an antialiased resize


@dataclass(frozen=True, slots=True)
class Smoothing:
    """What is smoothed in a batch, and how far.

    Attributes
    ----------
    chosen
        Positions of the images that their view shrinks, (n,), int64.
    weights
        Of a pixel and of its h neighbours to either side, along x and along y, (2, n, h + 1).
    boxes
        Width and height of each of them within its array, (n, 2), float.
    """

    chosen: Tensor
    weights: Tensor
    boxes: Tensor

    @classmethod
    def of(cls, affine: Tensor, boxes: Tensor, side: int, view: tuple[int, int]) -> "Smoothing":
        """Return it for views of a size, on the CPU.

        Parameters
        ----------
        affine
            From view to array, (B, 2, 3), both in units of -1 to 1.
        boxes
            Width and height of each image within its array, (B, 2).
        side, view
            Of the arrays; height and width of the views; pixels.
        """
        height, width = view
        across, down = affine[:, :, 0] * side / width, affine[:, :, 1] * side / height
        steps = torch.hypot(across, down)  # array pixels between two of the view, (B, 2)
        # A box of this width and bilinear weights spread as the triangle of an antialiased resize.
        widths = _MORE * (2 * (steps**2 - 1)).clamp(min=0).sqrt()
        chosen = (widths > 1).any(1).nonzero()[:, 0]
        widths = widths[chosen].clamp(min=1).T[:, :, None]
        most = float(widths.max()) if len(chosen) else 1.0
        away = torch.arange(math.ceil((most - 1) / 2) + 1)
        weights = (widths / 2 - away + 0.5).clamp(0, 1) / widths
        weights[..., 0] = 1 / widths[..., 0]
        return cls(chosen, weights, boxes[chosen])

    def tensors(self) -> list[Tensor]:
        """Return all of it, as the constructor takes it."""
        return [self.chosen, self.weights, self.boxes]


def smooth(images: Tensor, how: Smoothing) -> Tensor:
    """Smooth images (B, 1, S, S), float, in place, and return them; outside their boxes is 0."""
    count = len(how.chosen)
    together = _TOGETHER if images.is_cpu else max(1, count)
    for start in range(0, count, together):
        part = slice(start, start + together)
        chosen, boxes = how.chosen[part], how.boxes[part]
        picked = images[chosen]
        for axis, weights in zip((3, 2), how.weights[:, part], strict=True):
            picked = _averaged(picked, weights, boxes[:, 3 - axis], axis)
        images.index_copy_(0, chosen, picked)
    return images


def _averaged(images: Tensor, weights: Tensor, ends: Tensor, axis: int) -> Tensor:
    """Average along an axis within each image's own box, whose rim is no step down to black."""
    shape = [-1, 1, 1, 1]
    shape[axis] = images.shape[axis]
    at = torch.arange(images.shape[axis], device=images.device)
    # A pixel that a box ends within counts as all of it.
    inside = (at < ends[:, None]).to(images.dtype).view(shape)
    share = _summed(inside, weights, axis)
    return _summed(images, weights, axis) * (inside / share.clamp(min=1e-6))


def _summed(values: Tensor, weights: Tensor, axis: int) -> Tensor:
    """Return each value and its neighbours along an axis, weighted; beyond the ends is 0."""
    reach, length = weights.shape[1] - 1, values.shape[axis]
    padding = [reach, reach, 0, 0] if axis == 3 else [0, 0, reach, reach]
    padded = nn.functional.pad(values, padding)
    of = weights.view(-1, reach + 1, 1, 1, 1)
    total = values * of[:, 0]
    for away in range(1, reach + 1):
        before = padded.narrow(axis, reach - away, length)
        total = total.addcmul(before + padded.narrow(axis, reach + away, length), of[:, away])
    return total
