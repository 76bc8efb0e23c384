"""Files are imported and hung as cases: shared by the import command and the worklist page."""

import contextlib
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path

from app.hanging.grouping import Arrival, hang_cases
from app.images.importing.elsewhere import Elsewhere
from app.images.importing.importer import import_files
from app.images.importing.label_matching import LabelMatches, match_labels
from app.images.importing.labels import LabelRow
from app.images.importing.results import ImportResult
from app.images.notes import note
from migrations.study.folder import Study
from migrations.study.settings import SINGLE


def import_cases(
    study: Study,
    files: Iterable[Path],
    *,
    labels: Path | LabelMatches | None = None,
    linkage: Path | None = None,
    hanging: str | None = None,
    elsewhere: Elsewhere | None = None,
) -> Generator[ImportResult, None, None]:
    """Import files one by one, as `import_files` does, and hang them once all are in.

    If closed before the end, it hangs those that were imported.

    Parameters
    ----------
    labels
        A csv as accepted by `read_labels`, or what it says about these files.
    hanging
        How the images of one patient hang: one of `app.hanging.grouping.CHOICES` or `SINGLE`; None:
        the study's setting.
    elsewhere
        Where files come from that are on no disk; see `import_files`.

    Raises
    ------
    ImportStopped, LabelsError, StudyError
        If the import as a whole cannot continue. Images accepted before stay, each as a case of its
        own until it is imported again.
    """
    if isinstance(labels, Path):
        files = list(files)
        matches: LabelMatches | None = match_labels(labels, files)
    else:
        matches = labels
    chosen = hanging or study.settings.hanging
    arrivals: dict[str, Arrival] = {}
    imported = import_files(study, files, labels=matches, linkage=linkage, elsewhere=elsewhere)
    with contextlib.closing(imported), contextlib.suppress(GeneratorExit):
        for result in imported:
            if result.image_id is not None:
                row = LabelRow() if matches is None else matches.row(result.path)
                told = Arrival(result.image_id, row.case, row.practice, row.prior)
                result = _arrived(arrivals, told, result)
            yield result
    hang_cases(study, list(arrivals.values()), None if chosen == SINGLE else chosen)


def _arrived(arrivals: dict[str, Arrival], told: Arrival, result: ImportResult) -> ImportResult:
    """Remember what the csv says about an image's case; return the result with any conflicts.

    The same image may appear twice: the first row then counts.
    """
    silent = Arrival(told.image_id)
    first = arrivals.setdefault(told.image_id, silent)
    if told in (silent, first):
        return result
    if first == silent:
        arrivals[told.image_id] = told
        return result
    differs = note("labels-differ", what="case")
    reason = "; ".join(words for words in (result.reason, differs.text) if words)
    return replace(result, reason=reason, notes=(*result.notes, differs))
