"""Which measure is taken, and why: one sentence, with the figure that decides and its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from migrations.study.evidence import Figure, MeasureEvidence
from trainer.similarity.evidence.purity import LEAST_LABELS

FALLBACK = "density"
"""Taken where no measure carries anything: position-aware and smooth, it promises least."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The measure that is taken, why, whether evidence speaks for it, and by which figure."""

    measure: str
    reason: str
    carries: bool
    judged_by: str


def recommend(rows: Sequence[MeasureEvidence], labelled_images: int) -> Recommendation:
    """Return the measure that the evidence speaks for: by purity, else by separation."""
    by_purity = {row.measure: row.purity for row in rows if row.purity is not None}
    if by_purity:
        return _by_purity(by_purity)
    too_few = _too_few(labelled_images)
    by_separation = {row.measure: row.separation for row in rows if row.separation is not None}
    if by_separation:
        return _by_separation(by_separation, too_few)
    return Recommendation(
        FALLBACK,
        f"{too_few}, and no image was read by two readers, so there is no evidence of what gaze "
        f"contributes here; {FALLBACK} is used. More labels would help.",
        False,
        "",
    )


def _too_few(labelled: int) -> str:
    if labelled < LEAST_LABELS:
        return f"Only {labelled} images have a label ({LEAST_LABELS} are needed)"
    return (
        f"{labelled} images have a label, but too few of their pairs are positive or share a label"
    )


def _by_purity(found: dict[str, Figure]) -> Recommendation:
    carrying = {name: figure for name, figure in found.items() if figure.low > 1}
    if not carrying:
        best = _highest(found)
        return Recommendation(
            FALLBACK,
            f"With no measure are pairs purer than chance ({_plain(found[best])} at best, "
            f"{best}). Gaze pairs are unlikely to help; {FALLBACK} is used.",
            False,
            "purity",
        )
    best = _highest(carrying)
    return Recommendation(
        best,
        f"{best} is recommended: its pairs share a label {_plain(found[best])} times as often as "
        "by chance.",
        True,
        "purity",
    )


def _by_separation(found: dict[str, Figure], too_few: str) -> Recommendation:
    carrying = {name: figure for name, figure in found.items() if figure.low > 0.5}
    if not carrying:
        best = _highest(found)
        return Recommendation(
            FALLBACK,
            f"{too_few}, and with no measure is gaze on the same image more similar than on "
            f"different images ({_plain(found[best])} at best, {best}; 0.5 is chance). Gaze "
            f"pairs are unlikely to help; {FALLBACK} is used.",
            False,
            "separation",
        )
    best = _highest(carrying)
    return Recommendation(
        best,
        f"{too_few}, so the measure that best recognises the same image in another reader's gaze "
        f"is used: {best}, separation {_plain(found[best])} (0.5 is chance). Whether its pairs "
        "share a label is unknown.",
        True,
        "separation",
    )


def _highest(found: dict[str, Figure]) -> str:
    return max(found, key=lambda name: found[name].value)


def _plain(figure: Figure) -> str:
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
