"""Ratings from a study's own answers: who said what of which case, in which arm, and what is true.

Each finished reading that is not practice counts, whatever its gaze is worth; of several by one
reader in one arm the first, and the others say how far readers agree with themselves.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.answers import Answered, answers_of_all
from migrations.study.cohort_rules import STAND_IN, choice_of
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import Arm, CaseImage, Reader, Reading
from trainer.analysis.performance.calls import called_of, grades_of, said_of
from trainer.analysis.performance.confidence import confidence_key, leading_key
from trainer.analysis.performance.ratings import Rating
from trainer.analysis.performance.truth import Truth, truth_of
from trainer.data.chains import chains_of
from trainer.errors import PerformanceError

ONE_ARM = "all"
"""What a study without arms calls its one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reader said of a case in one reading.

    Attributes
    ----------
    rating
        Higher is more suspicious; NaN where this answer has no confidence beside it and others do.
    positive
        Whether the case was called positive.
    reading, images
        Names of the reading and of the case's images.
    """

    reader: str
    arm: str
    case: str
    truth: bool
    rating: float
    positive: bool
    reading: str = ""
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyRatings:
    """The answers of a study.

    Attributes
    ----------
    decisions
        The first of each reader, arm and case, in order of reading.
    repeats
        First and later decision of one reader on one case in one arm.
    notes
        What was left out, and why.
    remarks
        What the ratings are, where that is not what one expects.
    """

    decisions: tuple[Decision, ...]
    repeats: tuple[tuple[Decision, Decision], ...]
    notes: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def ratings(self) -> list[Rating]:
        """Return what `ratings_of` arranges: decisions that have a rating."""
        return [
            Rating(d.reader, d.arm, d.case, d.truth, d.rating)
            for d in self.decisions
            if not math.isnan(d.rating)
        ]


def study_ratings(
    study: Study,
    positive: str,
    question: str | None = None,
    truth: Truth | None = None,
    confidence: str | None = None,
) -> StudyRatings:
    """Return the ratings that a study's answers are.

    Parameters
    ----------
    positive
        The answer that calls a case positive; of a scale, a number or a confidence the least one
        that does. Without `truth` also the label of a positive image.
    question
        Key of the question; None: the one a study leads with, never a confidence or a free text.
    truth
        What tells which cases are positive; None: their images' labels, `positive` among them.
    confidence
        Key of the confidence that makes a choice a rating; None: the only one there is.

    Raises
    ------
    PerformanceError
        The question was never answered, no truth is known, `positive` fits no answer, or it is not
        said which of several confidences belongs to it.
    """
    known_chains = chains_of(study)
    chains = [c for c in known_chains.whole if not any(part.practice for part in c)]
    with study.database.read() as rows:
        cases, readers = names_of(rows, "case"), _pseudonyms(rows.scalars(select(Reader)).all())
        readings, shown = names_of(rows, "reading"), _images(rows)
        arms = {arm.id: arm.key for arm in rows.scalars(select(Arm))}
        answers = answers_of_all(rows, [part.id for c in chains for part in c])
    key = question or leading_key(answers, [q.key for q in study.settings.questions])
    sure = confidence_key(answers, key, confidence)
    counting = [c for c in chains if not _refusal(c, known_chains.stand_ins, study.settings.trial)]
    with study.database.read() as rows:
        grades = grades_of(rows, key)
        known = truth_of(rows, truth or Truth(), key, positive, cases, counting, answers)
    found, notes = list[Decision](), list[str]()
    for chain in chains:
        last = chain[-1]
        said = said_of(chain, answers, key)
        case = cases[last.case_id]
        refusal = (
            _refusal(chain, known_chains.stand_ins, study.settings.trial)
            or _lacks(case, said, key, known.positive)
        )  # fmt: skip
        if refusal:
            notes.append(refusal)
            continue
        arm = arms.get(last.arm_id or "", ONE_ARM)
        rating, called = called_of(said, key, positive, grades, sure)
        found.append(
            Decision(
                readers[last.reader_id], arm, case, known.positive[case], rating, called,
                readings[last.id], tuple(shown.get(last.case_id, ())),
            )
        )  # fmt: skip
    if not found:
        raise PerformanceError(_nothing(key, answers, notes))
    if not any(d.positive for d in found):
        raise PerformanceError(f'No reader answered "{positive}" to "{key}". Check --positive.')
    rated, remarks = _rated(found)
    return StudyRatings(*_first_and_repeats(rated), _counted(notes), (*known.remarks, *remarks))


def _rated(found: Sequence[Decision]) -> tuple[list[Decision], tuple[str, ...]]:
    """Return decisions with ratings where they have them, and what is to be said of those."""
    unsaid = [d for d in found if math.isnan(d.rating)]
    if not unsaid:
        return list(found), ()
    if len(unsaid) == len(found):
        plain = [replace(d, rating=1.0 if d.positive else -1.0) for d in found]
        return plain, (
            "no confidence was given, so the ROC curve has only one point between its ends",
        )
    plural = "s have" if len(found) > 1 else " has"
    return list(found), (
        f"{len(unsaid)} of {len(found)} answer{plural} no confidence: counted for sensitivity "
        "and specificity, not for the ROC",
    )


def _refusal(chain: Sequence[Reading], stand_ins: Mapping[str, str], trial: bool) -> str | None:
    """Say why answers do not count: nobody gave them, or a researcher left them out.

    Who reads with the mouse in place of a tracker answers all the same.
    """
    kinds = {part.details.get(STAND_IN) or stand_ins.get(part.session_id) for part in chain}
    if "simulated" in kinds and not trial:
        return "of the simulated reader (trial = false)"
    choice = choice_of(chain[-1])
    return "excluded by hand" if choice is not None and not choice["keep"] else None


def _images(rows: OrmSession) -> dict[str, list[str]]:
    """Return the names of each case's images, in the order of their tiles."""
    images = names_of(rows, "image")
    found: dict[str, list[str]] = defaultdict(list)
    query = select(CaseImage.case_id, CaseImage.image_id).order_by(CaseImage.tile)
    for case_id, image_id in rows.execute(query):
        found[case_id].append(images[image_id])
    return found


