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
    """One question to an archive: keywords of DICOM with what they must be.

    Attributes
    ----------
    keys
        Such as `(("StudyDate", "20240101-20240331"), ("ModalitiesInStudy", "MG"))`.
    """

    keys: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The question in words, for who asked it."""
        return ", ".join(f"{key}={value}" for key, value in self.keys)


def asked_by(
    queries: Sequence[str] = (), studies: Sequence[str] = (), listed: Path | None = None
) -> list[Asked]:
    """Return what is asked: one question of all queries, one a study, one a line of the list.

    Parameters
    ----------
    queries
        `KEYWORD=VALUE`, which must all hold.
    studies
        Study Instance UIDs.
    listed
        A file as `read_list` takes it; the queries must hold of each of its lines, too.

    Raises
    ------
    ImportStopped
        If a query is none, or nothing is asked: a whole archive is not fetched.
    """
    keys = tuple(_key_of(query) for query in queries)
    asked = [Asked((("StudyInstanceUID", require_uid(uid)), *keys)) for uid in studies]
    if listed is not None:
        asked += [Asked((*line, *keys)) for line in read_list(listed)]
    if not asked and keys:
        asked = [Asked(keys)]
    if not asked:
        raise ImportStopped(
            "Say which studies: --query StudyDate=20240101-20240331, --study-uid UID, or "
            "--worklist with accession numbers. A whole archive is not fetched."
        )
    return list(dict.fromkeys(asked))


def read_list(path: Path) -> list[tuple[tuple[str, str], ...]]:
    """Return the accession numbers, or Study Instance UIDs, of a list: keys and values a line.

    A csv with a column `accession`, `study` or both, which must both hold where a line says both;
    or plain lines with one accession number each.

    Raises
    ------
    ImportStopped
        If it cannot be read, or holds none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ImportStopped(f"{path} cannot be read as a list (UTF-8).") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ImportStopped(f"{path} names no study.")
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
    """Return a UID that can stand in a URL.

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
            raise ImportStopped(f"{path}, line {number}: it names no study.")
        found.append(said)
    if not found:
        raise ImportStopped(f"{path} names no study.")
    return found


def _exact(path: Path, value: str) -> str:
    """Return a value that means one study; those of a list are no patterns."""
    if any(one in value for one in "*?\\"):
        raise ImportStopped(f"{path}: {value} means many studies. A list names each by itself.")
    return value


def _key_of(query: str) -> tuple[str, str]:
    keyword, sign, value = (part.strip() for part in query.partition("="))
    if not sign or not value.strip("*?"):
        raise ImportStopped(
            f"--query {query} asks for nothing: write KEYWORD=VALUE, such as PatientID=4711."
        )
    if tag_for_keyword(keyword) is None:
        raise ImportStopped(
            f"--query {query}: {keyword} is not a DICOM keyword, such as PatientID, StudyDate or "
            "ModalitiesInStudy."
        )
    return keyword, value
