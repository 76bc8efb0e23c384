"""Readings as the quality table of the report shows them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import Calibration, CaseImage, Fixation, Reader, Reading
from trainer.report.data import ReadingRow


def reading_rows(study: Study, image_names: Mapping[str, str]) -> list[ReadingRow]:
    """Return every reading of a study, oldest first; images are called as `image_names` says."""
    on_images = func.count(Fixation.image_id)  # counts no row without an image
    fixations = select(Fixation.reading_id, func.count(), on_images).group_by(Fixation.reading_id)
    validations = (
        select(Calibration.session_id, Calibration.accuracy_deg)
        .where(Calibration.kind == "validation", Calibration.accuracy_deg.is_not(None))
        .order_by(Calibration.started_us)
    )
    readings = select(Reading, Reader.pseudonym).join(Reader, Reader.id == Reading.reader_id)
    with study.database.read() as session:
        counts = {r: (n, on) for r, n, on in session.execute(fixations)}
        accuracy = {s: a for s, a in session.execute(validations)}
        images: dict[str, list[str]] = {}
        for case_id, image_id in session.execute(select(CaseImage.case_id, CaseImage.image_id)):
            images.setdefault(case_id, []).append(image_names[image_id])
        names = names_of(session, "reading")
        rows = session.execute(readings.order_by(Reading.id)).all()
        return [
            _reading_row(r, names[r.id], who, images.get(r.case_id, []), counts, accuracy)
            for r, who in rows
        ]


def _reading_row(
    r: Reading,
    name: str,
    reader: str,
    images: Sequence[str],
    fixations: dict[str, tuple[int, int]],
    accuracy: dict[str, float | None],
) -> ReadingRow:
    return ReadingRow(
        r.id,
        name,
        reader,
        tuple(sorted(images)),
        r.state,
        r.practice,
        None if r.ended_us is None else (r.ended_us - r.started_us) / 1e6,
        r.sample_count,
        r.missing_count,
        r.invalid_count,
        r.loss,
        r.off_image,
        *fixations.get(r.id, (0, 0)),
        accuracy.get(r.session_id),
        r.verdict,
        tuple(str(reason) for reason in r.verdict_reasons),
    )
