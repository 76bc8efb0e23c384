"""Which studies of an archive are wanted: by a query, by their UIDs, or by a list."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.datadict import tag_for_keyword

from app.errors import ImportStopped
from migrations.study.csv_tables import delimiter_of

_ACCESSION = ("accession", "accession_number", "accessionnumber")
_STUDY = ("study", "study_uid", "studyinstanceuid", "study_instance_uid")
_UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-_]{0,63}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One query to an archive: DICOM keywords and their required values.

    Attributes
    ----------
    keys
        Such as `(("StudyDate", "20240101-20240331"), ("ModalitiesInStudy", "MG"))`.
    """

    keys: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The query in words, for the user."""
        return ", ".join(f"{key}={value}" for key, value in self.keys)


def asked_by(
    queries: Sequence[str] = (), studies: Sequence[str] = (), listed: Path | None = None
) -> list[Asked]:
    """Return the queries: one from all conditions, one per study, one per line of the list.

    Parameters
    ----------
    queries
        `KEYWORD=VALUE`, all of which must match.
    studies
        Study Instance UIDs.
    listed
        A file as accepted by `read_list`; each of its lines must also match the conditions.

    Raises
    ------
    ImportStopped
        If a condition is invalid, or there is none: a whole archive is not fetched.
    """
    keys = tuple(_key_of(query) for query in queries)
    asked = [Asked((("StudyInstanceUID", require_uid(uid)), *keys)) for uid in studies]
    if listed is not None:
        asked += [Asked((*line, *keys)) for line in read_list(listed)]
    if not asked and keys:
        asked = [Asked(keys)]
    if not asked:
        raise ImportStopped(
            "Specify the studies: --query StudyDate=20240101-20240331, --study-uid UID, or "
            "--worklist with accession numbers. A whole archive is not fetched."
        )
    return list(dict.fromkeys(asked))


def read_list(path: Path) -> list[tuple[tuple[str, str], ...]]:
    """Return the accession numbers or Study Instance UIDs in a list: keys and values per line.

    A csv with a column `accession`, `study` or both, which must both match if a line has both; or
    plain lines with one accession number each.

    Raises
    ------
    ImportStopped
        If it cannot be read, or contains none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ImportStopped(f"{path} cannot be read as a list (UTF-8).") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ImportStopped(f"{path} does not name a study.")
    separator = delimiter_of(lines[0])
    head = [cell.strip().lower() for cell in next(csv.reader(lines[:1], delimiter=separator))]
    columns = {
        head.index(word): keyword
        for words, keyword in ((_ACCESSION, "AccessionNumber"), (_STUDY, "StudyInstanceUID"))
        for word in words
        if word in head
    }
    if columns:
        return _columns(path, lines, separator, columns)
    if len(head) > 1:
        raise ImportStopped(f"{path} has no column accession and no column study.")
    return [(("AccessionNumber", _exact(path, line.strip())),) for line in lines]


def require_uid(text: str) -> str:
    """Return a UID that can be part of a URL.

    Raises
    ------
    ImportStopped
        For any other text.
    """
    if not _UID.fullmatch(text):
        raise ImportStopped(f"{text!r} is not a UID.")
    return text


def _columns(
    path: Path, lines: list[str], separator: str, columns: Mapping[int, str]
) -> list[tuple[tuple[str, str], ...]]:
    found = []
    for number, cells in enumerate(csv.reader(lines[1:], delimiter=separator), 2):
        said = tuple(
            (keyword, _exact(path, cells[column].strip()))
            for column, keyword in columns.items()
            if column < len(cells) and cells[column].strip()
        )
        if not said:
            raise ImportStopped(f"{path}, line {number}: this line does not name a study.")
        found.append(said)
    if not found:
        raise ImportStopped(f"{path} does not name a study.")
    return found


def _exact(path: Path, value: str) -> str:
    """Return a value that means one study; values in a list are not patterns."""
    if any(one in value for one in "*?\\"):
        raise ImportStopped(f"{path}: {value} means many studies. List each study separately.")
    return value


def _key_of(query: str) -> tuple[str, str]:
    keyword, sign, value = (part.strip() for part in query.partition("="))
    if not sign or not value.strip("*?"):
        raise ImportStopped(
            f"--query {query} is not a query. Write KEYWORD=VALUE, such as PatientID=4711."
        )
    if tag_for_keyword(keyword) is None:
        raise ImportStopped(
            f"--query {query}: {keyword} is not a DICOM keyword, such as PatientID, StudyDate or "
            "ModalitiesInStudy."
        )
    return keyword, value
