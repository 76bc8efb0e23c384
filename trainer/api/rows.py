"""The tables of a study as pandas has them: names instead of ids, what stands instead of all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Executable, select

from migrations.study.folder import Study
from migrations.study.schema import (
    Annotation,
    Arm,
    CaseImage,
    Fixation,
    GazeEvent,
    Image,
    Reader,
    Reading,
    Session,
    StudyCase,
    ViewEvent,
)
from trainer.data.chains import chains_of

if TYPE_CHECKING:
    import pandas as pd

_VIEW = (
    ViewEvent.reading_id, ViewEvent.time_us, ViewEvent.kind, ViewEvent.tile, ViewEvent.image_id,
    ViewEvent.frame, ViewEvent.a, ViewEvent.b, ViewEvent.c, ViewEvent.d, ViewEvent.tx,
    ViewEvent.ty, ViewEvent.window_center, ViewEvent.window_width,
)  # fmt: skip
_FIXATION = (
    Fixation.reading_id, Fixation.image_id, Fixation.frame, Fixation.start_us,
    Fixation.duration_us, Fixation.x_image, Fixation.y_image, Fixation.x_deg, Fixation.y_deg,
    Fixation.dispersion_deg, Fixation.sample_count,
)  # fmt: skip
_EVENT = (
    GazeEvent.reading_id, GazeEvent.image_id, GazeEvent.frame, GazeEvent.kind, GazeEvent.start_us,
    GazeEvent.duration_us, GazeEvent.amplitude_deg, GazeEvent.peak_velocity_deg_s,
)  # fmt: skip
_ANNOTATION = (
    Annotation.id.label("annotation_id"), Annotation.reading_id, Annotation.image_id,
    Annotation.time_us, Annotation.kind, Annotation.label, Annotation.x_image,
    Annotation.y_image, Annotation.width_image, Annotation.height_image,
)  # fmt: skip
_IMAGE = (
    Image.id.label("image_id"), Image.columns.label("width"), Image.rows.label("height"),
    Image.frames, Image.bits, Image.photometric, Image.modality, Image.body_part,
    Image.laterality, Image.view, Image.row_spacing_mm, Image.column_spacing_mm,
    Image.source_group, Image.label, Image.split,
)  # fmt: skip
_READING = (
    Reading.id.label("reading_id"), Reading.case_id, Reader.pseudonym.label("reader"),
    Arm.key.label("arm"), Session.id.label("session_id"), Session.tracker_kind, Reading.state,
    Reading.practice, Reading.started_us, Reading.ended_us, Reading.sample_count, Reading.loss,
    Reading.off_image, Reading.verdict,
)  # fmt: skip
_CASE = (
    CaseImage.case_id, StudyCase.name.label("case_name"), CaseImage.image_id, CaseImage.tile,
)  # fmt: skip


def images(study: Study) -> "pd.DataFrame":
    """Return one row an image, in the order of import."""
    return _table(study, select(*_IMAGE).order_by(Image.import_number, Image.id))


def cases(study: Study) -> "pd.DataFrame":
    """Return one row for each image of each case."""
    joined = select(*_CASE).join(StudyCase, StudyCase.id == CaseImage.case_id)
    return _table(study, joined.order_by(StudyCase.position, StudyCase.id, CaseImage.tile))


def readings(study: Study) -> "pd.DataFrame":
    """Return one row a reading with `left_out`, why it does not count, empty where it does."""
    joined = (
        select(*_READING)
        .join(Session, Session.id == Reading.session_id)
        .join(Reader, Reader.id == Reading.reader_id)
        .outerjoin(Arm, Arm.id == Reading.arm_id)
    )
    table = _table(study, joined.order_by(Reading.id))
    table["left_out"] = table["reading_id"].map(_left_out(study)).fillna("").astype(object)
    return table


def views(study: Study, reading_id: str | None) -> "pd.DataFrame":
    """Return each change of what was seen."""
    return _of_reading(study, _VIEW, ViewEvent.time_us, reading_id)


def fixations(study: Study, reading_id: str | None) -> "pd.DataFrame":
    """Return the fixations as the station's filter found them."""
    return _of_reading(study, _FIXATION, Fixation.start_us, reading_id)


def events(study: Study, reading_id: str | None) -> "pd.DataFrame":
    """Return saccades, pursuits and blinks as the station's filter found them."""
    return _of_reading(study, _EVENT, GazeEvent.start_us, reading_id)


def annotations(study: Study, reading_id: str | None) -> "pd.DataFrame":
    """Return marks, classes and notes that stand."""
    stands = Annotation.undone_us.is_(None)
    return _of_reading(study, _ANNOTATION, Annotation.time_us, reading_id, stands)


def _left_out(study: Study) -> dict[str, str]:
    """Return why readings do not count; a part that another resumes counts within that one."""
    chains = chains_of(study)
    found = {dropped.id: dropped.reason for dropped in chains.unfinished}
    for chain in chains.whole:
        reason = chains.refusal(chain, trial=study.settings.trial)
        found |= {part.id: reason or "" for part in chain}
    return found


def _of_reading(
    study: Study,
    columns: Sequence[Any],
    order: Any,
    reading_id: str | None,
    *conditions: ColumnElement[bool],
) -> "pd.DataFrame":
    own = columns[0] if columns[0].key == "reading_id" else columns[1]
    query = select(*columns).where(*conditions).order_by(own, order)
    return _table(study, query if reading_id is None else query.where(own == reading_id))


def _table(study: Study, query: Executable) -> "pd.DataFrame":
    import pandas as pd

    with study.database.read() as rows:
        result = rows.execute(query)
        return pd.DataFrame([tuple(row) for row in result], columns=list(result.keys()))
