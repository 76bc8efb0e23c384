"""How large views should be, so that marked or looked-at places cover enough of a view."""

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.folder import Study
from migrations.study.schema import Annotation, Fixation, Image, Reading

COVERED_PX = 32
"""In a view of the whole image, a target should cover this many pixels: two patches of a
transformer, or one place in a residual net's last maps."""
FEWEST = 10
"""Number of boxes or visits needed for a proposal."""
_SMALLEST, _LARGEST = 96, 1024
_VISIT_DEG = 2.0
"""Consecutive fixations that are no farther apart look at the same thing."""
_PATCH = re.compile(r"patch(\d+)|^vit_\w+?_(\d+)$")
_STEP = 32


@dataclass(frozen=True, slots=True)
class Seen:
    """A box that a reader drew, or the fixations of the longest visit of a reading.

    Attributes
    ----------
    share
        Its longer side as a share of the image's longer side, 0 to 1.
    side_px
        Longer side of the image, pixels.
    length_mm
        Length of its longer side; None where the image's pixel spacing is not known.
    """

    share: float
    side_px: int
    length_mm: float | None = None


@dataclass(frozen=True, slots=True)
class ViewProposal:
    """A proposed view size, and its basis.

    Attributes
    ----------
    size
        Pixels; 0 if there is too little data.
    count
        Boxes or visits.
    by_boxes
        Whether it is based on boxes; otherwise on visits.
    share, length_mm
        Medians; None where the spacing is known for less than half of them.
    limited
        Whether a larger size would have been proposed if the images had enough pixels and it were
        not too costly to train on.
    """

    size: int
    count: int
    by_boxes: bool
    share: float = 0.0
    length_mm: float | None = None
    limited: bool = False


@dataclass(frozen=True, slots=True)
class SeenParts:
    """What a proposal is based on: boxes if there are enough of them, else visits."""

    parts: tuple[Seen, ...] = ()
    by_boxes: bool = False


def seen_parts(study: Study) -> SeenParts:
    """Return what readers marked in a study's images, or looked at longest."""
    with study.database.read() as session:
        boxes = tuple(_boxes(session))
        if len(boxes) >= FEWEST:
            return SeenParts(boxes, by_boxes=True)
        return SeenParts(tuple(_visits(session)))


def propose(seen: SeenParts, encoder: str = "") -> ViewProposal:
    """Return the view size that suits what was seen and an encoder."""
    parts, patch = seen.parts, patch_of(encoder)
    if len(parts) < FEWEST:
        return ViewProposal(0, len(parts), seen.by_boxes)
    share = median(each.share for each in parts)
    lengths = [each.length_mm for each in parts if each.length_mm is not None]
    wanted = max(_SMALLEST, math.ceil(COVERED_PX / share))
    most = min(_LARGEST, max(_SMALLEST, round(median(each.side_px for each in parts))))
    size = math.ceil(wanted / patch) * patch
    largest = max(1, most // patch) * patch
    return ViewProposal(
        min(size, largest),
        len(parts),
        seen.by_boxes,
        share,
        median(lengths) if 2 * len(lengths) >= len(parts) else None,
        size > largest,
    )


def patch_of(encoder: str) -> int:
    """Return the number that the sides of an encoder's views are multiples of, from its name."""
    match = _PATCH.search(encoder)
    return int(match[1] or match[2]) if match else _STEP


def cost(size: int, other: int) -> float:
    """Return how many times the time and memory of a step grow compared with another view size.

    In proportion to the number of pixels, as work and memory of convolutions and patches do.
    """
    return (size / other) ** 2


_IMAGE = (Image.rows, Image.columns, Image.row_spacing_mm, Image.column_spacing_mm)


def _boxes(session: OrmSession) -> Iterator[Seen]:
    found = session.execute(
        select(Annotation.width_image, Annotation.height_image, *_IMAGE)
        .join(Reading, Annotation.reading_id == Reading.id)
        .join(Image, Annotation.image_id == Image.id)
        .where(
            Annotation.kind == "box",
            Annotation.undone_us.is_(None),
            Reading.state == "finished",
            Reading.practice.is_(False),
        )
    )
    for row in found:
        if row.width_image and row.height_image:
            yield _seen(abs(row.width_image), abs(row.height_image), row)


def _visits(session: OrmSession) -> Iterator[Seen]:
    """Return the longest visit of each reading to each image."""
    found = session.execute(
        select(
            Fixation.reading_id, Fixation.image_id, Fixation.duration_us,
            Fixation.x_image, Fixation.y_image, Fixation.x_deg, Fixation.y_deg, *_IMAGE,
        )
        .join(Reading, Fixation.reading_id == Reading.id)
        .join(Image, Fixation.image_id == Image.id)
        .where(
            Fixation.x_image.is_not(None),
            Reading.state == "finished",
            Reading.practice.is_(False),
            Reading.verdict.is_distinct_from("bad"),
        )
        .order_by(Fixation.reading_id, Fixation.start_us)
    )  # fmt: skip
    looks: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in found:
        looks[row.reading_id, row.image_id].append(row)
    for rows in looks.values():
        visits = [v for v in _runs_of(rows) if len(v) > 1]
        if visits:
            longest = max(visits, key=lambda visit: sum(f.duration_us for f in visit))
            width = _extent(f.x_image for f in longest)
            height = _extent(f.y_image for f in longest)
            if max(width, height) > 0:
                yield _seen(width, height, longest[0])


def _runs_of(rows: Sequence[Any]) -> list[list[Any]]:
    made = [[rows[0]]]
    for before, row in itertools.pairwise(rows):
        if math.hypot(row.x_deg - before.x_deg, row.y_deg - before.y_deg) <= _VISIT_DEG:
            made[-1].append(row)
        else:
            made.append([row])
    return made


def _extent(values: Iterable[float]) -> float:
    known = list(values)
    return max(known) - min(known)


def _seen(width: float, height: float, image: Any) -> Seen:
    side = max(image.rows, image.columns)
    across, along = image.column_spacing_mm, image.row_spacing_mm
    length = None if across is None or along is None else max(width * across, height * along)
    return Seen(min(1.0, max(width, height) / side), side, length)
