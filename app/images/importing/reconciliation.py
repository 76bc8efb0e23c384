"""How a csv of labels and the files of an import match: everything that does not.

Without Qt: the import command prints it, a page shows it, a csv stores it. It names files, which
may contain people's names, so it is never stored in the study.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.errors import ImportStopped
from app.images.importing.label_matching import LabelMatches, Parts, tails
from app.images.importing.labels import LabelLine, path_parts
from app.images.importing.results import ImportResult
from migrations.study.csv_cells import CsvWriter
from migrations.study.unwritable import unwritable_text

ROW_WITHOUT_FILE = "row without a file"
FILE_WITHOUT_ROW = "file without a row"
CONFLICT = "conflict"
_CONFLICTING, _SPLIT = ("labels-differ", "split-differs"), "split-differs"
_COLUMNS = ("kind", "line", "image", "file", "text")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that does not match.

    Attributes
    ----------
    kind
        `ROW_WITHOUT_FILE`, `FILE_WITHOUT_ROW` or `CONFLICT`.
    line, image
        In the csv, and the path written there; None and empty for a file without a row.
    file
        File of the import; empty for a row without a file.
    text
        What is wrong, and what to do.
    """

    kind: str
    line: int | None
    image: str
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The outcome of a csv of labels in an import.

    Attributes
    ----------
    csv, encoding
        The file, and the encoding in which it was read.
    rows, matched
        How many paths the csv names, and how many of them matched an imported image.
    mismatches
        Rows without a file, files without a row, conflicts; in this order.
    labelled
        Images that were given a label, split or patient.
    unread
        Names of the csv's columns that Foveate does not use.
    """

    csv: Path
    encoding: str
    rows: int
    matched: int
    mismatches: tuple[Mismatch, ...]
    labelled: int = 0
    unread: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[Mismatch, ...]:
        """Return the mismatches of a kind."""
        return tuple(one for one in self.mismatches if one.kind == kind)

    @property
    def summary(self) -> str:
        """One sentence for people."""
        count = Counter(one.kind for one in self.mismatches)
        unread = f" Columns not read: {', '.join(self.unread)}." if self.unread else ""
        return (
            f"{self.csv.name} ({self.encoding}): labels set for {self.labelled:,} images; "
            f"{self.matched:,} of {self.rows:,} rows matched an image. "
            f"Rows without a file: {count[ROW_WITHOUT_FILE]:,}; files without a row: "
            f"{count[FILE_WITHOUT_ROW]:,}; conflicts: {count[CONFLICT]:,}.{unread}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the same, ready for JSON."""
        table: dict[str, Any] = {
            "csv": str(self.csv), "encoding": self.encoding, "rows": self.rows,
            "matched": self.matched, "labelled": self.labelled,
            "columns_not_read": list(self.unread),
        }  # fmt: skip
        for name, kind in (
            ("rows_without_file", ROW_WITHOUT_FILE),
            ("files_without_row", FILE_WITHOUT_ROW),
            ("conflicts", CONFLICT),
        ):
            table[name] = [
                {k: v for k, v in asdict(one).items() if k != "kind"} for one in self.of(kind)
            ]
        return table


def reconcile(matches: LabelMatches, results: Sequence[ImportResult]) -> Reconciliation:
    """Return the outcome of a csv after an import.

    Parameters
    ----------
    results
        Of the files that were tried; a file that was refused for its own sake does not need a row.
    """
    came_in = [result for result in results if result.image_id is not None]
    spoken = {matches.chosen[r.path].parts for r in came_in if r.path in matches.chosen}
    unmet = [line for line in matches.table.lines if line.parts not in spoken]
    nearest = _Nearest(matches.files) if unmet else None
    tried = {result.path for result in results}
    found = [_unmet(matches, line, nearest, tried) for line in unmet if nearest is not None]
    found += [
        Mismatch(FILE_WITHOUT_ROW, None, "", str(r.path), "no row of the csv matches it")
        for r in came_in
        if r.path not in matches.chosen
    ]
    in_csv = _patients_in_two_splits(matches.table.lines)
    patients = {line.row.patient for line in matches.table.lines if line.number in in_csv}
    found += _differing(matches, came_in, patients - {None})
    found += in_csv.values()
    order = (ROW_WITHOUT_FILE, FILE_WITHOUT_ROW, CONFLICT)
    found.sort(key=lambda one: order.index(one.kind))
    return Reconciliation(
        matches.table.path,
        matches.table.encoding,
        len(matches.table.lines),
        len(spoken),
        tuple(found),
        sum(_got_labels(matches, result) for result in came_in),
        matches.table.unread,
    )


