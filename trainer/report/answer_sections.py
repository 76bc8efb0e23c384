"""Section on what readers answered, by question and arm."""

from collections.abc import Sequence

from trainer.report.answer_counts import AnswerCount
from trainer.report.data import ReportData
from trainer.report.page import Cell, Section, missing, table

_TYPED = ("number", "scale")
_MOST_VALUES = 12
"""More different numbers than these are told as a range."""


def answers_section(data: ReportData) -> Section:
    """Return what was answered, a table for each question."""
    counts = data.answers
    html = "".join(
        _table(key, [c for c in counts if c.question == key])
        for key in dict.fromkeys(c.question for c in counts)
    )
    return Section("answers", "Answers", html or missing("There are no answers yet."))


def _table(key: str, counts: Sequence[AnswerCount]) -> str:
    arms = sorted({c.arm for c in counts})
    is_numeric = all(c.kind in _TYPED and not _by_size(c.value)[1] for c in counts)
    many = is_numeric and len({c.value for c in counts}) > _MOST_VALUES
    rows = _ranges(counts, arms) if many else _values(counts, arms)
    named = [arm or "answers" for arm in arms]
    return table(f"{key} ({counts[0].kind})", ["answer", *named], rows)


def _values(counts: Sequence[AnswerCount], arms: Sequence[str]) -> list[list[Cell]]:
    of = {(c.value, c.arm): c.count for c in counts}
    values = sorted({c.value for c in counts}, key=_by_size)
    return [[value, *(of.get((value, arm), 0) for arm in arms)] for value in values]


def _ranges(counts: Sequence[AnswerCount], arms: Sequence[str]) -> list[list[Cell]]:
    numbers = {arm: sorted(float(c.value) for c in counts if c.arm == arm for _ in range(c.count))
               for arm in arms}  # fmt: skip
    middle = {arm: _median(values) for arm, values in numbers.items()}
    return [
        ["answers", *(len(numbers[arm]) for arm in arms)],
        ["least", *(numbers[arm][0] for arm in arms)],
        ["median", *(middle[arm] for arm in arms)],
        ["largest", *(numbers[arm][-1] for arm in arms)],
    ]


def _median(values: Sequence[float]) -> float:
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def _by_size(value: str) -> tuple[float, str]:
    if "_" in value:  # float() takes 1_0 for 10
        return float("inf"), value
    try:
        return float(value), ""
    except ValueError:
        return float("inf"), value
