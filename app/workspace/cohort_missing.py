"""What is missing before a pre-training makes sense."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from app.workspace.cohort import CohortRow
from migrations.study.folder import Study
from migrations.study.schema import Image

FEW_CASES = 30
"""Below so many read images a pre-training can hardly show anything."""


def missing(study: Study, rows: Sequence[CohortRow]) -> list[str]:
    """Return what is missing before a pre-training makes sense, the gravest first."""
    with study.database.read() as session:
        images = session.execute(select(Image.id, Image.label, Image.split)).all()
    kept = [row for row in rows if row.counts]
    read = {image_id for row in kept for image_id in row.image_ids}
    found = [
        ("No images yet: import some on the Worklist page.", not images),
        ("No reading counts yet: read some cases.", bool(images) and not kept),
        (
            f"Only {len(read)} images were read; with fewer than {FEW_CASES} a run shows little.",
            0 < len(read) < FEW_CASES,
        ),
        (
            f"{len(images) - len(read)} of {len(images)} images have no gaze: they train without "
            "gaze pairs.",
            0 < len(read) < len(images),
        ),
        (
            "No image has a label, so no probe can say whether the gaze helped. Type labels into "
            "the column Label, or import a csv of them on the Worklist page.",
            bool(images) and not any(label for _, label, _ in images),
        ),
        (
            "No image is held out for testing yet: a run makes the split when it starts, or type "
            "test into the column Split.",
            bool(images) and not any(split == "test" for _, _, split in images),
        ),
    ]
    return [text for text, applies in found if applies] + _grave_losses(rows)


def _grave_losses(rows: Sequence[CohortRow]) -> list[str]:
    """Name readers most of whose readings are left out for their gaze."""
    by_reader: dict[str, Counter[bool]] = defaultdict(Counter)
    for row in rows:
        if row.state == "finished" and not row.practice:
            by_reader[row.reader][row.counts] += 1
    return [
        f"{counts[False]} of {counts.total()} readings of {reader} are left out: calibrate again."
        for reader, counts in sorted(by_reader.items())
        if counts[False] > counts.total() / 2
    ]