def _got_labels(matches: LabelMatches, result: ImportResult) -> bool:
    """Tell whether an import gave an image something from the csv."""
    line = matches.chosen.get(result.path)
    if line is None or result.status == "known":
        return any(note.code == "labels-set" for note in result.notes)
    return any((line.row.label, line.row.split, line.row.patient))


def write_reconciliation(path: Path, found: Reconciliation, study_folder: Path) -> None:
    """Write all mismatches as a csv, readable only by its owner.

    Raises
    ------
    ImportStopped
        If it would be inside the study, or cannot be written.
    """
    require_outside(path, study_folder)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
            CsvWriter(file).table(_COLUMNS, (asdict(one) for one in found.mismatches))
    except OSError as error:
        raise ImportStopped(unwritable_text(path, error)) from error


def require_outside(path: Path, study_folder: Path) -> None:
    """Refuse a place inside a study's folder for a file that names files.

    Raises
    ------
    ImportStopped
        If it is there.
    """
    if path.resolve().is_relative_to(study_folder.resolve()):
        raise ImportStopped(
            f"The reconciliation {path} would be inside the study's folder, which must not "
            "contain file names. Choose a place outside the study."
        )


def _unmet(
    matches: LabelMatches, line: LabelLine, nearest: "_Nearest", tried: set[Path]
) -> Mismatch:
    fitting = matches.fitting.get(line.parts, ())
    if len(fitting) > 1:
        file, text = " | ".join(map(str, fitting)), matches.ambiguity(line)
        return Mismatch(CONFLICT, line.number, line.image, file, text)
    if not fitting:
        return Mismatch(ROW_WITHOUT_FILE, line.number, line.image, "", nearest.to(line.parts))
    (path,) = fitting
    longer = matches.chosen[path]
    if longer.parts != line.parts:
        text = f"its only matching file is matched by line {longer.number}, which is more specific"
    else:
        text = "its file was refused" if path in tried else "the import ended before its file"
    return Mismatch(ROW_WITHOUT_FILE, line.number, line.image, str(path), text)


def _differing(
    matches: LabelMatches, results: Iterable[ImportResult], in_csv: set[str | None]
) -> list[Mismatch]:
    """Return the images whose values in the study differ from the csv.

    Parameters
    ----------
    in_csv
        Patients whose two splits are both in the csv.
    """
    found = []
    for result in results:
        line = matches.chosen.get(result.path)
        if line is not None:
            found += [
                Mismatch(CONFLICT, line.number, line.image, str(result.path), note.text)
                for note in result.notes
                if note.code in _CONFLICTING
                and not (note.code == _SPLIT and line.row.patient in in_csv)
            ]
    return found


def _patients_in_two_splits(lines: Iterable[LabelLine]) -> dict[int, Mismatch]:
    """Return, by line, where the csv gives a patient another split than before."""
    first: dict[str, LabelLine] = {}
    found = {}
    for line in lines:
        if line.row.patient is None or line.row.split is None:
            continue
        earlier = first.setdefault(line.row.patient, line)
        if earlier.row.split != line.row.split:
            text = (
                f"its patient is in {line.row.split} here but in {earlier.row.split} in line "
                f"{earlier.number}; keep all images of one patient in one split"
            )
            found[line.number] = Mismatch(CONFLICT, line.number, line.image, "", text)
    return found


class _Nearest:
    """Finds the file whose path is most similar to that of a row without a file."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._ends: dict[Parts, Path] = {}
        for path in files:
            for parts in tails(_folded(path_parts(os.path.abspath(path)))):
                self._ends.setdefault(parts, path)

    def to(self, parts: Parts) -> str:
        """Return in words what is closest to the path of a row."""
        folded = _folded(parts)
        for end in tails(folded):
            if end in self._ends:
                path = self._ends[end]
                if end == folded:
                    return f"no file has this path; {path} differs in letter case"
                agreeing = "/".join(parts[-len(end) :])
                return (
                    f"no file has this path; {path} is in another folder; if you mean that "
                    f"file, shorten the row to {agreeing}"
                )
        return "no file has this path"


def _folded(parts: Parts) -> Parts:
    return tuple(part.casefold() for part in parts)
