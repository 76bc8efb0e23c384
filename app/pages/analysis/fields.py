"""The settings of an analysis, and the options of its command."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.ui.fields import Field
from app.ui.text import tr, trn
from migrations.study.forms import Question

PLAIN = ("none", "halves", "thirds", "grid")
RANDOM = ("both", "readers", "cases")
FILES = frozenset({"areas", "truth"})
"""Fields that name a file, with a button to choose it."""


def analysis_fields() -> tuple[Field, ...]:
    """Return the fields of the page Analysis; names are those of the command's options."""
    plain = zip(PLAIN, (tr("None"), tr("Left and right half"), tr("Thirds from top to bottom"),
                        tr("Grid of 3 × 3")), strict=True)  # fmt: skip
    return (
        Field("areas", tr("Areas (csv)"), "text", tr("Lesions and regions. Leave empty for none."),
              optional=True),
        Field("plain", tr("Areas of every image"), "choice", choices=tuple(plain), default="none"),
        Field("margin-deg", tr("Margin around areas (°)"), "number",
              tr("Leave empty to use each reader's accuracy."), low=0, high=45, optional=True),
        Field("useful-field-deg", tr("Useful field of view (°)"), "number", low=0, high=45,
              default=2.5, optional=True),
        Field("mark-radius-deg", tr("A mark finds a lesion within (°)"), "number", low=0, high=45,
              default=1.0, optional=True),
        Field("radius-deg", tr("A miss was looked at within (°)"), "number", low=0, high=45,
              default=2.5, optional=True),
        Field("dwell-ms", tr("A decision error from (ms)"), "number", low=0, high=60_000,
              default=1000.0, optional=True),
    )  # fmt: skip


MOST_VALUES = 101
"""A scale with more integer steps offers its limits and every tenth in between."""


def performance_fields(questions: Sequence[Question]) -> tuple[Field, ...]:
    """Return the fields of the page Performance.

    Parameters
    ----------
    questions
        Those about the case, the leading one first.
    """
    keys = [(q.key, q.text) for q in questions if positive_answers(q)]
    sure = [(q.key, q.text) for q in questions if q.kind == "confidence"]
    first = next((q for q in questions if positive_answers(q)), None)
    random = zip(RANDOM, (tr("Readers and cases"), tr("Readers alone"), tr("Cases alone")),
                 strict=True)  # fmt: skip
    return (
        Field("question", tr("Question"), "choice", choices=tuple(keys),
              default=first.key if first else None),
        Field("positive", tr("Positive answer"), "choice",
              tr("The answer that makes a case positive; on a scale, the lowest such value."),
              choices=positive_choices(first) if first else ()),
        *([Field("confidence", tr("Confidence of the answer"), "choice", choices=tuple(sure),
                 default=sure[0][0])] if len(sure) > 1 else []),
        Field("truth-from", tr("Truth"), "choice",
              tr("A label of the images, what most readers said, or a table"),
              choices=truths((), questions), default=SAME_LABEL),
        Field("truth", tr("Table of the truth (csv)"), "text", tr("Columns case and truth"),
              optional=True),
        Field("areas", tr("Lesions (csv)"), "text", tr("For AFROC. Leave empty for none."),
              optional=True),
        Field("radius-px", tr("A mark finds a lesion within (px)"), "number", low=0, high=100_000,
              default=0.0, optional=True),
        Field("random", tr("Generalise to other"), "choice", choices=tuple(random),
              default="both"),
    )  # fmt: skip


def positive_answers(question: Question) -> tuple[tuple[str, str], ...]:
    """Return the answers that may make a case positive, each with its words; no free text."""
    if question.choices:
        return tuple((answer, answer) for answer in question.choices)
    if question.bounds is None:
        return ()
    low, high = question.bounds
    whole = low.is_integer() and high.is_integer() and high - low < MOST_VALUES
    steps = int(high - low) if whole else 10
    values = [f"{low + (high - low) * k / steps:g}" for k in range(steps + 1)]
    return tuple((value, value) for value in values)


def positive_choices(question: Question) -> tuple[tuple[str, str], ...]:
    """Return what the form offers: no answer is positive until the user says so."""
    return ("", tr("Choose…")), *positive_answers(question)


SAME_LABEL, TABLE, _LABEL, _QUESTION = "", "table", "label:", "question:"
"""Values of the field `truth-from`; the last two are prefixes."""


def truths(
    labels: Sequence[tuple[str, int]], questions: Sequence[Question]
) -> tuple[tuple[str, str], ...]:
    """Return the possible sources of the truth: labels of images, a consensus, a table.

    Parameters
    ----------
    labels
        Of the study's images, each with how many have it.
    questions
        Those about the case; if there is only one, readers cannot be compared with another.
    """
    asked = [q for q in questions if q.choices] if len(questions) > 1 else []
    return (
        (SAME_LABEL, tr("Label equal to the answer")),
        *((_LABEL + name, trn("Label “{name}” ({count} image)", "Label “{name}” ({count} images)",
                              count, name=name))
          for name, count in labels),
        *((f"{_QUESTION}{q.key}:{answer}",
           tr("Most said “{answer}” to: {question}", answer=answer, question=q.text))
          for q in asked for answer in q.choices),
        (TABLE, tr("A table (csv)")),
    )  # fmt: skip


def problem_of_truth(values: Mapping[str, Any]) -> str:
    """Return what prevents the truth from being known, in words; "" for nothing."""
    if "positive" in values and not values["positive"]:
        return tr("Choose the answer that makes a case positive.")
    chosen = str(values.get("truth-from") or "")
    if chosen == TABLE and not str(values.get("truth") or "").strip():
        return tr("Choose the table that says which cases are positive.")
    if chosen.startswith(f"{_QUESTION}{values.get('question')}:"):
        return tr("Choose a truth other than the question that is measured.")
    return ""


def _truth_words(chosen: str, table: str) -> dict[str, Any]:
    if chosen.startswith(_LABEL):
        return {"truth-label": chosen.removeprefix(_LABEL)}
    if chosen.startswith(_QUESTION):
        key, _, answer = chosen.removeprefix(_QUESTION).partition(":")
        return {"truth-question": key, "truth-positive": answer}
    return {"truth": table} if chosen == TABLE else {}


def words_of(values: Mapping[str, Any]) -> list[str]:
    """Return the options of the command; empty values use their default."""
    said = dict(values)
    if "truth-from" in said:
        said |= _truth_words(str(said.pop("truth-from") or ""), str(said.pop("truth", None) or ""))
    words = []
    for name, value in said.items():
        text = f"{value:g}" if isinstance(value, float) else str(value or "").strip()
        if text:
            words += [f"--{name}", text]
    return words
