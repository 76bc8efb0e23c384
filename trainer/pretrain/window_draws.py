"""Windows of a batch: one of a reader's of each image, moved at random, drawn on the CPU.

A reader of the image is drawn, then one of the windows by which they looked at it, each as often as
they dwelt under it; where none is recorded it is the image's own. An image that is there by its
8-bit picture stays as that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainer.data.cohort import Member
from trainer.data.display import Window
from trainer.data.stored_cache import StoredCache, StoredSource, display_of


@dataclass(frozen=True, slots=True)
class WindowDraw:
    """The windows of a batch, each of shape (B,): see `trainer.data.display.Window`.

    `lower` and `width` are steps of each image's line; `inverse`: low values are white.
    """

    lower: Tensor
    width: Tensor
    sigmoid: Tensor
    inverse: Tensor

    def rows(self, share: slice) -> "WindowDraw":
        """Return those of some images of the batch."""
        return WindowDraw(*(t[share] for t in self.tensors()))

    def tensors(self) -> list[Tensor]:
        """Return all of it, as the constructor takes it."""
        return [self.lower, self.width, self.sigmoid, self.inverse]


@dataclass(frozen=True, slots=True)
class StoredViews:
    """Stored values of a cohort, and the windows by which they may be shown.

    Attributes
    ----------
    cache
        The values.
    bounds
        Shape (K,), float64, ascending: window k of image i ends at i + its share of the draws.
    lower, width, sigmoid
        Of each window, (K,).
    inverse, deep
        Of each image, (N,): low values are white; it is there by its values.
    jitter
        Largest change of a window's width, and of its centre in half widths.
    """

    cache: StoredCache
    bounds: Tensor
    lower: Tensor
    width: Tensor
    sigmoid: Tensor
    inverse: Tensor
    deep: Tensor
    jitter: float

    def draw(self, ids: Tensor, generator: torch.Generator) -> WindowDraw:
        """Return a window for each image of a batch (B,)."""
        which, wider, aside = torch.rand(3, len(ids), generator=generator, dtype=torch.float64)
        at = torch.searchsorted(self.bounds, ids + which, right=True)
        moves = self.jitter * self.deep[ids]
        lower, width = self.lower[at], self.width[at]
        centre = lower + width / 2 * (1 + moves * (2 * aside - 1))
        width = width * (1 + moves * (2 * wider - 1))
        return WindowDraw(
            (centre - width / 2).float(), width.float(), self.sigmoid[at], self.inverse[ids]
        )

    def described(self) -> "StoredViews":
        """Return it without the values, for another process to open."""
        return replace(self, cache=self.cache.described())


def stored_views(
    cache: StoredCache, members: Sequence[Member], sources: Sequence[StoredSource], jitter: float
) -> StoredViews:
    """Return stored values with the windows of their readers."""
    bounds, windows, inverse = list[float](), list[tuple[float, float, bool]](), list[bool]()
    for i, (member, source) in enumerate(zip(members, sources, strict=True)):
        display = None if cache.reasons[i] else display_of(source)
        inverse.append(display is not None and display.inverse)
        shares = [(1.0, Window(0.0, 255.0))] if display is None else [(1.0, display.own)]
        if display is not None:
            shares = [(s, display.window(c, w)) for s, c, w in _looked_through(member)] or shares
        ends = torch.tensor([share for share, _ in shares], dtype=torch.float64).cumsum(0)
        bounds += (i + ends / ends[-1]).tolist()
        windows += [_on_line(cache, i, window) for _, window in shares]
    lower, width, sigmoid = zip(*windows, strict=True)
    return StoredViews(
        cache,
        torch.tensor(bounds, dtype=torch.float64),
        torch.tensor(lower, dtype=torch.float64),
        torch.tensor(width, dtype=torch.float64),
        torch.tensor(sigmoid),
        torch.tensor(inverse),
        torch.tensor([not reason for reason in cache.reasons]),
        jitter,
    )


def _looked_through(member: Member) -> list[tuple[float, float, float]]:
    """Return share of the draws, centre and width of each window; each reading counts as much."""
    found = []
    for reading in member.readings:
        total = sum(w.dwell_us for w in reading.windows)
        found += [
            (w.dwell_us / total, w.center, w.width) for w in reading.windows if w.dwell_us > 0
        ]
    return found


def _on_line(cache: StoredCache, image: int, window: Window) -> tuple[float, float, bool]:
    width = window.width * cache.steps(image)
    return cache.on_line(image, window.lower), width, window.sigmoid


def shown(values: Tensor, draw: WindowDraw) -> Tensor:
    """Return images as their windows show them.

    Parameters
    ----------
    values
        Shape (B, 1, S, S), float32, on the device: see `StoredCache.batch`.
    draw
        On the same device.

    Returns
    -------
    Tensor
        The same shape, 0 black to 1 white, not rounded; what is no image is 0.
    """
    lower, width, sigmoid, inverse = (t.view(-1, 1, 1, 1) for t in draw.tensors())
    along = (values - lower) / width
    grey = torch.where(sigmoid, torch.sigmoid(4 * along - 2), along.clamp(0, 1))
    return torch.where(inverse, 1 - grey, grey) * (values > 0)
