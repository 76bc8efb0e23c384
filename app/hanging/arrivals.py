"""Files come in and hang as cases: what the import command and the worklist page both do."""

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path

from app.hanging.grouping import Arrival, hang_cases
from app.images.importer import import_files
from app.images.labels import LabelRow, read_labels
from app.images.results import ImportResult
from migrations.study.folder import Study
from migrations.study.settings import SINGLE


def import_cases(
    study: Study,
    files: Sequence[Path],
    *,
    labels: Path | None = None,
    linkage: Path | None = None,
    hanging: str | None = None,
) -> Generator[ImportResult, None, None]:
    """Import files one by one, as `import_files` does, and let them hang when all are in.

    Closed before the end, it lets those hang that came in.

    Parameters
    ----------
    hanging
        How the images of one patient hang, one of `app.hanging.grouping.CHOICES` or `SINGLE`;
        None: as the study's settings say.

    Raises
    ------
    ImportStopped, LabelsError, StudyError
        If the import as a whole cannot go on. What was accepted before stays, each image a case
        of its own until it is imported again.
    """
    rows = read_labels(labels) if labels is not None else {}
    chosen = hanging or study.settings.hanging
    arrivals: dict[str, Arrival] = {}
    imported = import_files(study, files, labels=labels, linkage=linkage)
    with contextlib.closing(imported), contextlib.suppress(GeneratorExit):
        for result in imported:
            if result.image_id is not None:
                row = rows.get(result.path.name, LabelRow())
                arrivals[result.image_id] = Arrival(
                    result.image_id, row.case, row.practice, row.prior
                )
            yield result
    hang_cases(study, list(arrivals.values()), None if chosen == SINGLE else chosen)
