"""The cohort: which images are trained on, and the gaze that was kept of each.

Only finished readings count; practice and readings with the verdict "bad" are left out, and said
to be.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Image
from trainer.data.readings import Dropped, FixationList, ReadingGaze, kept_readings

__all__ = ["Cohort", "Dropped", "FixationList", "Member", "ReadingGaze", "load_cohort"]

RULES = "finished; not practice; verdict not bad; resumed parts joined; on the image; version 2"
"""What decides which gaze is kept and how it is mapped; part of the fingerprint.

Version 2: each sample by the screen and distance in force at its instant. Similarities kept from
version 1 are not found again.
"""


@dataclass(frozen=True, slots=True)
class Member:
    """An image that is trained on.

    Attributes
    ----------
    image_id, sha256, source_group, label, split
        As in table `image`; `source_group` ties images of one patient together.
    width, height
        Source-image pixels.
    presentation
        Its 8-bit PNG.
    readings
        Gaze on it, in order of reading; without any it trains but has no gaze pairs.
    """

    image_id: str
    sha256: str
    source_group: str
    label: str | None
    split: str | None
    width: int
    height: int
    presentation: Path
    readings: tuple[ReadingGaze, ...] = ()


@dataclass(frozen=True, slots=True)
class Cohort:
    """What is trained on.

    Attributes
    ----------
    members
        In the order of import.
    dropped
        Images and readings that were left out, and why.
    fingerprint
        SHA-256 over images, readings, sample counts and the rules that chose them: the same on any
        machine for the same cohort.
    damaged
        Chunks of stored gaze that cannot be read any more; the rest of their readings counts.
    """

    members: tuple[Member, ...]
    dropped: tuple[Dropped, ...]
    fingerprint: str
    damaged: tuple[Dropped, ...] = ()


def load_cohort(
    study: Study,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Cohort:
    """Return the cohort of a study: all images with a presentation, and the gaze that counts.

    `progress` is told of readings done and in all; `cancelled` is asked before each.

    Raises
    ------
    Cancelled
        If the user asked to stop.
    """
    kept = kept_readings(study, progress, cancelled)
    with study.database.read() as session:
        images = session.scalars(select(Image).order_by(Image.import_number, Image.id)).all()
    dropped = [_without_presentation(i) for i in images if not study.presentation(i.id).is_file()]
    missing = {d.id for d in dropped}
    members = tuple(
        _member(study, image, kept.by_image.get(image.id, []))
        for image in images
        if image.id not in missing
    )
    left_out = (*dropped, *kept.dropped)
    return Cohort(members, left_out, fingerprint(members), tuple(kept.damaged))


def damage_text(cohort: Cohort) -> list[str]:
    """Return one line for each damaged chunk: of which reading, how much, why."""
    return [f"reading {short_name(d.id)} ({d.id}): {d.reason}" for d in cohort.damaged]


def fingerprint(members: Iterable[Member]) -> str:
    """Return the SHA-256 that names a cohort, whatever the order of its members."""
    lines = sorted(
        [m.sha256, sorted([r.reading_id, len(r.points_image)] for r in m.readings)] for m in members
    )
    text = json.dumps([RULES, lines], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _member(study: Study, image: Image, readings: Iterable[ReadingGaze]) -> Member:
    return Member(
        image.id,
        image.sha256,
        image.source_group,
        image.label,
        image.split,
        image.columns,
        image.rows,
        study.presentation(image.id),
        tuple(readings),
    )


def _without_presentation(image: Image) -> Dropped:
    reason = (
        f"image {short_name(image.id)} (sha256 {image.sha256[:16]}) has no presentation.png here; "
        "import it again or copy the study with its folder images"
    )
    return Dropped("image", image.id, reason)
