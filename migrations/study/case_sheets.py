"""The sheet of a case: what is known about it beyond its images, from a csv, in coarse classes.

A sheet is stored in `study_case.sheet`. The study's setting `case_sheet` says which parts readers
see; an arm with `no_sheet` hides all of it.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.audit import add_audit
from migrations.study.clean_text import clean
from migrations.study.csv_tables import read_table
from migrations.study.errors import StudyError
from migrations.study.names import resolve
from migrations.study.schema import StudyCase, new_id
from migrations.study.sync.edits import Change, make

SHEET: dict[str, tuple[str, ...]] = {
    "age_group": (
        "under 18", "18 to 29", "30 to 39", "40 to 49", "50 to 59", "60 to 69", "70 to 79",
        "80 or more",
    ),
    "sex": ("female", "male", "other"),
    "question": (),
    "priors": (),
}  # fmt: skip
"""The parts of a sheet, in the order shown, with their classes; a part without classes is text."""
LONGEST_TEXT = 500
CHANGED = "case sheet changed"
"""Action in the audit for each case whose sheet changes; the audit does not repeat its contents."""


def read_sheets(session: OrmSession, path: Path) -> int:
    """Read the sheets of cases from a csv; return the number of cases.

    Its columns are `case` (name) and any of `age_group`, `sex`, `question`, `priors`. Each line
    replaces the sheet of its case; an empty cell means not known. The audit gets a row for each
    changed sheet, whose id is that of the edit that a push sends.

    Raises
    ------
    StudyError
        Naming the line and what is wrong in it; nothing is written then.
    """
    lines = _lines(path)
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines, 2):
        where = f"{path.name}, line {number}"
        case_id = resolve(session, "case", _cell(line, "case"), whole=True)
        if case_id in found:
            raise StudyError(f"{where}: the case appears twice.")
        found[case_id] = _sheet(line, where)
    before = {i: dict(kept or {}) for i, kept in session.execute(
        select(StudyCase.id, StudyCase.sheet))}  # fmt: skip
    edits = {case_id: new_id() for case_id, sheet in found.items() if sheet != before[case_id]}
    make(session, [Change("study_case", i, "sheet", found[i], edit) for i, edit in edits.items()])
    for case_id, edit in edits.items():
        parts = {"parts": [part for part in SHEET if part in found[case_id]]}
        add_audit(session, CHANGED, case_id, parts, reason="read from a csv", row_id=edit)
    return len(found)


def sheets_of(session: OrmSession, shown: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return what readers see of each case's sheet, one line per part; only cases with a sheet.

    Parameters
    ----------
    shown
        The parts that the study shows.
    """
    if not shown:
        return {}
    query = select(StudyCase.id, StudyCase.sheet).where(StudyCase.sheet.is_not(None))
    found = {case_id: words_of(sheet or {}, shown) for case_id, sheet in session.execute(query)}
    return {case_id: words for case_id, words in found.items() if words}


def words_of(sheet: Mapping[str, str], shown: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts of a sheet that are shown, in words, in their order."""
    titles = {"age_group": "Age", "sex": "Sex", "question": "Question", "priors": "Priors"}
    return tuple(
        f"{titles[part]}: {sheet[part]}" for part in SHEET if part in shown and sheet.get(part)
    )


def told_of(sheet: Mapping[str, str]) -> dict[str, str | bool]:
    """Return what may leave the study: a sheet's classes, and whether each free text exists.

    Empty where the case has no sheet.
    """
    if not sheet:
        return {}
    return {
        part: sheet.get(part, "") if classes else bool(sheet.get(part))
        for part, classes in SHEET.items()
    }


def counted_sheets(session: OrmSession) -> dict[str, Counter[str]]:
    """Count the cases in each class, by part of the sheet; practice cases do not count.

    "" counts the cases whose sheet leaves the part empty; a part that no sheet has is left out.
    """
    query = select(StudyCase.sheet).where(StudyCase.practice.is_(False))
    sheets = [dict(sheet or {}) for sheet in session.scalars(query)]
    classed = [part for part, classes in SHEET.items() if classes]
    parts = [part for part in classed if any(sheet.get(part) for sheet in sheets)]
    return {part: Counter(sheet.get(part, "") for sheet in sheets) for part in parts}


def _lines(path: Path) -> list[dict[str, str]]:
    columns, lines = read_table(path)
    unknown = [name for name in columns if name not in ("case", *SHEET)]
    if "case" not in columns or unknown or len(set(columns)) < len(columns):
        raise StudyError(
            f"{path.name} has the columns {', '.join(columns) or 'none'}; a table of case "
            f"sheets needs the column `case` and any of {', '.join(SHEET)}, each at most once "
            "and no others."
        )
    if not lines:
        raise StudyError(f"{path.name} contains no case sheets.")
    return [{(name or "").strip(): value for name, value in line.items()} for line in lines]


def _cell(line: Mapping[str, str | None], name: str) -> str:
    return clean(line.get(name) or "").strip()


def _sheet(line: Mapping[str, str | None], where: str) -> dict[str, str]:
    if line.get("") is not None:
        raise StudyError(
            f"{where}: this line has more cells than columns. Put values with a comma in "
            "quotation marks."
        )
    said = {part: _cell(line, part) for part in SHEET}
    for part, classes in SHEET.items():
        if classes and said[part] and said[part] not in classes:
            raise StudyError(
                f"{where}: {part} must be one of {', '.join(classes)}, not {said[part]!r}."
            )
        if len(said[part]) > LONGEST_TEXT:
            raise StudyError(f"{where}: {part} has more than {LONGEST_TEXT} characters.")
    return {part: value for part, value in said.items() if value}
