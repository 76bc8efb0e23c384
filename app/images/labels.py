"""The csv that joins labels, patients and splits to files at import, so that no name is kept."""

import csv
from dataclasses import dataclass
from pathlib import Path

from app.errors import LabelsError

_COLUMNS = ("image", "label", "patient", "split", "case", "practice", "prior")
_YES = ("1", "yes", "y", "true", "x")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What the csv says of one file; None where it says nothing.

    Attributes
    ----------
    case
        Files that say the same hang together; nothing of the text is kept.
    practice, prior
        Whether it belongs to a practice case; whether it is an earlier image.
    """

    label: str | None = None
    patient: str | None = None
    split: str | None = None
    case: str | None = None
    practice: bool = False
    prior: bool = False


def read_labels(path: Path) -> dict[str, LabelRow]:
    """Return the rows of a csv by file name.

    Its columns are `image` (a file's name), and any of `label`, `patient`, `split`, `case`,
    `practice`, `prior` (yes or no); separated by comma, semicolon or tab, UTF-8.

    Raises
    ------
    LabelsError
        Naming the file, the line and what is wrong with it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelsError(f"{path} cannot be read as UTF-8 text ({error}).") from error
    lines = text.splitlines()
    header = lines[0] if lines else ""
    separator = max(",;\t", key=header.count)
    reader = csv.DictReader(lines, delimiter=separator, skipinitialspace=True)
    names = [(name or "").strip().lower() for name in reader.fieldnames or []]
    if "image" not in names:
        raise LabelsError(
            f"{path} has no column `image`; its columns are {names}. Name one "
            f"`image` (file names); others may be `label`, `patient`, `split`, `case`."
        )
    reader.fieldnames = names
    found: dict[str, LabelRow] = {}
    for row in reader:
        values = {k: (row.get(k) or "").strip() or None for k in _COLUMNS}
        name = Path((values["image"] or "").replace("\\", "/")).name
        entry = LabelRow(
            values["label"],
            values["patient"],
            values["split"],
            values["case"],
            _is_yes(values["practice"]),
            _is_yes(values["prior"]),
        )
        if not name:
            raise LabelsError(f"{path}, line {reader.line_num}: the column `image` is empty.")
        if found.setdefault(name, entry) != entry:
            raise LabelsError(f"{path}, line {reader.line_num}: {name} stands there twice.")
    return found


def _is_yes(value: str | None) -> bool:
    return (value or "").lower() in _YES
