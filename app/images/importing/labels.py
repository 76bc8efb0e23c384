"""The csv that joins labels, patients and splits to files at import, so that no name is kept."""

import csv
import io
import posixpath
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import LabelsError
from app.images.importing.label_text import decoded_text
from migrations.study.csv_tables import delimiter_of

_COLUMNS = ("image", "label", "patient", "split", "case", "practice", "prior")
_YES, _NO = ("1", "yes", "y", "true", "x"), ("", "0", "no", "n", "false")
_SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_EXCEL_SEPARATOR = re.compile(r'"?sep=(.)"?')
_DRIVE = re.compile("[a-z]:")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What the csv says about one file; None where it says nothing.

    Attributes
    ----------
    case
        Files with the same value hang together; the text itself is not kept.
    practice, prior
        Whether it belongs to a practice case; whether it is an earlier image.
    """

    label: str | None = None
    patient: str | None = None
    split: str | None = None
    case: str | None = None
    practice: bool = False
    prior: bool = False


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One line of the csv.

    Attributes
    ----------
    number
        Number of the line in the file, from 1.
    image
        The path, or the end of one, as written.
    parts
        The same as returned by `path_parts`.
    row
        What it says about the file.
    """

    number: int
    image: str
    parts: tuple[str, ...]
    row: LabelRow


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A csv of labels: each of its lines means a different path.

    Attributes
    ----------
    encoding
        The encoding in which the csv was read.
    unread
        Names of the columns that Foveate does not use.
    """

    path: Path
    encoding: str
    lines: tuple[LabelLine, ...]
    unread: tuple[str, ...] = ()


def read_labels(path: Path) -> LabelTable:
    """Return the lines of a csv.

    Its columns are `image` (a file's path, or as much of its end as identifies it) and any of
    `label`, `patient`, `split` (train, val, test), `case`, `practice`, `prior` (yes or no);
    separated by comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252 (Latin-1).

    Raises
    ------
    LabelsError
        Naming the file, the line and what is wrong with it.
    """
    text, encoding = _text_of(path)
    found: dict[tuple[str, ...], LabelLine] = {}
    try:
        reader, skipped = _reader(path, text)
        for line in _lines(path, reader, skipped):
            earlier = found.setdefault(line.parts, line)
            if earlier.row != line.row:
                raise LabelsError(
                    f"{path}, line {line.number}: {line.image} also appears in line "
                    f"{earlier.number}, with other values. Keep one of them."
                )
    except csv.Error as error:
        raise LabelsError(
            f"{path} cannot be read as a csv ({error}). Is a closing quotation mark missing?"
        ) from error
    unread = tuple(name for name in reader.fieldnames or () if name and name not in _COLUMNS)
    return LabelTable(path, encoding, tuple(found.values()), unread)


def path_parts(text: str) -> tuple[str, ...]:
    r"""Return a path's parts in Unicode form NFC, whichever slashes divide them.

    The first part of an absolute path is empty, or a drive letter in capitals, so that it is not
    the end of any other path.

    Examples
    --------
    >>> path_parts(r".\P1\1-1.dcm"), path_parts("/cd/1.dcm"), path_parts("c:/1.dcm")
    (('P1', '1-1.dcm'), ('', 'cd', '1.dcm'), ('C:', '1.dcm'))
    """
    plain = posixpath.normpath(unicodedata.normalize("NFC", text).replace("\\", "/"))
    parts = plain.split("/")
    while parts and parts[0] in (".", ".."):
        del parts[0]
    if parts and _DRIVE.fullmatch(parts[0]):
        parts[0] = parts[0].upper()
    return tuple(parts)


def _text_of(path: Path) -> tuple[str, str]:
    try:
        text, encoding = decoded_text(path.read_bytes())
    except OSError as error:
        raise LabelsError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise LabelsError(
            f"{path} cannot be read as text ({error}). Save it as a csv in UTF-8."
        ) from error
    if "\0" in text:
        number = text[: text.index("\0")].count("\n") + 1
        raise LabelsError(f"{path}, line {number}: it contains a zero byte, so it is not text.")
    return text, encoding


def _lines(path: Path, reader: "csv.DictReader[str]", skipped: int) -> Iterator[LabelLine]:
    for values in reader:
        number = reader.line_num + skipped
        plain = {k: (values.get(k) or "").strip() or None for k in _COLUMNS}
        _require_own_cells(values, plain, f"{path}, line {number}")
        if not any(plain.values()):  # Excel leaves such lines at the end
            continue
        image = plain["image"] or ""
        parts = path_parts(image)
        if not parts or not parts[-1]:
            raise LabelsError(f"{path}, line {number}: the column `image` is empty.")
        yield LabelLine(number, image, parts, _row(plain, f"{path}, line {number}"))


def _require_own_cells(values: dict[Any, Any], plain: dict[str, str | None], where: str) -> None:
    """Refuse a line whose cells do not match its columns."""
    beyond: list[str] = values.get(None) or []
    if any(cell.strip() for cell in beyond):
        raise LabelsError(
            f"{where}: this line has {len(beyond)} cells too many. Put values that contain a "
            "separator in quotation marks."
        )
    names = (plain[name] for name in _COLUMNS if name not in ("image", "label"))
    if any(cell and ("\n" in cell or "\r" in cell) for cell in names):
        raise LabelsError(
            f"{where}: a cell spans several lines. Is a closing quotation mark missing?"
        )


def _reader(path: Path, text: str) -> tuple["csv.DictReader[str]", int]:
    """Return a reader with normalised column names, and the number of lines it skips."""
    stream = io.StringIO(text, newline="")
    header = stream.readline()
    said = _EXCEL_SEPARATOR.fullmatch(header.strip("\r\n"))
    begins = stream.tell() if said else 0
    separator = said[1] if said else delimiter_of(header)
    stream.seek(begins)
    reader = csv.DictReader(stream, delimiter=separator, skipinitialspace=True, strict=True)
    names = [(name or "").strip().lower() for name in reader.fieldnames or []]
    if "image" not in names:
        raise LabelsError(
            f"{path} has no column `image`; its columns are {names}. Name the column with the "
            "files' paths `image`; others may be `label`, `patient`, `split`, `case`."
        )
    twice = next((name for name in _COLUMNS if names.count(name) > 1), None)
    if twice is not None:
        raise LabelsError(f"{path} has two columns `{twice}`. Keep one of them.")
    reader.fieldnames = names
    return reader, 1 if said else 0


def _row(values: dict[str, str | None], where: str) -> LabelRow:
    split = values["split"]
    if split is not None and split.lower() not in _SPLITS:
        raise LabelsError(f"{where}: split is {split!r}; it must be train, val or test.")
    return LabelRow(
        values["label"],
        values["patient"],
        None if split is None else _SPLITS[split.lower()],
        values["case"],
        _is_yes(values, "practice", where),
        _is_yes(values, "prior", where),
    )


def _is_yes(values: dict[str, str | None], column: str, where: str) -> bool:
    said = (values[column] or "").lower()
    if said not in (*_YES, *_NO):
        raise LabelsError(f"{where}: {column} is {values[column]!r}; it must be yes or no.")
    return said in _YES
