"""What a map of images can be coloured by: every column of the cohort, by image."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.workspace.cohort import VERDICTS, CohortRow, cohort_rows
from migrations.study.answers import Answered, answers_of_all
from migrations.study.folder import Study
from migrations.study.names import split_item
from migrations.study.reader_attributes import ATTRIBUTES, attributes_of
from migrations.study.schema import CaseImage, Image, Reader, StudyCase

SEVERAL = "several"
"""The word for an image about which several readings disagree."""
_SCALES = ("scale", "number", "confidence")

Words = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Colouring:
    """Something known about images: words, or numbers on a scale.

    Attributes
    ----------
    key
        "label", "lost", "answer finding"; identifies the choice.
    title
        Title, as of a column.
    words, numbers
        By image; one of the two is empty. Numbers are the mean of an image's readings.
    unit
        Unit after a number.
    """

    key: str
    title: str
    words: Words = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""

    def said(self, image_id: str) -> str:
        """Return what is known about an image, in words; "" for nothing."""
        if (value := self.numbers.get(image_id)) is not None:
            return f"{self.title} {value:.3g}{self.unit}"
        return self.words.get(image_id, "")

    def of(self, ids: Iterable[str]) -> "Colouring":
        """Return the same by member of a cohort: a frame has the value of its stack."""
        members = tuple(ids)
        return Colouring(
            self.key, self.title, _of(members, self.words), _of(members, self.numbers), self.unit
        )


def colourings(study: Study) -> tuple[Colouring, ...]:
    """Return what is known about the images of a study; runs off the GUI thread.

    Only readings that count are used; columns that are known for no image are left out.
    """
    rows = cohort_rows(study)
    counting = [row for row in rows if row.counts]
    with study.database.read() as session:
        answered = answers_of_all(session, [row.reading_id for row in counting])
        found = [
            *_of_images(session),
            *_of_readings(counting),
            Colouring("cohort", "Cohort", _included(rows)),
            *_of_readers(session, counting),
            *_of_answers(counting, answered),
            *_of_sheets(session),
            *_figures(counting),
        ]
    return tuple(one for one in found if one.words or one.numbers)


def _of(members: Sequence[str], known: Mapping[str, T]) -> dict[str, T]:
    found = {}
    for member in members:
        name = member if member in known else split_item(member)[0]
        if name in known:
            found[member] = known[name]
    return found


def _of_images(session: OrmSession) -> list[Colouring]:
    rows = session.execute(select(Image.id, Image.label, Image.split)).all()
    return [
        Colouring("label", "Label", {id_: label for id_, label, _ in rows if label}),
        Colouring("split", "Split", {id_: split for id_, _, split in rows if split}),
    ]


def _of_readings(rows: Sequence[CohortRow]) -> list[Colouring]:
    asked: tuple[tuple[str, str, Callable[[CohortRow], str]], ...] = (
        ("reader", "Reader", lambda r: r.reader),
        ("tracker", "Tracker", lambda r: f"{r.badge} ({r.tracker})" if r.badge else r.tracker),
        ("station", "Station", lambda r: r.station),
        ("session", "Session", lambda r: r.session),
        ("arm", "Arm", lambda r: r.arm),
        ("gaze", "Gaze", lambda r: VERDICTS.get(r.verdict, "")),
    )
    return [Colouring(key, title, _agreed(rows, text)) for key, title, text in asked]


def _included(rows: Sequence[CohortRow]) -> Words:
    said = {id_: "Excluded" for row in rows for id_ in row.image_ids}
    return said | {id_: "Included" for row in rows if row.counts for id_ in row.image_ids}


def _of_readers(session: OrmSession, rows: Sequence[CohortRow]) -> list[Colouring]:
    query = select(Reader.pseudonym, Reader.details)
    known = {name: attributes_of(details) for name, details in session.execute(query)}

    def text(part: str) -> Callable[[CohortRow], str]:
        return lambda row: known.get(row.reader, {}).get(part, "")

    return [
        Colouring(f"reader {part}", f"Reader's {part}", _agreed(rows, text(part)))
        for part in ATTRIBUTES
    ]


def _of_answers(
    rows: Sequence[CohortRow], answered: Mapping[str, Sequence[Answered]]
) -> list[Colouring]:
    of_case = {id_: [a for a in said if a.scope == "case"] for id_, said in answered.items()}
    kinds = {a.key: a.kind for said in of_case.values() for a in said}
    found = []
    for key, kind in kinds.items():
        said = {r: _words(a) for r, answers in of_case.items() for a in answers if a.key == key}
        name, title = f"answer {key}", f"Answer: {key}"
        numbers = _numbers(rows, said) if kind in _SCALES else {}
        if numbers:
            found.append(Colouring(name, title, numbers=numbers))
        else:
            found.append(
                Colouring(name, title, _agreed(rows, lambda r, s=said: s.get(r.reading_id, "")))  # type: ignore[misc]
            )
    return found


def _of_sheets(session: OrmSession) -> list[Colouring]:
    query = select(CaseImage.image_id, StudyCase.sheet).join(
        StudyCase, StudyCase.id == CaseImage.case_id
    )
    sheets = {id_: sheet for id_, sheet in session.execute(query) if sheet}
    return [
        Colouring(f"sheet {part}", title, {i: s[part] for i, s in sheets.items() if s.get(part)})
        for part, title in (("age_group", "Age"), ("sex", "Sex"))
    ]


def _figures(rows: Sequence[CohortRow]) -> list[Colouring]:
    asked: tuple[tuple[str, str, Callable[[CohortRow], float | None], str], ...] = (
        ("lost", "Lost", lambda r: None if r.loss is None else 100 * r.loss, " %"),
        ("accuracy", "Accuracy", lambda r: r.accuracy_deg, "°"),
        ("time", "Time", lambda r: r.duration_s, " s"),
        ("fixations", "Fixations", lambda r: float(r.fixations), ""),
    )
    return [
        Colouring(key, title, numbers=_mean(rows, value), unit=unit)
        for key, title, value, unit in asked
    ]


def _agreed(rows: Sequence[CohortRow], text: Callable[[CohortRow], str]) -> Words:
    """Return what an image's readings agree on, or that they disagree."""
    found: dict[str, set[str]] = {}
    for row in rows:
        if word := text(row):
            for image_id in row.image_ids:
                found.setdefault(image_id, set()).add(word)
    return {id_: next(iter(said)) if len(said) == 1 else SEVERAL for id_, said in found.items()}


def _mean(
    rows: Sequence[CohortRow], value: Callable[[CohortRow], float | None]
) -> Mapping[str, float]:
    found: dict[str, list[float]] = {}
    for row in rows:
        if (number := value(row)) is not None and math.isfinite(number):
            for image_id in row.image_ids:
                found.setdefault(image_id, []).append(number)
    return {id_: sum(values) / len(values) for id_, values in found.items()}


def _numbers(rows: Sequence[CohortRow], said: Words) -> Mapping[str, float]:
    """Return answers as numbers; none at all if one of them is not a number."""
    try:
        values = {reading: float(text) for reading, text in said.items()}
    except ValueError:
        return {}
    return _mean(rows, lambda row: values.get(row.reading_id))


def _words(answered: Answered) -> str:
    if answered.kind != "multiple":
        return answered.value
    return ", ".join(map(str, json.loads(answered.value)))
