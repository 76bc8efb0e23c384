"""Mammograms in pages of two by two: the standard views in front, all others behind, by key.

A tile is four times its page plus its place (0 R CC, 1 L CC, 2 R MLO, 3 L MLO and their kin), so
that every image of a breast stays where its standard view is when pages are turned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.hanging.mammography import tile_of
from migrations.study.schema import Image

PLACES = 4
"""Images per page."""
_KINDS = {"2d": 0, "synthetic": 1, "tomosynthesis": 2}
_STANDARD = ("CC", "MLO")
_DISPLACED = {"ID"}


@dataclass(frozen=True, slots=True)
class Mammogram:
    """What decides where an image hangs.

    Attributes
    ----------
    place
        0 to 3; None where side or view is unknown.
    is_older
        Whether the case has images of a later day, or it is known to be a prior.
    group
        Images of one group share pages: 0 2D, 1 synthetic 2D, 2 tomosynthesis, 3 implant displaced,
        4 spot, magnified and other special views, 5 those without a place.
    is_standard
        Whether it is CC or MLO itself, not a related view.
    """

    place: int | None
    is_older: bool
    group: int
    is_standard: bool

    @property
    def is_front(self) -> bool:
        """Whether it may hang in front: current, with a place, a plain view."""
        return not self.is_older and self.group < 3


def mammograms_of(images: Sequence[tuple[Image, bool]]) -> list[Mammogram]:
    """Return what decides where images hang; each comes with whether it is a prior.

    Days are shifted by the same amount for all images of a patient, and by another for each
    patient: only those of one patient can be compared.
    """
    latest: dict[str, int] = {}
    for image, _ in images:
        day = _told(image).get("study_day")
        if day is not None:
            latest[image.source_group] = max(day, latest.get(image.source_group, day))
    return [
        _mammogram(image, prior or _is_before(image, latest.get(image.source_group)))
        for image, prior in images
    ]


def _is_before(image: Image, latest: int | None) -> bool:
    day = _told(image).get("study_day")
    return day is not None and latest is not None and int(day) < latest


def _told(image: Image) -> dict[str, Any]:
    return image.details or {}


def _mammogram(image: Image, is_older: bool) -> Mammogram:
    place = tile_of(image.laterality, image.view)
    modifiers = set(_told(image).get("view_modifiers", []))
    if place is None:
        group = 5
    elif modifiers:
        group = 3 if modifiers <= _DISPLACED else 4
    else:
        group = _KINDS.get(str(_told(image).get("kind")), 0)
    return Mammogram(place, is_older, group, (image.view or "").upper() in _STANDARD)


def tiles_of(mammograms: Sequence[Mammogram]) -> list[int]:
    """Return the tile of each image, page 0 being in front."""
    front = _front(mammograms)
    front |= _filling(mammograms, front)
    tiles = dict(front)
    behind: dict[tuple[bool, int], list[int]] = {}
    for i, image in enumerate(mammograms):
        if i not in front:
            behind.setdefault((image.is_older, image.group), []).append(i)
    page = 1 if front else 0
    for group in sorted(behind):
        hung = _paged([mammograms[i].place for i in behind[group]])
        tiles |= {i: page * PLACES + tile for i, tile in zip(behind[group], hung, strict=True)}
        page += max(hung) // PLACES + 1
    return [tiles[i] for i in range(len(mammograms))]


def pages_of(tiles: Sequence[int]) -> list[int]:
    """Return the pages that have an image."""
    return sorted({tile // PLACES for tile in tiles})


def _front(mammograms: Sequence[Mammogram]) -> dict[int, int]:
    """Return which image hangs at which place in front: the plainest of each."""
    best: dict[int, tuple[tuple[int, bool, int], int]] = {}
    for i, image in enumerate(mammograms):
        if image.is_front and image.place is not None:
            rank = (image.group, not image.is_standard, i)
            best[image.place] = min(best.get(image.place, (rank, i)), (rank, i))
    return {i: place for place, (_, i) in best.items()}


def _filling(mammograms: Sequence[Mammogram], front: Mapping[int, int]) -> dict[int, int]:
    """Put images without a place into the free places in front, if all of them fit.

    No one looks for an image behind a key while the page in front has space for it.
    """
    placeless = [i for i, m in enumerate(mammograms) if m.place is None and not m.is_older]
    free = sorted(set(range(PLACES)) - set(front.values()))
    fits = 0 < len(placeless) <= len(free) and bool(front)
    return dict(zip(placeless, free, strict=False)) if fits else {}


def _paged(places: Sequence[int | None]) -> list[int]:
    """Return tiles, from page 0, at the wanted places; images without a place fill the pages."""
    taken: set[int] = set()
    tiles = []
    for place in places:
        step = 1 if place is None else PLACES
        tile = place or 0
        while tile in taken:
            tile += step
        taken.add(tile)
        tiles.append(tile)
    return tiles
