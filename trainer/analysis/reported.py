"""What readers marked, held against the lesions there are: found, missed, or wrong."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.answers import answers_of_all
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import Annotation
from trainer.analysis.areas import Area
from trainer.analysis.looked import FloatArray, Looked
from trainer.data.chains import chains_of

MARKS = ("box", "keypoint")


@dataclass(frozen=True, slots=True)
class Reported:
    """A mark of a reader, in image pixels: a box, or a keypoint of no extent.

    `rating` is the confidence given to the mark: NaN where this one has none and others do, 1 for
    all where no mark of the study has one. `part` counts the parts of a resumed reading from 0.
    """

    image: str
    frame: int
    x_image: float
    y_image: float
    width_image: float = 0.0
    height_image: float = 0.0
    rating: float = 1.0
    part: int = 0

    @property
    def centre(self) -> FloatArray:
        """Its centre, (1, 2)."""
        return np.array(
            [[self.x_image + self.width_image / 2, self.y_image + self.height_image / 2]]
        )


@dataclass(frozen=True, slots=True)
class Errors:
    """What a reading got wrong: lesions without a mark, and marks on no lesion as areas."""

    missed: tuple[Area, ...]
    wrong: tuple[Area, ...]


def marks_of(study: Study) -> dict[str, list[Reported]]:
    """Return the standing marks of each reading, by the names of readings and images.

    Marks of a resumed reading's earlier parts are those of the finished reading.
    """
    query = (
        select(Annotation)
        .where(Annotation.kind.in_(MARKS), Annotation.undone_us.is_(None))
        .where(Annotation.image_id.is_not(None), Annotation.x_image.is_not(None))
        .order_by(Annotation.id)
    )
    whole = {
        part.id: (chain[-1].id, number)
        for chain in chains_of(study).whole
        for number, part in enumerate(chain)
    }
    found: dict[str, list[Reported]] = defaultdict(list)
    with study.database.read() as rows:
        readings, images = names_of(rows, "reading"), names_of(rows, "image")
        sure = _confidences(rows, readings)
        marks = rows.scalars(query).all()
        unsaid = np.nan if any(mark.id in sure for mark in marks) else 1.0
        for row in marks:
            reading_id, part = whole.get(row.reading_id, (row.reading_id, 0))
            mark = Reported(
                images[row.image_id or ""],
                int(row.details.get("frame", 0)),
                row.x_image or 0.0,
                row.y_image or 0.0,
                row.width_image or 0.0,
                row.height_image or 0.0,
                sure.get(row.id, unsaid),
                part,
            )
            found[readings[reading_id]].append(mark)
    return dict(found)


def _confidences(rows: OrmSession, reading_ids: Iterable[str]) -> dict[str, float]:
    """Return the confidence given to each mark, by the mark's id."""
    given = answers_of_all(rows, reading_ids)
    return {
        answered.annotation_id: float(answered.value)
        for answers in given.values()
        for answered in answers
        if answered.kind == "confidence" and answered.annotation_id is not None
    }


def said_once(marks: Sequence[Reported], radius_px: float) -> list[Reported]:
    """Return the marks without those that a later part of the reading set again.

    Who resumes a reading does not see the marks made before, and sets them anew. A mark of a later
    part stands for the nearest one of earlier parts on the same frame that its centre lies in, or
    is within `radius_px` of; each stands for one mark of each earlier part at most.
    """
    gone = set[int]()
    for later in marks:
        for part in range(later.part):
            apart = [
                (_apart(earlier, later), k)
                for k, earlier in enumerate(marks)
                if earlier.part == part and k not in gone
            ]
            least, nearest = min(apart, default=(np.inf, -1))
            if least <= radius_px:
                gone.add(nearest)
    return [mark for k, mark in enumerate(marks) if k not in gone]


def _apart(earlier: Reported, later: Reported) -> float:
    """Return how far the later mark's centre lies from the earlier mark, px; 0 inside of it."""
    if (earlier.image, earlier.frame) != (later.image, later.frame):
        return np.inf
    half = np.array([earlier.width_image, earlier.height_image]) / 2
    beyond = np.maximum(np.abs(later.centre[0] - earlier.centre[0]) - half, 0.0)
    return float(np.hypot(*beyond))


def errors_of(
    looked: Looked, lesions: Sequence[Area], marks: Sequence[Reported], radius_px: float
) -> Errors:
    """Hold a reading's marks on one image against the lesions there.

    Parameters
    ----------
    radius_px
        A mark finds a lesion whose border its centre is within this of.
    """
    own = [mark for mark in said_once(marks, radius_px) if mark.image == looked.image]
    hits = [[bool(_meets(lesion, mark, radius_px)) for lesion in lesions] for mark in own]
    missed = tuple(lesion for k, lesion in enumerate(lesions) if not any(row[k] for row in hits))
    wrong = tuple(
        Area(looked.image, f"mark {k + 1}", "keypoint", mark.centre, frame=mark.frame)
        for k, (mark, row) in enumerate(zip(own, hits, strict=True))
        if not any(row)
    )
    return Errors(missed, wrong)


def _meets(lesion: Area, mark: Reported, radius_px: float) -> bool:
    frame = np.array([mark.frame], np.int64)
    return bool(lesion.contains(mark.centre, frame, radius_px)[0])


def lesions_of(areas: Mapping[str, Sequence[Area]], image: str) -> list[Area]:
    """Return the areas of an image that hold a lesion."""
    return [area for area in areas.get(image, ()) if area.lesion]
