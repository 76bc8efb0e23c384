"""Files become cases: decoded apart, de-identified, stored bit for bit, each in one transaction.

Logs name import numbers, never files: hospital file names carry names too.
"""

import contextlib
import logging
import os
import platform
import shutil
import time
import uuid
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from app.errors import ImportRefused, ImportStopped
from app.images.attributes import DisplayAttributes
from app.images.decode import Decoded, Decoder
from app.images.deidentify import identifier_key, source_group
from app.images.dicomdir import is_dicomdir
from app.images.labels import LabelRow, read_labels
from migrations.schema import Audit, CaseImage, Image, StudyCase, new_id
from migrations.study import Study

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
_STAGING = ".incoming-"
_STALE_S = 3600.0


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one file.

    Attributes
    ----------
    status
        "accepted", "known" (the same pixels are in the study) or "refused".
    reason
        Why it was refused, or what was done to its pixels; else empty.
    pixels_sha256
        Of the stored values as C-order array in pydicom's `pixel_array` dtype, little-endian.
    """

    path: Path
    status: str
    reason: str = ""
    image_id: str | None = None
    rows: int | None = None
    columns: int | None = None
    bits: int | None = None
    photometric: str | None = None
    pixels_sha256: str | None = None


def import_paths(
    study: Study,
    paths: Iterable[Path],
    *,
    progress: Progress | None = None,
    labels: Path | None = None,
) -> list[ImportResult]:
    """Import files and folders into a study.

    Parameters
    ----------
    study
        Where to.
    paths
        Files; folders are walked.
    progress
        Called after each file with how many are done, of how many.
    labels
        A csv with the columns `image`, and any of `label`, `patient`, `split`.

    Returns
    -------
    list of ImportResult
        One per file, in order.

    Raises
    ------
    ImportStopped, LabelsError, StudyError
        If the import as a whole cannot go on. What was accepted before stays.
    """
    files = files_of(paths, leave_out=labels)
    results = []
    with contextlib.closing(import_files(study, files, labels=labels)) as imported:
        for result in imported:
            results.append(result)
            if progress is not None:
                progress(len(results), len(files))
    return results


def files_of(paths: Iterable[Path], *, leave_out: Path | None = None) -> list[Path]:
    """Return the files meant: folders walked in order, a DICOMDIR standing for what it lists."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(_walked(path)))
        else:
            found.update(dict.fromkeys(_listed(path) if is_dicomdir(path) else [path]))
    return [path for path in found if leave_out is None or path != leave_out]


def import_files(
    study: Study, files: Iterable[Path], *, labels: Path | None = None
) -> Generator[ImportResult, None, None]:
    """Import files one by one, giving each result as soon as it stands; see `import_paths`."""
    rows = read_labels(labels) if labels is not None else {}
    key = identifier_key()
    _sweep(study.folder / "images")
    with Decoder(key) as decoder:
        for number, path in enumerate(files, 1):
            try:
                result = _imported(study, decoder, path, rows.get(path.name, LabelRow()))
                log.info("file %d of this import: %s", number, result.status)
            except ImportRefused as error:
                # The reason may quote the file, so the log names its kind only.
                log.info("file %d of this import: refused", number)
                result = ImportResult(path, "refused", str(error))
            yield result


def _listed(dicomdir: Path) -> list[Path]:
    """Return what a DICOMDIR lists; its whole folder where it cannot be read."""
    with Decoder(b"") as decoder:
        try:
            return decoder.listed(dicomdir)
        except ImportRefused:
            log.warning("A DICOMDIR cannot be read; its folder is searched instead.")
            return _walked(dicomdir.parent)


def _walked(folder: Path) -> list[Path]:
    files = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = (Path(root) / n for n in sorted(names) if not n.startswith("."))
        files += [path for path in here if path.name.upper() != "DICOMDIR"]
    return files


def _imported(study: Study, decoder: Decoder, path: Path, row: LabelRow) -> ImportResult:
    if not path.is_file():
        raise ImportRefused("there is no such file")
    staging = study.folder / "images" / f"{_STAGING}{uuid.uuid4().hex}"
    try:
        staging.mkdir()
    except OSError as error:
        raise ImportStopped(f"{staging.parent} cannot be written: {error.strerror}.") from error
    try:
        decoded = decoder.decode(path, staging)
        image_id, status = _stored(study, decoder.key, decoded, row, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return _result(path, status, image_id, decoded)


def _stored(
    study: Study, key: bytes, decoded: Decoded, row: LabelRow, staging: Path
) -> tuple[str, str]:
    """Put a decoded image into the study, or find it there; files and rows come together."""
    folder: Path | None = None
    try:
        with study.database.write() as session:
            known = session.scalar(select(Image).where(Image.sha256 == decoded.sha256))
            if known is not None:
                _complete(known, row)
                return known.id, "known"
            image = _image_row(session, key, decoded, row)
            folder = study.image_folder(image.id)
            staging.rename(folder)
            _add_case(session, image)
            return image.id, "accepted"
    except BaseException:
        if folder is not None:  # without its row an image must not stay
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _image_row(session: OrmSession, key: bytes, decoded: Decoded, row: LabelRow) -> Image:
    shown = decoded.attributes
    number = (session.scalar(select(func.max(Image.import_number))) or 0) + 1
    patient = source_group(key, "patient", row.patient) if row.patient else decoded.group
    image = Image(
        id=new_id(),
        sha256=decoded.sha256,
        bits=shown.bits_stored,
        source_group=patient or source_group(key, "pixels", decoded.sha256),
        label=row.label,
        split=row.split,
        import_number=number,
        details={"note": shown.note} if shown.note else {},
        **{name: getattr(shown, name) for name in _SAME},
    )
    session.add(image)
    session.flush()
    return image


_SAME = (
    "rows", "columns", "frames", "photometric", "source_format", "transfer_syntax", "lossy",
    "modality", "body_part", "laterality", "view", "row_spacing_mm", "column_spacing_mm",
    "for_processing", "burned_in",
)  # fmt: skip


def _add_case(session: OrmSession, image: Image) -> None:
    position = session.scalar(select(func.max(StudyCase.position)))
    position = 0 if position is None else position + 1
    case = StudyCase(id=new_id(), name=_case_name(session, position + 1), position=position)
    session.add(case)
    session.flush()
    session.add(CaseImage(case_id=case.id, image_id=image.id, tile=0))
    _audit(session, "image imported", image, {"import_number": image.import_number})


def _case_name(session: OrmSession, number: int) -> str:
    while session.scalar(select(StudyCase.id).where(StudyCase.name == f"Case {number:03d}")):
        number += 1
    return f"Case {number:03d}"


def _complete(image: Image, row: LabelRow) -> None:
    """Give an image that is there already the label and split it still lacks."""
    image.label = image.label or row.label
    image.split = image.split or row.split


def _audit(session: OrmSession, action: str, image: Image, details: dict[str, Any]) -> None:
    session.add(Audit(station=platform.node(), action=action, subject=image.id, details=details))


def _result(path: Path, status: str, image_id: str, decoded: Decoded) -> ImportResult:
    shown: DisplayAttributes = decoded.attributes
    return ImportResult(
        path,
        status,
        shown.note,
        image_id,
        shown.rows,
        shown.columns,
        shown.bits_stored,
        shown.photometric,
        decoded.sha256,
    )


def _sweep(images: Path) -> None:
    """Remove what an import left that was killed; a running one's folders are younger."""
    for folder in images.glob(f"{_STAGING}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _STALE_S:
                shutil.rmtree(folder, ignore_errors=True)
