"""What is missing before a pre-training makes sense."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from app.remarks import Sentence
from app.workspace.cohort import CohortRow
from migrations.study.folder import Study
from migrations.study.schema import Image

FEW_CASES = 30
"""With fewer read images than this, a pre-training can hardly show anything."""


def missing(study: Study, rows: Sequence[CohortRow]) -> list[Sentence]:
    """Return what is missing before a pre-training makes sense, the gravest first."""
    with study.database.read() as session:
        images = session.execute(select(Image.id, Image.label, Image.split)).all()
    kept = [row for row in rows if row.counts]
    read = len({image_id for row in kept for image_id in row.image_ids})
    unread = len(images) - read
    found = [
        (Sentence("There are no images yet. Import some on the Worklist page."), not images),
        (Sentence("No reading is included yet. Read some cases."), bool(images) and not kept),
        (_few(read), 0 < read < FEW_CASES),
        (_without_gaze(unread, len(images)), 0 < read < len(images)),
        (
            Sentence(
                "No image has a label, so no probe can tell whether gaze helped. Type labels into "
                "the Label column, or import a csv of them on the Worklist page."
            ),
            bool(images) and not any(label for _, label, _ in images),
        ),
        (
            Sentence(
                "No image is held out for testing yet. A run makes the split when it starts; to "
                "choose it yourself, type “test” into the Split column."
            ),
            bool(images) and not any(split == "test" for _, _, split in images),
        ),
    ]
    return [lack for lack, applies in found if applies] + _grave_losses(rows)


def _few(read: int) -> Sentence:
    one = "Only {count} image was read. A run on fewer than {least} images shows little."
    many = "Only {count} images were read. A run on fewer than {least} images shows little."
    return Sentence(one if read == 1 else many, {"count": read, "least": FEW_CASES})


def _without_gaze(unread: int, images: int) -> Sentence:
    one = "{count} of {images} images has no gaze and joins the training without gaze pairs."
    many = "{count} of {images} images have no gaze and join the training without gaze pairs."
    return Sentence(one if unread == 1 else many, {"count": unread, "images": images})


def _grave_losses(rows: Sequence[CohortRow]) -> list[Sentence]:
    """Name readers most of whose readings are excluded for their gaze."""
    by_reader: dict[str, Counter[bool]] = defaultdict(Counter)
    for row in rows:
        if row.state == "finished" and not row.practice:
            by_reader[row.reader][row.counts] += 1
    text = "{count} of {readings} readings by {reader} are excluded. Calibrate again."
    return [
        Sentence(text, {"count": counts[False], "readings": counts.total(), "reader": reader})
        for reader, counts in sorted(by_reader.items())
        if counts[False] > counts.total() / 2
    ]
