"""The labelled images of a study."""

from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.processes import as_typed
from migrations.study.schema import Image
from trainer.errors import ProbeError
from trainer.probe.labelled import LabelledImage, LabelledSet


def labelled_study(study: Study) -> LabelledSet:
    """Return the images of a study that have a label and a presentation.

    Raises
    ------
    ProbeError
        If there is none.
    """
    with study.database.read() as session:
        rows = session.scalars(select(Image).order_by(Image.import_number, Image.id)).all()
    labelled = [row for row in rows if row.label]
    there = [row for row in labelled if study.presentation(row.id).is_file()]
    if not there:
        raise ProbeError(
            as_typed(
                f"{study.folder} has no labelled images. Import labels: python main.py import "
                "--study FOLDER --labels labels.csv FILES"
            )
        )
    images = (
        LabelledImage(r.id, study.presentation(r.id), str(r.label), r.source_group, r.split)
        for r in there
    )
    notes = []
    if len(rows) > len(labelled):
        notes.append(f"{len(rows) - len(labelled)} images have no label and were left out.")
    if len(labelled) > len(there):
        notes.append(
            f"{len(labelled) - len(there)} images have no stored picture and were left out."
        )
    return LabelledSet(tuple(images), tuple(notes))