def _pseudonyms(readers: Sequence[Reader]) -> dict[str, str]:
    return {reader.id: reader.pseudonym for reader in readers}


def _lacks(case: str, said: Sequence[Answered], key: str, known: Mapping[str, bool]) -> str | None:
    if all(answered.key != key for answered in said):
        return f'without an answer to "{key}"'
    return None if case in known else "of a case whose truth is unknown"


def _first_and_repeats(
    found: Sequence[Decision],
) -> tuple[tuple[Decision, ...], tuple[tuple[Decision, Decision], ...]]:
    first: dict[tuple[str, str, str], Decision] = {}
    repeats = []
    for decision in found:
        key = decision.reader, decision.arm, decision.case
        if key in first:
            repeats.append((first[key], decision))
        first.setdefault(key, decision)
    return tuple(first.values()), tuple(repeats)


def _counted(notes: Sequence[str]) -> tuple[str, ...]:
    counts = {note: notes.count(note) for note in dict.fromkeys(notes)}
    return tuple(f"{k} reading{'s' if k > 1 else ''} {note}" for note, k in counts.items())


def _nothing(key: str, answers: Mapping[str, Sequence[Answered]], notes: Sequence[str]) -> str:
    keys = sorted({a.key for given in answers.values() for a in given if a.scope == "case"})
    left_out = "; ".join(_counted(notes))
    return (
        f'No reading counts for the question "{key}" ({left_out or "there is none"}). '
        f"Questions answered: {', '.join(keys) or 'none'}."
    )


def by_reader(decisions: Sequence[Decision]) -> dict[tuple[str, str], list[Decision]]:
    """Return the decisions of each arm and reader."""
    found: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for decision in decisions:
        found[decision.arm, decision.reader].append(decision)
    return dict(sorted(found.items()))
