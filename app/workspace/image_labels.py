"""Which labels a study's images have."""

from sqlalchemy import func, select

from migrations.study.folder import Study
from migrations.study.schema import Image


def image_labels(study: Study) -> list[tuple[str, int]]:
    """Return every label with how many images have it, sorted by name."""
    query = (
        select(Image.label, func.count())
        .where(Image.label.is_not(None))
        .group_by(Image.label)
        .order_by(Image.label)
    )
    with study.database.read() as rows:
        return [(str(label), int(count)) for label, count in rows.execute(query)]
