"""Images imported one by one become cases of several: four mammograms, a pair, a prior."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from app.hanging.layouts import HANGINGS, grid_of
from app.hanging.mammography import tile_of
from app.hanging.pages import Mammogram, mammograms_of, tiles_of
from migrations.study.audit import add_audit
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Image, Reading, StudyCase

AUTO = "auto"
CHOICES = (*HANGINGS, AUTO)
_MOST_OVER_PRIOR = 8
"""Four over four; with more, mammograms would be thumbnails."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An image that was imported, and what the csv of labels says about its case.

    Attributes
    ----------
    case
        Images with the same value hang together; None: those of one patient do, if a hanging is
        set.
    practice
        Whether its case is a practice case.
    prior
        Whether it is an earlier image, to hang below the current one.
    """

    image_id: str
    case: str | None = None
    practice: bool = False
    prior: bool = False


def hang_cases(study: Study, arrivals: Sequence[Arrival], hanging: str | None) -> int:
    """Join images into cases and mark practice; return how many cases were joined or rearranged.

    Cases that someone has read are left as they were read.

    Parameters
    ----------
    arrivals
        In order of import.
    hanging
        One of `CHOICES`; None joins only what the csv says belongs together.
    """
    made = 0
    with study.database.write() as session:
        for group in _groups(session, arrivals, hanging):
            made += _joined(session, group, hanging or AUTO)
        for arrival in arrivals:
            if arrival.practice:
                _mark_practice(session, arrival.image_id)
    return made


def arrange(images: Sequence[tuple[Image, bool]], hanging: str) -> tuple[str, list[int]]:
    """Return the hanging of a case and the tile of each of its images.

    Parameters
    ----------
    images
        Each with whether it is a prior.
    """
    mammograms = mammograms_of(images)
    chosen = _chosen(images, mammograms) if hanging == AUTO else hanging
    if chosen == "mammo":
        return chosen, tiles_of(mammograms)
    if chosen == "prior":
        return chosen, _over_prior(images)
    sides = [(image.laterality or "").upper() != "R" for image, _ in images]
    order = sorted(range(len(images)), key=lambda i: (sides[i], i))
    return chosen, [order.index(i) for i in range(len(images))]


def _chosen(images: Sequence[tuple[Image, bool]], mammograms: Sequence[Mammogram]) -> str:
    if len(images) == 1 and not images[0][1]:
        return "one-up"
    rows = {one.place // 2 for one in mammograms if one.place is not None and one.group < 3}
    has_prior = any(prior for _, prior in images)
    if has_prior and (not rows or len(images) <= _MOST_OVER_PRIOR):
        return "prior"
    places = [one.place for one in mammograms if one.place is not None]
    return "mammo" if len(rows) > 1 or (places and len(images) > 2) else "two-up"


def _over_prior(images: Sequence[tuple[Image, bool]]) -> list[int]:
    """Hang current images in the upper row, priors below; if unknown, the later half below.

    Mammograms hang by position, each view over the same view.
    """
    priors = [prior for _, prior in images]
    if not any(priors):
        half = (len(images) + 1) // 2
        priors = [i >= half for i in range(len(images))]
    places = [tile_of(image.laterality, image.view) for image, _ in images]
    found = list(zip(priors, places, strict=True))
    orderly = None not in places and len(set(found)) == len(found)
    used = sorted({place for place in places if place is not None})
    most = len(used) if orderly else max(priors.count(True), priors.count(False))
    _, columns = grid_of("prior", 2 * most)
    counts = {False: 0, True: columns}
    tiles = []
    for prior, place in found:
        beside = used.index(place) if orderly and place is not None else None
        tiles.append(counts[prior] if beside is None else columns * prior + beside)
        counts[prior] += 1
    # The canvas derives the columns from the last tile: a short lower row is aligned to their end.
    short = max(2 * columns - 2 - max(tiles), 0)
    return [tile + short if tile >= columns else tile for tile in tiles]


def _groups(
    session: OrmSession, arrivals: Iterable[Arrival], hanging: str | None
) -> list[list[Arrival]]:
    groups: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        image = session.get_one(Image, arrival.image_id)
        alone = arrival.case is None and hanging is None
        key = f"case {arrival.case}" if arrival.case else f"patient {image.source_group}"
        groups.setdefault(f"image {image.id}" if alone else key, []).append(arrival)
    return [group for group in groups.values() if len(group) > 1]


def _joined(session: OrmSession, group: Sequence[Arrival], hanging: str) -> bool:
    """Put the images of a group into the case of its first one; tell whether anything changed."""
    ids = [arrival.image_id for arrival in group]
    hung = session.scalars(select(CaseImage).where(CaseImage.image_id.in_(ids))).all()
    rows = sorted(hung, key=lambda row: ids.index(row.image_id))
    cases = list(dict.fromkeys(row.case_id for row in rows))
    if len(rows) < len(ids) or not _are_free(session, cases, len(rows)):
        return False
    priors = {arrival.image_id: arrival.prior for arrival in group}
    images = [(session.get_one(Image, image_id), priors[image_id]) for image_id in ids]
    chosen, tiles = arrange(images, hanging)
    kept = session.get_one(StudyCase, cases[0])
    if (kept.hanging, tiles) == (chosen, [row.tile for row in rows]) and len(cases) == 1:
        return False
    kept.hanging = chosen
    _move(session, rows, kept, tiles)
    for spare in cases[1:]:
        session.delete(session.get_one(StudyCase, spare))
    details = {"images": len(ids), "hanging": chosen}
    add_audit(session, "images joined into a case", kept.id, details)
    session.flush()
    return True


def _are_free(session: OrmSession, cases: Sequence[str], count: int) -> bool:
    """Return whether no one has read these cases and they contain no other images."""
    is_read = session.scalar(select(Reading.id).where(Reading.case_id.in_(cases)).limit(1))
    held = session.scalar(
        select(func.count()).select_from(CaseImage).where(CaseImage.case_id.in_(cases))
    )
    return is_read is None and held == count


def _move(
    session: OrmSession, rows: Sequence[CaseImage], case: StudyCase, tiles: Sequence[int]
) -> None:
    for spare, row in enumerate(rows):
        row.case_id, row.tile = case.id, -1 - spare  # out of each other's way first
    session.flush()
    for row, tile in zip(rows, tiles, strict=True):
        row.tile = tile
    session.flush()


def _mark_practice(session: OrmSession, image_id: str) -> None:
    for case in session.scalars(
        select(StudyCase)
        .join(CaseImage, CaseImage.case_id == StudyCase.id)
        .where(CaseImage.image_id == image_id)
    ):
        case.practice = True
