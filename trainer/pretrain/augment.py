"""Views of a batch at once, in one channel, on the device: smoothing, resampling, tone, blur.

Random numbers are drawn per image on the CPU (`draw_views`), laid out for the device (`PlacedDraw`)
and applied there (`apply_views`), so that views depend on seed and step alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainer.config.recipes import ViewRanges
from trainer.pretrain.shrinking import Smoothing, smooth

_Uniform = Callable[[float, float], Tensor]


@dataclass(frozen=True, slots=True)
class ViewDraw:
    """The random numbers of one view of a batch, each of shape (B,).

    Attributes
    ----------
    affine
        Shape (B, 2, 3), from view to image, both in units of -1 to 1 over the whole array.
    brightness, contrast
        Factors.
    sigma
        Blur, pixels of the view; 0 for none.
    solarise
        Bool.
    boxes
        Width and height of each image within its array, (B, 2); None: the whole array.
    """

    affine: Tensor
    brightness: Tensor
    contrast: Tensor
    sigma: Tensor
    solarise: Tensor
    boxes: Tensor | None = None

    def rows(self, share: slice) -> "ViewDraw":
        """Return the numbers of some images of the batch."""
        return ViewDraw(
            self.affine[share],
            self.brightness[share],
            self.contrast[share],
            self.sigma[share],
            self.solarise[share],
            None if self.boxes is None else self.boxes[share],
        )


def draw_views(
    ranges: ViewRanges,
    boxes: Tensor,
    side: int,
    size: int,
    flip: bool,
    generator: torch.Generator,
    *,
    centred_in: Tensor | None = None,
    keeping: Tensor | None = None,
) -> ViewDraw:
    """Draw the random numbers of one view.

    Parameters
    ----------
    ranges
        What may happen.
    boxes
        Width and height of each image within its square array, from the top left; (B, 2), float.
    side, size
        Sides of the arrays and of the views, pixels.
    flip
        Whether mirroring is allowed at all.
    generator
        Of this view and step, on the CPU.
    centred_in
        Boxes (x0, y0, x1, y1) in array pixels that the centres of crops lie in, (B, 4); contrastive
        crop (Peng et al. 2022, arXiv 2202.03278). None: anywhere.
    keeping
        Boxes that a crop keeps in view, or lies in where it is smaller, (B, 4); NaN for an image
        without one. None: anywhere.
    """
    count = len(boxes)

    def uniform(lowest: float, highest: float) -> Tensor:
        return torch.empty(count).uniform_(lowest, highest, generator=generator)

    def chance(probability: float) -> Tensor:
        return uniform(0, 1) < probability

    crop = _draw_crop(ranges, boxes, uniform)
    if ranges.area is not None and centred_in is not None:
        crop = _centred(crop, boxes, centred_in, generator)
    if ranges.area is not None and keeping is not None:
        crop = _kept(crop, boxes, keeping)
    angle = uniform(-1, 1) * math.radians(ranges.rotation_deg)
    mirrored = chance(ranges.flip) & torch.tensor(flip)
    toned = chance(ranges.tone)
    brightness = torch.where(toned, 1 + uniform(-1, 1) * ranges.brightness, torch.ones(count))
    contrast = torch.where(toned, 1 + uniform(-1, 1) * ranges.contrast, torch.ones(count))
    sigma = uniform(*ranges.blur_sigma) * size / 224
    return ViewDraw(
        affine=_affine(crop, angle, mirrored, side),
        brightness=brightness,
        contrast=contrast,
        sigma=torch.where(chance(ranges.blur), sigma, torch.zeros(count)),
        solarise=chance(ranges.solarise),
        boxes=boxes,
    )


def _draw_crop(ranges: ViewRanges, boxes: Tensor, uniform: _Uniform) -> Tensor:
    """Return centre x, centre y, width, height of each crop in array pixels, shape (B, 4)."""
    width, height = boxes[:, 0], boxes[:, 1]
    area, ratio = uniform(*(ranges.area or (1.0, 1.0))), uniform(*map(math.log, ranges.ratio)).exp()
    across, down = uniform(0, 1), uniform(0, 1)
    if ranges.area is None:
        return torch.stack([width / 2, height / 2, width, height], 1)
    pixels = area * width * height
    crop_width = torch.minimum((pixels * ratio).sqrt(), width)
    crop_height = torch.minimum((pixels / ratio).sqrt(), height)
    x = crop_width / 2 + across * (width - crop_width)
    y = crop_height / 2 + down * (height - crop_height)
    return torch.stack([x, y, crop_width, crop_height], 1)


_CENTRE_SPREAD = 0.6  # of ContrastiveCrop: centres near the rim of a box more often than its middle


def _centred(crop: Tensor, boxes: Tensor, within: Tensor, generator: torch.Generator) -> Tensor:
    """Return crops whose centres are drawn in boxes by a Beta law, kept on the image."""
    shape = torch.full((2, len(crop), 2), _CENTRE_SPREAD)
    one, other = torch._standard_gamma(shape, generator=generator)
    share = one / (one + other).clamp(min=1e-12)
    centre = within[:, :2] + share * (within[:, 2:] - within[:, :2])
    half = crop[:, 2:] / 2
    return torch.cat([torch.minimum(torch.maximum(centre, half), boxes - half), crop[:, 2:]], 1)


def _kept(crop: Tensor, boxes: Tensor, keeping: Tensor) -> Tensor:
    """Return crops moved so that each shows its box, or lies in it where the crop is smaller."""
    size, corner = crop[:, 2:], crop[:, :2] - crop[:, 2:] / 2
    free = (boxes - size).clamp(min=1e-6)
    share = (corner / free).clamp(0, 1)  # the draw, as a share of where the crop may begin
    one, other = keeping[:, 2:] - size, keeping[:, :2]
    lowest = torch.minimum(torch.maximum(torch.minimum(one, other), torch.zeros_like(free)), free)
    highest = torch.minimum(torch.maximum(torch.maximum(one, other), torch.zeros_like(free)), free)
    moved = lowest + share * (highest - lowest)
    return torch.cat([torch.where(moved.isnan(), corner, moved) + size / 2, size], 1)


def _affine(crop: Tensor, angle: Tensor, mirrored: Tensor, side: int) -> Tensor:
    """Return the maps from view to array: mirror, scale to the crop, turn about its centre."""
    x, y, width, height = crop.unbind(1)
    sign = torch.where(mirrored, -1.0, 1.0)
    half_width, half_height = width / side * sign, height / side
    cos, sin = angle.cos(), angle.sin()
    rows = [
        torch.stack([half_width * cos, -half_height * sin, 2 * x / side - 1], 1),
        torch.stack([half_width * sin, half_height * cos, 2 * y / side - 1], 1),
    ]
    return torch.stack(rows, 1)


def whole_views(boxes: Tensor, side: int) -> ViewDraw:
    """Return the draw that shows each whole image unchanged; see `draw_views`."""
    count = len(boxes)
    ones, zeros = torch.ones(count), torch.zeros(count)
    crop = torch.cat([boxes / 2, boxes], 1)
    affine = _affine(crop, zeros, zeros.bool(), side)
    return ViewDraw(affine, ones, ones, zeros, zeros.bool(), boxes)


@dataclass(frozen=True, slots=True)
class PlacedDraw:
    """The numbers of one view as the device takes them: all a step needs, nothing made on the way.

    Attributes
    ----------
    affine, brightness, contrast, solarise
        See `ViewDraw`.
    blurred
        Positions of the images that are blurred, (n,), int64.
    kernels
        Their kernels along one axis, (n, 2 r + 1).
    chosen, weights, boxes
        What is smoothed before it is shrunk: see `Smoothing`.
    """

    affine: Tensor
    brightness: Tensor
    contrast: Tensor
    solarise: Tensor
    blurred: Tensor
    kernels: Tensor
    chosen: Tensor
    weights: Tensor
    boxes: Tensor

    @classmethod
    def of(cls, draw: ViewDraw, side: int, size: int | tuple[int, int]) -> "PlacedDraw":
        """Return the numbers for views of a size of arrays with a side, still on the CPU."""
        view = (size, size) if isinstance(size, int) else size
        whole = torch.full((len(draw.sigma), 2), float(side))
        boxes = whole if draw.boxes is None else draw.boxes
        smoothing = Smoothing.of(draw.affine, boxes, side, view)
        blurred = draw.sigma.nonzero()[:, 0]
        half = min(math.ceil(3 * float(draw.sigma.max())), min(view) - 1)
        at = torch.arange(-half, half + 1)
        kernels = torch.exp(-(at**2) / (2 * draw.sigma[blurred, None] ** 2))
        kernels = kernels / kernels.sum(1, keepdim=True)
        return cls(
            draw.affine, draw.brightness, draw.contrast, draw.solarise, blurred, kernels,
            *smoothing.tensors(),
        )  # fmt: skip

    def tensors(self) -> list[Tensor]:
        """Return all of it, as the constructor takes it."""
        return [
            self.affine, self.brightness, self.contrast, self.solarise, self.blurred, self.kernels,
            self.chosen, self.weights, self.boxes,
        ]  # fmt: skip


def apply_views(images: Tensor, draw: ViewDraw | PlacedDraw, size: int | tuple[int, int]) -> Tensor:
    """Return one view of each image.

    Parameters
    ----------
    images
        Shape (B, 1, S, S), on the device: uint8, or float32 from 0 to 1.
    draw
        What to do; on the CPU, or placed on the device already.
    size
        Side of the views, or their height and width; pixels.

    Returns
    -------
    Tensor
        Shape (B, 1, height, width), float32, 0 to 1.
    """
    count, device = len(images), images.device
    height, width = (size, size) if isinstance(size, int) else size
    if isinstance(draw, ViewDraw):
        placed = PlacedDraw.of(draw, images.shape[-1], size)
        draw = PlacedDraw(*(t.to(device) for t in placed.tensors()))
    grid = nn.functional.affine_grid(draw.affine, [count, 1, height, width], align_corners=False)
    smoothing = Smoothing(draw.chosen, draw.weights, draw.boxes)
    shown = images.float().div_(255) if images.dtype == torch.uint8 else images.clone()
    shown = smooth(shown, smoothing)
    view = nn.functional.grid_sample(shown, grid, align_corners=False)
    view = _blur(_tone(view, draw.brightness, draw.contrast), draw.blurred, draw.kernels)
    solarised = draw.solarise.view(-1, 1, 1, 1) & (view > 0.5)
    return torch.where(solarised, 1 - view, view)


def _tone(view: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Scale about the image's own mean (contrast), then as a whole (brightness)."""
    mean = view.mean((1, 2, 3), keepdim=True)
    view = (view - mean) * contrast.view(-1, 1, 1, 1) + mean
    return (view * brightness.view(-1, 1, 1, 1)).clamp_(0, 1)


def _blur(view: Tensor, where: Tensor, kernels: Tensor) -> Tensor:
    """Blur some images: two one-dimensional convolutions, a group for each."""
    count, half = len(where), kernels.shape[1] // 2
    if count == 0:
        return view
    picked = nn.functional.pad(view[where].transpose(0, 1), [half] * 4, mode="reflect")
    picked = nn.functional.conv2d(picked, kernels.view(count, 1, 1, -1), groups=count)
    picked = nn.functional.conv2d(picked, kernels.view(count, 1, -1, 1), groups=count)
    return view.index_copy(0, where, picked.transpose(0, 1))
