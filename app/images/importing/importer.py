"""Files become cases: decoded apart, de-identified, stored bit for bit, each in one transaction.

Logs give import numbers, never file names: in hospitals these contain people's names too.
"""

import contextlib
import logging
import shutil
from collections.abc import Callable, Generator, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from app.errors import ImportRefused, ImportStopped
from app.images.decoding.archives import OpenArchives, archive_of
from app.images.decoding.decode import Decoded, Decoder
from app.images.dicom.deidentify import identifier_key
from app.images.importing.cases import add_case
from app.images.importing.completing import complete, split_notes
from app.images.importing.elsewhere import Elsewhere, known_already
from app.images.importing.known import look_up, patient_of
from app.images.importing.label_matching import LabelMatches, match_labels
from app.images.importing.labels import LabelRow
from app.images.importing.linkage import Linkage
from app.images.importing.results import ImportResult, result_of
from app.images.importing.sources import files_of
from app.images.masks import MaskTemplate, read_masks
from app.images.notes import Note
from migrations.study.audit import add_audit
from migrations.study.folder import Study
from migrations.study.processes import is_abandoned, owned_name
from migrations.study.schema import Image, new_id
from migrations.study.tombstones import Tombstones
from migrations.study.unwritable import unwritable_text

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
_STAGING = ".incoming-"


def import_paths(
    study: Study,
    paths: Iterable[Path],
    *,
    progress: Progress | None = None,
    labels: Path | None = None,
    linkage: Path | None = None,
) -> list[ImportResult]:
    """Import files and folders into a study.

    Parameters
    ----------
    study
        The study to import into.
    paths
        Files; folders are searched.
    progress
        Called after each file with the number done and the total.
    labels
        A csv as accepted by `read_labels`; its rows are matched to files by path.
    linkage
        A csv outside the study, to record which image came from whom.

    Returns
    -------
    list of ImportResult
        One per file, in order.

    Raises
    ------
    ImportStopped, LabelsError, StudyError
        If the import as a whole cannot continue. What was accepted before stays.
    """
    files = files_of(paths, leave_out=labels)
    results = []
    with contextlib.closing(import_files(study, files, labels=labels, linkage=linkage)) as imported:
        for result in imported:
            results.append(result)
            if progress is not None:
                progress(len(results), len(files))
    return results


def import_files(
    study: Study,
    files: Iterable[Path],
    *,
    labels: Path | LabelMatches | None = None,
    linkage: Path | None = None,
    elsewhere: Elsewhere | None = None,
) -> Generator[ImportResult, None, None]:
    """Import files one by one, yielding each result when it is final; see `import_paths`.

    Labels may already be matched to the files; see `match_labels`. With `elsewhere`, the files are
    names of what is on no disk, and may arrive one by one.
    """
    if isinstance(labels, Path):
        files = list(files)
        matches: LabelMatches | None = match_labels(labels, files)
    else:
        matches = labels
    key = identifier_key()
    _sweep(study.folder / "images")
    with contextlib.ExitStack() as open_things:
        linked = open_things.enter_context(Linkage(linkage, study.folder)) if linkage else None
        decoder = open_things.enter_context(Decoder(key))
        archives = open_things.enter_context(contextlib.closing(OpenArchives()))
        run = _Import(study, decoder, archives, read_masks(study.folder), linked, elsewhere)
        for number, path in enumerate(files, 1):
            try:
                row = LabelRow() if matches is None else matches.row(path)
                result = run.imported(path, row)
                log.info("file %d of this import: %s", number, result.status)
            except ImportRefused as error:
                # The reason may quote the file, so the log names only its kind.
                log.info("file %d of this import: refused", number)
                result = ImportResult(path, "refused", str(error))
            yield result


