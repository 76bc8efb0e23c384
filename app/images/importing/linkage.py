"""The linkage file: which image came from whom. Only at the user's request, never in the study."""

import os
from pathlib import Path
from typing import Self, TextIO

from app.errors import ImportStopped
from app.images.dicom.deidentify import LINKED
from migrations.study.csv_cells import CsvWriter
from migrations.study.unwritable import unwritable_text

COLUMNS = ("file", "image_id", "source_group", *LINKED)


class Linkage:
    """A csv that grows by a line per accepted or known file; readable only by its owner.

    Parameters
    ----------
    path
        A file from earlier imports is continued.
    study_folder
        Must not contain it: a study is de-identified as a whole.

    Raises
    ------
    ImportStopped
        If it is inside the study's folder, or cannot be written.
    """

    def __init__(self, path: Path, study_folder: Path) -> None:
        self.path = path
        if path.resolve().is_relative_to(study_folder.resolve()):
            raise ImportStopped(
                f"The linkage file {path} would be inside the study's folder, which must not "
                "contain identifiers. Choose a place outside the study that only you can read."
            )
        self._file = self._opened()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def add(self, file: Path, image_id: str, group: str, original: dict[str, str]) -> None:
        """Write a line; it is in the file when this returns.

        Raises
        ------
        ImportStopped
            If the disk is full.
        """
        row = {"file": str(file), "image_id": image_id, "source_group": group} | original
        try:
            CsvWriter(self._file).row(row.get(name, "") for name in COLUMNS)
            self._file.flush()
        except OSError as error:
            raise ImportStopped(self._unwritable(error)) from error

    def _opened(self) -> TextIO:
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            file = os.fdopen(handle, "a", encoding="utf-8", newline="")
            if os.fstat(handle).st_size == 0:
                CsvWriter(file).row(COLUMNS)
                file.flush()
        except OSError as error:
            raise ImportStopped(self._unwritable(error)) from error
        return file

    def _unwritable(self, error: OSError) -> str:
        return unwritable_text(self.path, error)
