"""Which cases are positive: by a table, by the labels of images, or by what most readers said."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.answers import Answered
from migrations.study.names import Names
from migrations.study.schema import CaseImage, Image, Reading
from trainer.analysis.performance.calls import called_of, grades_of, said_of
from trainer.analysis.performance.ratings_file import read_truth
from trainer.errors import PerformanceError


@dataclass(frozen=True, slots=True)
class Truth:
    """What tells which cases are positive; where nothing is named, the labels of images.

    Attributes
    ----------
    table
        csv of `case` and `truth` (0 or 1).
    label
        Of a positive image; None: the answer that calls a case positive.
    question, positive
        Another question of the form, and its answer that calls a case positive: what most readers
        said of a case is true.
    """

    table: Path | None = None
    label: str | None = None
    question: str | None = None
    positive: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Which cases are positive, by name, and what is to be said of how that is known."""

    positive: Mapping[str, bool]
    remarks: tuple[str, ...] = ()


def truth_of(
    rows: OrmSession,
    truth: Truth,
    question: str,
    positive: str,
    cases: Names,
    chains: Sequence[Sequence[Reading]],
    answers: Mapping[str, Sequence[Answered]],
) -> Known:
    """Return which cases are positive.

    Parameters
    ----------
    question, positive
        What is measured, and the answer that calls a case positive.
    chains, answers
        The readings that count, each with its parts, and the answers of each part.

    Raises
    ------
    PerformanceError
        The table cannot be understood, no image has the label, a label or answer is there in
        another spelling too, or the readers would be measured against their own answers.
    """
    if truth.table is not None:
        return Known(read_truth(truth.table, cases))
    if truth.question is None:
        return Known(
            _by_labels(rows, truth.label or positive, cases, named=truth.label is not None)
        )
    if truth.question == question:
        raise PerformanceError(
            f'"{question}" cannot be both what is measured and the truth: the readers would be '
            "compared with themselves."
        )
    return _by_consensus(rows, truth.question, truth.positive or "", cases, chains, answers)


def _by_labels(rows: OrmSession, label: str, cases: Names, *, named: bool) -> dict[str, bool]:
    """Return which cases hold an image with the label, where all have labels."""
    query = select(CaseImage.case_id, Image.label).join(Image, Image.id == CaseImage.image_id)
    labels: dict[str, list[str | None]] = defaultdict(list)
    for case_id, own in rows.execute(query):
        labels[cases[case_id]].append(own)
    known = sorted({own for each in labels.values() for own in each if own is not None})
    if named and label not in known:
        raise PerformanceError(
            f'No image has the label "{label}". Labels: {", ".join(known) or "none"}.'
        )
    _refuse_other_spelling("label", label, known)
    return {case: label in own for case, own in labels.items() if label in own or None not in own}


def _refuse_other_spelling(what: str, meant: str, there: Collection[str]) -> None:
    """Refuse `Mass` beside `mass`: what is spelt otherwise would count as negative."""
    for other in sorted(there):
        if other != meant and _plain(other) == _plain(meant) and meant in there:
            raise PerformanceError(
                f'The {what}s "{meant}" and "{other}" differ only in spelling, and cases with the '
                "other spelling would count as negative. Use one spelling, or use --truth FILE."
            )


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _by_consensus(
    rows: OrmSession,
    question: str,
    positive: str,
    cases: Names,
    chains: Sequence[Sequence[Reading]],
    answers: Mapping[str, Sequence[Answered]],
) -> Known:
    """Return what most readers said of each case, each heard once; of a tie nothing is known."""
    grades = grades_of(rows, question)
    votes: dict[str, dict[str, bool]] = defaultdict(dict)
    for chain in chains:
        if said := said_of(chain, answers, question):
            _, called = called_of(said, question, positive, grades, None)
            votes[cases[chain[-1].case_id]].setdefault(chain[-1].reader_id, called)
    given = {a.value for each in answers.values() for a in each if a.key == question}
    _refuse_other_spelling("answer", positive, given)
    if not votes:
        raise PerformanceError(f'No reading that counts has an answer to "{question}".')
    shares = {case: sum(own.values()) / len(own) for case, own in votes.items()}
    known = {case: share > 0.5 for case, share in shares.items() if share != 0.5}
    if not any(known.values()):
        raise PerformanceError(
            f'In no case did most readers answer "{positive}" to "{question}". '
            "Check --truth-positive."
        )
    alone = sum(len(own) == 1 for own in votes.values())
    told = f'a case is positive where most readers answered "{positive}" to "{question}"'
    if tied := len(shares) - len(known):
        told += f"; cases left out because of a tie: {tied}"
    if alone:
        told += f"; cases answered by only one reader: {alone} of {len(votes)}"
    return Known(known, (told,))