@dataclass(frozen=True, slots=True)
class _Import:
    """What the files of one import have in common."""

    study: Study
    decoder: Decoder
    archives: OpenArchives
    masks: tuple[MaskTemplate, ...]
    linkage: Linkage | None
    elsewhere: Elsewhere | None

    def imported(self, path: Path, row: LabelRow) -> ImportResult:
        if self.elsewhere is not None:
            return self._brought(self.elsewhere, path, row)
        archive = archive_of(path)
        if archive is None:
            if not path.is_file():
                raise ImportRefused("the file does not exist")
            return self._imported(path, path, row)
        with self.archives.unpacked(path, archive, self._new_folder()) as unpacked:
            return self._imported(path, unpacked, row)

    def _brought(self, elsewhere: Elsewhere, name: Path, row: LabelRow) -> ImportResult:
        """Import what is not a file: nothing of it is written before it is de-identified."""
        if elsewhere.resumes and self.linkage is None:
            known = known_already(self.study, self.decoder.key, name, row)
            if known is not None:
                return known
        return self._imported(name, name, row, elsewhere.read(name))

    def _imported(
        self, path: Path, source: Path, row: LabelRow, sent: bytes | None = None
    ) -> ImportResult:
        """Import what is in a file, or was sent, under its path."""
        staging = self._new_folder()
        try:
            staging.mkdir()
        except OSError as error:
            raise ImportStopped(unwritable_text(staging.parent, error)) from error
        try:
            linked = self.linkage is not None
            decoded = self.decoder.decode(
                source, staging, masks=self.masks, linkage=linked, sent=sent
            )
            image_id, status, notes = _stored(self.study, self.decoder.key, decoded, row, staging)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        if self.linkage is not None:
            self.linkage.add(path, image_id, decoded.origin.group, decoded.original)
        return result_of(path, status, image_id, decoded, notes)

    def _new_folder(self) -> Path:
        return self.study.folder / "images" / owned_name(_STAGING)


def _stored(
    study: Study, key: bytes, decoded: Decoded, row: LabelRow, staging: Path
) -> tuple[str, str, tuple[Note, ...]]:
    """Put a decoded image into the study, or find it there; files and rows are written together."""
    folder: Path | None = None
    try:
        with study.database.write() as session:
            _require_not_erased(session, key, decoded, row)
            found = look_up(session, decoded, patient_of(decoded, row, key))
            if found.known is not None:
                notes = found.notes(study, decoded, staging)
                said = complete(found.known, row, key, decoded)
                if any(one.code == "labels-set" for one in said):
                    said += split_notes(session, found.known)
                return found.known.id, "known", (*notes, *said)
            image = _image_row(session, key, decoded, row)
            folder = study.image_folder(image.id)
            staging.rename(folder)
            add_case(session, image)
            details = {"import_number": image.import_number}
            add_audit(session, "image imported", image.id, details)
            notes = [*found.notes(study, decoded, staging), *split_notes(session, image)]
            return image.id, "accepted", tuple(notes)
    except BaseException:
        if folder is not None:  # an image must not stay without its row
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _require_not_erased(session: OrmSession, key: bytes, decoded: Decoded, row: LabelRow) -> None:
    """Refuse the images of a patient who was erased on request (`db erase`)."""
    patient = patient_of(decoded, row, key)
    groups = patient.group, patient.in_file
    if Tombstones.of(session).bars(decoded.sha256, decoded.kept_sha256, *groups):
        raise ImportRefused("its patient was erased from this study on request")


def _image_row(session: OrmSession, key: bytes, decoded: Decoded, row: LabelRow) -> Image:
    shown = decoded.attributes
    number = (session.scalar(select(func.max(Image.import_number))) or 0) + 1
    patient = patient_of(decoded, row, key)
    image = Image(
        id=new_id(),
        sha256=decoded.kept_sha256,
        bits=shown.bits_stored,
        dtype=shown.dtype,
        source_group=patient.group or patient.nobody,
        label=row.label,
        split=row.split,
        import_number=number,
        details=_details(decoded) | patient.details(),
        **{name: getattr(shown, name) for name in _SAME},
    )
    session.add(image)
    session.flush()
    return image


def _details(decoded: Decoded) -> dict[str, Any]:
    details = decoded.origin.details()
    shown = decoded.attributes
    hanging = {"view_modifiers": list(shown.view_modifiers), "kind": shown.kind}
    details |= {name: value for name, value in hanging.items() if value}
    if decoded.attributes.notes:
        details["notes"] = [asdict(note) for note in decoded.attributes.notes]
    if decoded.rectangles:
        details["blacked_out"] = [list(rectangle) for rectangle in decoded.rectangles]
        details["imported_sha256"] = decoded.sha256
    return details


_SAME = (
    "rows", "columns", "frames", "photometric", "source_format", "transfer_syntax", "lossy",
    "modality", "body_part", "laterality", "view", "row_spacing_mm", "column_spacing_mm",
    "for_processing", "burned_in",
)  # fmt: skip


def _sweep(images: Path) -> None:
    """Remove what a killed import left behind; files of a running one stay."""
    for folder in images.glob(f"{_STAGING}*"):
        if is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
