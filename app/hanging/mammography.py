"""Mammograms: which tile each view hangs in, and on which side its chest wall lies.

The order is that of OHIF's and IHE's hanging: right breast left, left breast right, so that the
chest walls meet in the middle; CC over MLO.
"""

from typing import Literal

import numpy as np

from app.images.attributes import DisplayAttributes
from app.images.dicom.breast_views import LOWER, UPPER
from app.images.greyscale import display_lut
from app.images.store import LoadedImage

Side = Literal["left", "right"]
_CLOSE_UPS = {"M", "S"}
_STRIP_SHARE = 0.08
_MOST_ROWS = 512


def tile_of(laterality: str | None, view: str | None) -> int | None:
    """Return the place of a mammogram (0 R CC, 1 L CC, 2 R MLO, 3 L MLO); None if unknown.

    CC-like views share the place of CC, views from the side that of MLO.
    """
    side, name = (laterality or "").strip().upper()[:1], (view or "").strip().upper()
    if side not in ("R", "L") or name not in (*UPPER, *LOWER):
        return None
    return 2 * (name in LOWER) + (side == "L")


def is_mammogram(attributes: DisplayAttributes) -> bool:
    """Return whether an image is one view of one breast."""
    return tile_of(attributes.laterality, attributes.view) is not None


def is_close_up(attributes: DisplayAttributes) -> bool:
    """Return whether a mammogram is magnified or a spot view: it may not include the chest wall."""
    return not _CLOSE_UPS.isdisjoint(attributes.view_modifiers)


def wanted_side(attributes: DisplayAttributes) -> Side | None:
    """Return at which edge of its tile a mammogram's chest wall belongs; None for other images."""
    if not is_mammogram(attributes):
        return None
    return "right" if (attributes.laterality or "").strip().upper().startswith("R") else "left"


def chest_wall_side(image: LoadedImage) -> Side:
    """Return at which edge of the image, as stored, the chest wall lies.

    The breast touches that edge, air the opposite one: the brighter edge is the chest wall.
    """
    stored = image.stored
    step = max(1, stored.shape[0] // _MOST_ROWS)
    strip = max(1, round(stored.shape[1] * _STRIP_SHARE))
    edges = np.concatenate((stored[::step, :strip], stored[::step, -strip:]), axis=1)
    grey = display_lut(image.attributes).apply(edges)
    left, right = grey[:, :strip].mean(), grey[:, strip:].mean()
    return "left" if left >= right else "right"
