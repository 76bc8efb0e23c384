"""What may be set of an analysis, and the words of the command that it becomes."""

from collections.abc import Mapping
from typing import Any

from app.ui.fields import Field
from app.ui.text import tr

PLAIN = ("none", "halves", "thirds", "grid")
RANDOM = ("both", "readers", "cases")
FILES = frozenset({"areas", "truth"})
"""Fields that name a file, with a button to choose it."""


def analysis_fields() -> tuple[Field, ...]:
    """Return the fields of the page Analysis; names are those of the command's options."""
    plain = zip(PLAIN, (tr("None"), tr("Left and right half"), tr("Thirds from top to bottom"),
                        tr("Grid of 3 × 3")), strict=True)  # fmt: skip
    return (
        Field("areas", tr("Areas (csv)"), "text", tr("Lesions and regions; empty for none"),
              optional=True),
        Field("plain", tr("Areas of every image"), "choice", choices=tuple(plain), default="none"),
        Field("margin-deg", tr("Margin round areas (°)"), "number",
              tr("Each reader's accuracy if empty"), low=0, high=45, optional=True),
        Field("useful-field-deg", tr("Useful field of view (°)"), "number", low=0, high=45,
              default=2.5, optional=True),
        Field("mark-radius-deg", tr("A mark finds a lesion within (°)"), "number", low=0, high=45,
              default=1.0, optional=True),
        Field("radius-deg", tr("A miss was looked at within (°)"), "number", low=0, high=45,
              default=2.5, optional=True),
        Field("dwell-ms", tr("A decision error from (ms)"), "number", low=0, high=60_000,
              default=1000.0, optional=True),
    )  # fmt: skip


def performance_fields(questions: Mapping[str, str]) -> tuple[Field, ...]:
    """Return the fields of the page Performance.

    Parameters
    ----------
    questions
        Key and text of the questions asked of the case, the leading one first.
    """
    random = zip(RANDOM, (tr("Readers and cases"), tr("Readers alone"), tr("Cases alone")),
                 strict=True)  # fmt: skip
    return (
        Field("question", tr("Question"), "choice", choices=tuple(questions.items()),
              default=next(iter(questions), None)),
        Field("positive", tr("Positive answer"), "text",
              tr("The answer that calls a case positive; of a scale the least that does")),
        Field("truth", tr("Truth (csv)"), "text",
              tr("Columns case and truth; the images' labels if empty"), optional=True),
        Field("areas", tr("Lesions (csv)"), "text", tr("For AFROC; empty for none"), optional=True),
        Field("radius-px", tr("A mark finds a lesion within (px)"), "number", low=0, high=100_000,
              default=0.0, optional=True),
        Field("random", tr("The conclusion holds for other"), "choice", choices=tuple(random),
              default="both"),
    )  # fmt: skip


def words_of(values: Mapping[str, Any]) -> list[str]:
    """Return the options of the command; what is empty is left to its default."""
    words = []
    for name, value in values.items():
        text = f"{value:g}" if isinstance(value, float) else str(value or "").strip()
        if text:
            words += [f"--{name}", text]
    return words
