"""Who took part in a BIDS data set, and what is known about the case of each run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.interchange.exports.bids_files import NOT_TOLD, Row, write_json, write_tsv
from app.interchange.exports.readings import ExportCase
from migrations.study.case_sheets import SHEET
from migrations.study.reader_attributes import ATTRIBUTES, NOT_SAID

_ATTRIBUTES = {
    "speciality": "The reader's speciality, a coarse class chosen by the reader",
    "years": "Years of experience, a coarse class",
    "eyewear": "What the reader wears while reading",
}
_SHEET = {
    "age_group": "Age of the patient, a coarse class",
    "sex": "Sex of the patient",
    "question": "Whether there was a clinical question (free text is not exported)",
    "priors": "Whether findings of earlier images were given (free text is not exported)",
}


def participants(
    out: Path, people: dict[str, str], said: Mapping[str, Mapping[str, str]]
) -> list[Path]:
    """Write the readers; `people` are pseudonyms by label, `said` what they said of themselves."""
    asked = [name for name in ATTRIBUTES if any(name in each for each in said.values())]
    rows = [
        (f"sub-{label}", who, *(said.get(who, {}).get(name, NOT_TOLD) for name in asked))
        for label, who in sorted(people.items())
    ]
    table = write_tsv(out / "participants.tsv", ("participant_id", "pseudonym", *asked), rows)
    about: dict[str, Any] = {"pseudonym": {"Description": "The reader's pseudonym in the study"}}
    about |= {
        name: {
            "Description": _ATTRIBUTES[name],
            "Levels": {value: value for value in (*ATTRIBUTES[name], NOT_SAID)},
        }
        for name in asked
    }
    return [table, write_json(out / "participants.json", about)]


def scans(out: Path, runs: Mapping[str, Mapping[str, str]], cases: list[ExportCase]) -> list[Path]:
    """Write what the sheet of each run's case says; nothing if no case that was read has a sheet.

    Parameters
    ----------
    runs
        The id of each file's case, by label; files are named from the participant's folder on.
    """
    by_id = {case.case_id: case for case in cases}
    read = {case_id for files in runs.values() for case_id in files.values()}
    if not any(by_id[case_id].sheet for case_id in read):
        return []
    written = []
    for label, files in runs.items():
        rows = [(file, by_id[i].name, *_told(by_id[i].sheet)) for file, i in files.items()]
        path = out / f"sub-{label}" / f"sub-{label}_scans.tsv"
        written.append(write_tsv(path, ("filename", "case", *SHEET), rows))
    about: dict[str, Any] = {"case": {"Description": "Name of the case in the study"}}
    for part, classes in SHEET.items():
        levels = {value: value for value in classes or ("yes", "no")}
        about[part] = {"Description": _SHEET[part], "Levels": levels}
    return [*written, write_json(out / "scans.json", about)]


def _told(sheet: Mapping[str, str | bool]) -> Row:
    said = [sheet.get(part, "") for part in SHEET]
    return [("yes" if v else "no") if isinstance(v, bool) else v or NOT_TOLD for v in said]
