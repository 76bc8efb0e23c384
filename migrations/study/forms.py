"""The form of a study: its questions, the allowed answers, and when each question is asked.

A question is written in `study.toml` as ``[[question]]``. Its condition is a text: ``finding =
mass``, ``finding = mass | distortion``, ``finding != no finding`` or ``score >= 3``; empty: always
asked.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrations.study.errors import SettingsError
from migrations.study.toml_tables import checked_table

SCOPES = ("case", "mark")
KINDS = ("single", "multiple", "scale", "number", "text", "confidence")
MOST_OPTIONS = 9
"""The number of digit keys."""
CONFIDENCE = ("1", "5")
"""From guessing to certain, for a question of confidence without bounds of its own."""
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CONDITION = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(!=|>=|<=|=)\s*(.+?)\s*")
_BOUNDED = ("scale", "number", "confidence")
_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a form.

    Attributes
    ----------
    key
        Its name in tables.
    text
        What the reader is asked.
    scope
        "case", or "mark": asked of each box and keypoint.
    kind
        One of `KINDS`.
    options
        For "single" and "multiple": the answers. For "scale": two whole numbers, the smallest and
        the largest, or named grades in order (BI-RADS). For "number" and "confidence": two bounds,
        or nothing.
    condition
        When it is asked; see above.
    required
        Whether the case cannot be finished without it.
    """

    key: str
    text: str
    scope: str = "case"
    kind: str = "single"
    options: tuple[str, ...] = ()
    condition: str = ""
    required: bool = True

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The smallest and the largest value; None where there are none."""
        options = self.options or (CONFIDENCE if self.kind == "confidence" else ())
        if self.kind not in _BOUNDED or len(options) != 2:
            return None
        low, high = _number(options[0]), _number(options[1])
        return None if low is None or high is None else (low, high)

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers that can be given by key or click; empty where the reader types."""
        if self.kind in ("single", "multiple"):
            return self.options
        bounds = self.bounds
        if self.kind == "scale" and bounds is None:
            return self.options
        if self.kind in ("scale", "confidence") and bounds and bounds[1] - bounds[0] < MOST_OPTIONS:
            return tuple(str(i) for i in range(int(bounds[0]), int(bounds[1]) + 1))
        return ()


def check_form(questions: Sequence[Question], marks: bool = True) -> None:
    """Refuse a form that cannot be asked.

    Parameters
    ----------
    marks
        Whether readers of this study can make marks (boxes, keypoints).

    Raises
    ------
    SettingsError
        Naming the question and what is wrong with it.
    """
    before: dict[str, Question] = {}
    for question in questions:
        problem = _problem(question, before, marks)
        if problem:
            raise SettingsError(f"question {question.key!r} {problem}.")
        before[question.key] = question
    first = questions[0] if questions else None
    if first is None or (first.kind, first.scope, first.condition) != ("single", "case", ""):
        raise SettingsError(
            "the first question must be a single choice about the case, without a condition: "
            "it gives the case its class."
        )


def checked_value(question: Question, value: str) -> str:
    """Return an answer as it is stored: the text, or a JSON list for a multiple choice.

    Raises
    ------
    SettingsError
        If the question cannot be answered so.
    """
    problem = _problem_of_value(question, value)
    if problem:
        raise SettingsError(f"{value!r} is not an answer to {question.key}: {problem}.")
    return value.strip() if question.kind == "text" else value


def many(values: Iterable[str], question: Question) -> str:
    """Return the stored form of a multiple choice, in the order of its options."""
    chosen = set(values)
    return json.dumps([o for o in question.options if o in chosen], ensure_ascii=False)


def chosen_of(question_kind: str, value: str) -> tuple[str, ...]:
    """Return the single words of a stored value."""
    return tuple(json.loads(value)) if question_kind == "multiple" else (value,)


def asked(questions: Sequence[Question], given: Mapping[str, str]) -> list[Question]:
    """Return the questions to ask, given the answers so far (`given`: key to stored value).

    A question whose condition depends on one that is not asked is not asked either.
    """
    by_key = {q.key: q for q in questions}
    standing: dict[str, tuple[str, ...]] = {
        key: chosen_of(by_key[key].kind, value) if key in by_key else (value,)
        for key, value in given.items()
    }
    found: list[Question] = []
    hidden: set[str] = set()
    for question in questions:
        parts = _parts(question.condition)
        if parts is None or (parts[0] not in hidden and _holds(parts, standing)):
            found.append(question)
        else:
            hidden.add(question.key)
    return found


