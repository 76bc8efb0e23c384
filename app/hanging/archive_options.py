"""`import --dicomweb URL`: which images of an archive are meant, and how they are fetched."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from app.errors import ImportStopped
from app.images.importing.elsewhere import Elsewhere
from app.images.pacs.asked import asked_by
from app.images.pacs.credentials import credentials_for
from app.images.pacs.dicomweb import DicomWeb
from app.images.pacs.line import Line
from migrations.study.command_line import existing_file
from migrations.study.settings import StudySettings


@dataclass(frozen=True, slots=True)
class Fetch:
    """What is fetched of an archive; the line to it is closed at the end.

    Attributes
    ----------
    names
        Of its images, `study UID/series UID/image UID`.
    """

    line: Line
    names: tuple[Path, ...]
    elsewhere: Elsewhere

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.line.close()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what the import command is told of an archive."""
    group = parser.add_argument_group("from an archive (DICOMweb)")
    group.add_argument(
        "--dicomweb", metavar="URL", help="of its DICOMweb service: https://host/dicom-web"
    )
    group.add_argument(
        "--query",
        action="append",
        default=[],
        metavar="KEYWORD=VALUE",
        help="studies for which this holds; may be given several times, then all must hold: "
        "PatientID=4711, StudyDate=20240101-20240331, ModalitiesInStudy=MG",
    )
    group.add_argument(
        "--study-uid", action="append", default=[], metavar="UID", help="this study; repeatable"
    )
    group.add_argument(
        "--worklist",
        type=existing_file,
        metavar="FILE",
        help="a csv with a column accession or study, or one accession number a line",
    )
    group.add_argument(
        "--user",
        default="",
        metavar="NAME",
        help="who asks; the password comes from FOVEATE_PACS_PASSWORD, the keyring (service "
        "foveate-archive, NAME@HOST) or a question; a token from FOVEATE_PACS_TOKEN",
    )
    group.add_argument(
        "--authority",
        type=existing_file,
        metavar="FILE",
        help="certificates that sign the archive's; left out: those this computer trusts",
    )


def fetch_of(arguments: argparse.Namespace, settings: StudySettings) -> Fetch:
    """Ask an archive which images it has; say what it has nothing of.

    Raises
    ------
    ImportStopped
        If it cannot be asked, or has nothing of what was asked.
    """
    asked = asked_by(arguments.query, arguments.study_uid, arguments.worklist)
    line = Line(arguments.dicomweb, settings, authority=arguments.authority)
    line.authorise(credentials_for(line.host, arguments.user, may_ask=True))
    try:
        archive = DicomWeb(line)
        found = archive.find(asked)
        for one in found.nothing:
            sys.stderr.write(f"The archive has no study with {one.text}.\n")
        for one, count in found.several:
            sys.stderr.write(f"{count} studies have {one.text}: all are imported.\n")
        if not found.names:
            raise ImportStopped("The archive has no images that match.")
    except BaseException:
        line.close()
        raise
    return Fetch(line, found.names, Elsewhere(archive.read, resumes=True))
