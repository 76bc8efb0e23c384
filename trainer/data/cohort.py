"""The cohort: which images are trained on, and the gaze that was kept of each.

Only finished readings count; practice and readings with the verdict "bad" are left out, and said
to be.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.names import item_of_frame, short_name, split_item
from migrations.study.plurals import counted
from migrations.study.schema import Image
from trainer.data.chains import Dropped
from trainer.data.readings import FixationList, ReadingGaze, kept_readings
from trainer.data.stacks import looked_at

__all__ = ["Cohort", "Dropped", "FixationList", "Member", "ReadingGaze", "load_cohort"]

RULES = "finished; not practice; verdict not bad; resumed parts joined; by image, frame; version 3"
"""What decides which gaze is kept and how it is mapped; part of the fingerprint.

Version 2: each sample by the screen and distance in force at its instant. Similarities kept from
version 1 are not found again. Version 3: stacks by their looked-at frames.
"""


@dataclass(frozen=True, slots=True)
class Member:
    """An image that is trained on.

    Attributes
    ----------
    image_id, sha256, source_group, label, split
        As in table `image`; `source_group` ties images of one patient together. A frame of a stack
        is a member of its own, its id that of `migrations.study.names.item_of_frame`.
    width, height
        Source-image pixels.
    presentation
        Its 8-bit PNG, of a stack that of the frame.
    stored
        File of its stored values, of a stack those of all frames; None for an image file.
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
    stored: Path | None = None


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
    notes
        What else a person should know, in whole sentences.
    """

    members: tuple[Member, ...]
    dropped: tuple[Dropped, ...]
    fingerprint: str
    damaged: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()

    def readings_left_out(self) -> str:
        """Return how many readings do not count, and why, as a sentence after a space."""
        reasons = Counter(each.reason for each in self.dropped if each.kind == "reading")
        said = "; ".join(f"{counted(n, 'reading')}: {why}" for why, n in reasons.most_common(3))
        return f" Left out: {said}." if said else ""


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
    beside = study.settings.stack_frames
    frames = looked_at(kept.by_image, {i.id: i.frames for i in images}, beside)
    members: list[Member] = []
    dropped: list[Dropped] = []
    for image in images:
        for item, picture in _pictures(study, image, frames.get(image.id, ())):
            if picture.is_file():
                readings = kept.by_image.get(item, [])
                stored = study.image_folder(image.id) / "stored.npy"
                members.append(_member(image, item, picture, readings, stored))
            else:
                dropped.append(_without_picture(image, item))
    return Cohort(
        tuple(members), (*dropped, *kept.dropped), fingerprint(members), tuple(kept.damaged)
    )


def damage_text(cohort: Cohort) -> list[str]:
    """Return one line for each damaged chunk: of which reading, how much, why."""
    return [f"reading {short_name(d.id)} ({d.id}): {d.reason}" for d in cohort.damaged]


def fingerprint(members: Iterable[Member]) -> str:
    """Return the SHA-256 that names a cohort, whatever the order of its members."""
    lines = sorted(
        [_hash_of(m), sorted([r.reading_id, len(r.points_image)] for r in m.readings)]
        for m in members
    )
    text = json.dumps([RULES, lines], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of(member: Member) -> str:
    frame = split_item(member.image_id)[1]
    return member.sha256 if frame is None else f"{member.sha256}#{frame}"


def _pictures(study: Study, image: Image, frames: Sequence[int]) -> Iterable[tuple[str, Path]]:
    """Yield the members that an image is, and where the picture of each lies.

    A stack that nobody read is one, with the picture of its middle frame and without gaze.
    """
    if not frames:
        yield image.id, study.presentation(image.id)
    for frame in frames:
        yield item_of_frame(image.id, frame), study.presentation_of_frame(image.id, frame)


def _member(
    image: Image, item: str, picture: Path, readings: Iterable[ReadingGaze], stored: Path
) -> Member:
    return Member(
        item,
        image.sha256,
        image.source_group,
        image.label,
        image.split,
        image.columns,
        image.rows,
        picture,
        tuple(readings),
        stored,
    )


def _without_picture(image: Image, item: str) -> Dropped:
    frame = split_item(item)[1]
    named = f"image {short_name(image.id)} (sha256 {image.sha256[:16]})"
    if frame is None:
        reason = (
            f"{named} has no presentation.png here; "
            "import it again or copy the study with its folder images"
        )
        return Dropped("image", image.id, reason)
    reason = (
        f"frame {frame} of stack {named} has no picture here; open a session of the study at the "
        "station, which makes it, or copy the study with its folder images"
    )
    return Dropped("frame", item, reason)
