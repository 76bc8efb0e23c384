"""What is fetched of an archive: asked for once, then imported as files are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.errors import ImportStopped
from app.images.importing.elsewhere import Elsewhere
from app.images.pacs.asked import Asked
from app.images.pacs.credentials import Credentials
from app.images.pacs.dicomweb import DicomWeb, Found
from app.images.pacs.line import Line


@dataclass(frozen=True, slots=True)
class Fetch:
    """What an archive has of what was asked; the line to it is closed at the end.

    Attributes
    ----------
    elsewhere
        Where the importer reads what `found` names.
    """

    line: Line
    found: Found
    elsewhere: Elsewhere

    def require_images(self) -> None:
        """Refuse a fetch of nothing.

        Raises
        ------
        ImportStopped
            If the archive has no image of what was asked.
        """
        if not self.found.names:
            raise ImportStopped("The archive has no images that match.")

    @property
    def names(self) -> tuple[Path, ...]:
        """Its images, `study UID/series UID/image UID`."""
        return self.found.names

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.line.close()


def ask_archive(line: Line, credentials: Credentials, asked: Sequence[Asked]) -> Fetch:
    """Ask an archive which images it has; the line is closed where it cannot be asked.

    Raises
    ------
    ImportStopped
        If it cannot be asked.
    """
    try:
        line.authorise(credentials)
        archive = DicomWeb(line)
        return Fetch(line, archive.find(asked), Elsewhere(archive.read, resumes=True))
    except BaseException:
        line.close()
        raise