def questions_from(tables: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Return the questions of ``[[question]]`` tables.

    Raises
    ------
    SettingsError
        Naming the question, the field and the allowed values.
    """
    return tuple(_question(number, table) for number, table in enumerate(tables, 1))


def toml_of(questions: Sequence[Question]) -> list[str]:
    """Return the lines of the ``[[question]]`` tables for these questions."""
    lines = []
    for q in questions:
        lines += ["", "[[question]]"]
        values: dict[str, Any] = {"key": q.key, "text": q.text, "scope": q.scope, "kind": q.kind}
        values |= {"options": list(q.options)} if q.options else {}
        values |= {"condition": q.condition} if q.condition else {}
        values |= {} if q.required else {"required": False}
        lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in
                  values.items()]  # fmt: skip
    return lines


def _question(number: int, table: Mapping[str, Any]) -> Question:
    known: dict[str, type] = {"key": str, "text": str, "scope": str, "kind": str,
                              "options": list, "condition": str, "required": bool}  # fmt: skip
    name = checked_table("question", number, table, known)
    options = tuple(_option(name, o) for o in table.get("options", ()))
    rest = {k: v for k, v in table.items() if k not in ("options", "text")}
    return Question(text=table.get("text", table["key"]), options=options, **rest)


def _option(name: object, value: object) -> str:
    if isinstance(value, str) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return str(value)
    raise SettingsError(f"question {name!r}: options must be texts or numbers, not {value!r}.")


def _problem(q: Question, before: Mapping[str, Question], marks: bool) -> str:
    """Return what is wrong with a question; "" for nothing."""
    texts = (q.text, q.condition, *q.options)
    checks: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: not _KEY.fullmatch(q.key), "needs a key of lowercase letters, digits and _"),
        (lambda: q.key in before, "appears twice"),
        (lambda: not q.text.strip(), "has no text"),
        (lambda: q.scope not in SCOPES, f"must have one of {SCOPES} as scope"),
        (lambda: q.kind not in KINDS, f"must be one of {KINDS}"),
        (lambda: any(len(t) > _LONGEST_TEXT for t in texts), "has a text of over 1,000 characters"),
        (lambda: any(not t.isprintable() for t in texts), "must not contain control characters"),
        (lambda: len(set(q.options)) < len(q.options), "has an option twice"),
        (lambda: any(not o.strip() for o in q.options), "has an empty option"),
        (lambda: q.scope == "mark" and not marks,
         'is about marks, but this study has none: add "box" or "keypoint" to annotations'),
    )  # fmt: skip
    found = next((words for wrong, words in checks if wrong()), "")
    return found or _problem_of_options(q) or _problem_of_condition(q, before)


def _problem_of_options(q: Question) -> str:
    count = len(q.options)
    if q.kind in ("single", "multiple"):
        least = 1 if q.kind == "multiple" else 2
        return "" if least <= count <= MOST_OPTIONS else f"needs {least} to {MOST_OPTIONS} options"
    if q.kind == "text":
        return "has options but is answered with free text" if count else ""
    if (q.kind == "scale" and count > 2) or (q.kind == "scale" and count == 2 and not q.bounds):
        return "" if count <= MOST_OPTIONS else f"has more than {MOST_OPTIONS} grades"
    if q.kind == "number" and not count:
        return ""
    bounds = q.bounds
    if bounds is None:
        return "needs two numbers as options, the smallest and the largest value"
    if bounds[0] >= bounds[1]:
        return "has a smallest value that is not below its largest"
    whole = all(b == int(b) for b in bounds)
    return "" if q.kind == "number" or whole else "needs whole numbers as bounds"


def _problem_of_condition(q: Question, before: Mapping[str, Question]) -> str:
    if not q.condition:
        return ""
    parts = _parts(q.condition)
    if parts is None or parts[0] not in before:
        return (
            f"has the condition {q.condition!r}, which must have the form “key = answer” and "
            "name an earlier question"
        )
    asked_of = before[parts[0]]
    if asked_of.scope == "mark" and q.scope == "case":
        return "is about the case and cannot depend on an answer about a mark"
    if parts[1] in (">=", "<="):
        numeric = asked_of.bounds is not None or asked_of.kind == "number"
        return (
            ""
            if numeric and _number(parts[2][0]) is not None
            else ("compares something that is not a number")
        )
    unknown = [w for w in parts[2] if asked_of.choices and w not in asked_of.choices]
    return (
        f"depends on {unknown[0]!r}, which is not an option of {asked_of.key!r}" if unknown else ""
    )


def _problem_of_value(q: Question, value: str) -> str:
    if q.kind == "multiple":
        try:
            chosen = json.loads(value)
        except ValueError:
            chosen = None
        is_list = isinstance(chosen, list) and all(o in q.options for o in chosen)
        return "" if is_list else f"it must be a list of {', '.join(q.options)}"
    if q.kind == "text":
        return "" if value.strip() and len(value) <= 10_000 else "it must be 1 to 10,000 characters"
    if q.kind == "single" or (q.kind == "scale" and q.bounds is None):
        return "" if value in q.options else f"it must be one of {', '.join(q.options)}"
    number, bounds = _number(value), q.bounds
    if number is None:
        return "it must be a number"
    if q.kind != "number" and not re.fullmatch(r"-?\d+", value):
        return "it must be a whole number"
    if bounds and not bounds[0] <= number <= bounds[1]:
        return f"it must be from {bounds[0]:g} to {bounds[1]:g}"
    return ""


def _parts(condition: str) -> tuple[str, str, tuple[str, ...]] | None:
    match = _CONDITION.fullmatch(condition)
    if match is None:
        return None
    return match[1], match[2], tuple(word.strip() for word in match[3].split("|"))


def _holds(parts: tuple[str, str, tuple[str, ...]], given: Mapping[str, tuple[str, ...]]) -> bool:
    key, sign, words = parts
    said = given.get(key)
    if said is None:
        return False
    if sign in (">=", "<="):
        value, bound = _number(said[0]) if said else None, _number(words[0])
        if value is None or bound is None:
            return False
        return value >= bound if sign == ">=" else value <= bound
    return any(word in said for word in words) == (sign == "=")


def _number(text: str) -> float | None:
    """Return a finite number written as one, else None."""
    if not re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?\s*", text):
        return None
    return float(text)
