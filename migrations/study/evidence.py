"""How informative each measure of gaze similarity was on one cohort, as a similarity run stores it.

Written by the trainer, shown by report and pages. They are plain numbers, so that showing them
needs neither NumPy nor the trainer.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

DETAILS_KEY = "evidence"
"""The key in `similarity_run.details` of `CohortEvidence.as_dict()`."""
HEADERS = (
    "measure",
    "purity over chance",
    "separation of readers",
    "agreement of re-reads",
    "without a value",
    "positive rate",
)
"""Headers of the table that `CohortEvidence.table` fills."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its interval: 95 %, for all measures of a table together."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return it as it is shown in tables."""
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


@dataclass(frozen=True, slots=True)
class MeasureEvidence:
    """What one measure tells about a cohort.

    Attributes
    ----------
    measure
        Its name.
    purity
        Share of the positive pairs of labelled images that have the same label, divided by that
        share among all pairs; 1 is chance. Pairs of an image with itself are left out. None below
        20 labels.
    separation
        Probability that readings of one image by two readers are more similar than readings of two
        images; 0.5 is chance. None where no image was read by two readers.
    rereads
        The same for repeated readings of an image by one reader. None where there are none.
    without_value
        Share of the readings for which the measure gives no value.
    positive_rate
        Share of the valid pairs of items that are positive under the rule in force.
    positive_pairs
        Positive pairs of labelled images that `purity` rests on.
    """

    measure: str
    purity: Figure | None
    separation: Figure | None
    rereads: Figure | None
    without_value: float
    positive_rate: float
    positive_pairs: int = 0


@dataclass(frozen=True, slots=True)
class CohortEvidence:
    """What all measures tell about one cohort, and which one is recommended.

    Attributes
    ----------
    rows
        One for each measure.
    recommended, reason
        The measure to use, and why, in one sentence.
    carries
        Whether the evidence supports it; False: it is the default for want of evidence.
    judged_by
        "purity", "separation", or "" where the cohort allows neither.
    items, readings, images, labelled_images
        How many were judged; an image may be several items or readings.
    rule
        What makes a pair positive, in words.
    note
        What was left out; "" if nothing was.
    basis
        Hash of everything it is based on, by which a later run finds it again.
    """

    rows: tuple[MeasureEvidence, ...]
    recommended: str
    reason: str
    carries: bool
    judged_by: str
    items: int
    readings: int
    images: int
    labelled_images: int
    rule: str
    note: str = ""
    basis: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "CohortEvidence":
        """Return what `as_dict` gave.

        Raises
        ------
        TypeError, KeyError
            If it is something else.
        """
        rows = tuple(_row(row) for row in kept["rows"])
        return cls(**{**kept, "rows": rows})

    def table(self) -> list[tuple[str, ...]]:
        """Return the cells below `HEADERS` as text, one row for each measure."""
        return [
            (
                row.measure + (" (recommended)" if self._is_taken(row) else ""),
                _said(row.purity),
                _said(row.separation),
                _said(row.rereads),
                f"{row.without_value:.1%}",
                f"{row.positive_rate:.2%}",
            )
            for row in self.rows
        ]

    def _is_taken(self, row: MeasureEvidence) -> bool:
        return self.carries and row.measure == self.recommended


def kept_evidence(details: Mapping[str, Any]) -> CohortEvidence | None:
    """Return the evidence in the details of a similarity run; None where there is none."""
    kept = details.get(DETAILS_KEY)
    return CohortEvidence.from_dict(kept) if isinstance(kept, dict) else None


def _row(kept: Mapping[str, Any]) -> MeasureEvidence:
    figures = ("purity", "separation", "rereads")
    found = {name: None if kept[name] is None else Figure(**kept[name]) for name in figures}
    return MeasureEvidence(**{**kept, **found})


def _said(figure: Figure | None) -> str:
    return "–" if figure is None else str(figure)
