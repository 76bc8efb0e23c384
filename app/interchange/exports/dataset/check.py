"""Reads a data set back, without a network: checksums, Croissant, participants, open questions."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import ExportError
from app.interchange.exports.dataset import croissant, datasheet
from migrations.study.export_command import UNFINISHED
from migrations.study.export_manifest import sha256_of
from migrations.study.plurals import counted

SUMS = "SHA256SUMS"
_REQUIRED = ("@context", "@type", "name", "description", "conformsTo", "license", "distribution")
_OF_A_FILE = ("@id", "name", "contentUrl", "encodingFormat", "sha256")
_OF_A_FIELD = ("@id", "name", "dataType", "source")
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a consistent data set."""

    files: int
    tables: int
    records: int
    readers: int
    open_questions: int

    @property
    def text(self) -> str:
        """The same in words."""
        return (
            f"Read back: {counted(self.files, 'file')} with correct checksums, "
            f"{counted(self.records, 'record')} in {counted(self.tables, 'table')}, "
            f"{counted(self.readers, 'reader')}. "
            f"{counted(self.open_questions, 'question')} in {datasheet.NAME} that only people "
            "can answer."
        )


def check_dataset(folder: Path) -> Checked:
    """Check a data set that was exported.

    Raises
    ------
    ExportError
        Naming what is missing, changed, or different from its description.
    """
    faults: list[str] = []
    files = _check_sums(folder, faults)
    told = _json(folder / croissant.NAME, faults)
    faults += [f"{croissant.NAME} does not list {name}" for name in _REQUIRED if name not in told]
    tables = _check_tables(folder, told, faults)
    readers = _check_participants(folder, faults)
    sheet = folder / datasheet.NAME
    questions = (
        datasheet.open_questions(sheet.read_text(encoding="utf-8")) if sheet.is_file() else 0
    )
    if faults:
        more = f"\n  … and {len(faults) - _SHOWN:,} more" if len(faults) > _SHOWN else ""
        lines = "\n".join(f"  {fault}" for fault in faults[:_SHOWN])
        raise ExportError(f"{folder} is inconsistent:\n{lines}{more}")
    return Checked(files, len(tables), sum(tables.values()), readers, questions)


def _check_sums(folder: Path, faults: list[str]) -> int:
    listed = {}
    path = folder / SUMS
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    there = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    } - {SUMS, UNFINISHED}
    faults += [f"{name} is missing" for name in sorted(listed.keys() - there)]
    faults += [f"{name} is not in {SUMS}" for name in sorted(there - listed.keys())]
    faults += [
        f"the checksum of {name} does not match"
        for name in sorted(there & listed.keys())
        if sha256_of(folder / name) != listed[name]
    ]
    return len(there)


def _json(path: Path, faults: list[str]) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        faults.append(f"{path.name} cannot be read ({type(error).__name__})")
        return {}
    return found if isinstance(found, dict) else {}


def _check_tables(folder: Path, told: dict[str, Any], faults: list[str]) -> dict[str, int]:
    """Compare Croissant's description with the files; return the rows of each record set's file."""
    files = {each.get("@id", ""): each for each in told.get("distribution", ())}
    for name, each in files.items():
        faults += [f"{name or 'a file'} lacks {key}" for key in _OF_A_FILE if key not in each]
        path = folder / str(each.get("contentUrl", ""))
        if not path.is_file():
            faults.append(f"{name}: {each.get('contentUrl')} is missing")
        elif sha256_of(path) != each.get("sha256"):
            faults.append(f"{name} is not the file that {croissant.NAME} describes")
    counts = {}
    seen: set[str] = set()
    for records in told.get("recordSet", ()):
        name = str(records.get("@id", ""))
        rows = 0
        heads: dict[str, list[str]] = {}
        for field in records.get("field", ()):
            faults += [f"a field of {name} lacks {key}" for key in _OF_A_FIELD if key not in field]
            if field.get("@id", "") in seen:
                faults.append(f"{field['@id']} is described twice")
            seen.add(field.get("@id", ""))
            source = field.get("source", {})
            file = source.get("fileObject", {}).get("@id", "")
            column = source.get("extract", {}).get("column", "")
            if file not in files:
                faults.append(f"{name}: {file or 'its file'} is not described")
                continue
            if file not in heads:
                heads[file], rows = _head_and_rows(folder / str(files[file].get("contentUrl")))
            if column not in heads[file]:
                faults.append(f"{name}: {file} has no column {column}")
        counts[name] = rows
    return counts


def _head_and_rows(path: Path) -> tuple[list[str], int]:
    if not path.is_file():
        return [], 0
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        head = next(reader, [])
        return head, sum(1 for _ in reader)


def _check_participants(folder: Path, faults: list[str]) -> int:
    path = folder / "participants.tsv"
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8", newline="") as file:
        names = {row["participant_id"] for row in csv.DictReader(file, delimiter="\t")}
    there = {each.name for each in folder.glob("sub-*") if each.is_dir()}
    faults += [f"{name} has no line in {path.name}" for name in sorted(there - names)]
    faults += [f"{name} of {path.name} has no folder" for name in sorted(names - there)]
    return len(names)
