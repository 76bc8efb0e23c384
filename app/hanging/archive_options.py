"""`import --dicomweb URL`: which images of an archive to import, and how they are fetched."""

import argparse
import sys

from app.hanging.fetch import Fetch, ask_archive
from app.images.pacs.asked import asked_by
from app.images.pacs.credentials import credentials_for
from app.images.pacs.line import Line
from migrations.study.command_line import existing_file
from migrations.study.settings import StudySettings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the import command for an archive."""
    group = parser.add_argument_group("from an archive (DICOMweb)")
    group.add_argument(
        "--dicomweb", metavar="URL", help="URL of its DICOMweb service: https://host/dicom-web"
    )
    group.add_argument(
        "--query",
        action="append",
        default=[],
        metavar="KEYWORD=VALUE",
        help="import the studies that match; repeatable, then all must match: PatientID=4711, "
        "StudyDate=20240101-20240331, ModalitiesInStudy=MG",
    )
    group.add_argument(
        "--study-uid", action="append", default=[], metavar="UID", help="this study; repeatable"
    )
    group.add_argument(
        "--worklist",
        type=existing_file,
        metavar="FILE",
        help="a csv with a column accession or study, or one accession number per line",
    )
    group.add_argument(
        "--user",
        default="",
        metavar="NAME",
        help="user name; the password comes from FOVEATE_PACS_PASSWORD, the keyring (service "
        "foveate-archive, NAME@HOST) or a prompt; a token from FOVEATE_PACS_TOKEN",
    )
    group.add_argument(
        "--authority",
        type=existing_file,
        metavar="FILE",
        help="certificates that sign the archive's (default: those this computer trusts)",
    )


def fetch_of(arguments: argparse.Namespace, settings: StudySettings) -> Fetch:
    """Ask an archive which images it has; report requests that match nothing.

    Raises
    ------
    ImportStopped
        If it cannot be queried, or has none of the requested images.
    """
    asked = asked_by(arguments.query, arguments.study_uid, arguments.worklist)
    line = Line(arguments.dicomweb, settings, authority=arguments.authority)
    fetch = ask_archive(line, credentials_for(line.host, arguments.user, may_ask=True), asked)
    for one in fetch.found.nothing:
        sys.stderr.write(f"The archive has no study with {one.text}.\n")
    for one, studies in fetch.found.several:
        sys.stderr.write(f"{len(studies)} studies have {one.text}; all of them are imported.\n")
        sys.stderr.writelines(f"  {study.text}\n" for study in studies)
    if not fetch.names:
        line.close()
    fetch.require_images()
    return fetch
