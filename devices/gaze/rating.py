"""How much gaze is lost, and whether a reading can be used: one word with reasons."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Word = Literal["good", "doubtful", "bad"]


class Verdict(NamedTuple):
    """`word` is good, doubtful or bad; `reasons` say why it is not good, the most serious first."""

    word: Word
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """Limits of a good and of a usable reading."""

    doubtful_loss: float = 0.15
    bad_loss: float = 0.40
    doubtful_off_image: float = 0.30
    bad_off_image: float = 0.60
    doubtful_duration_us: int = 2_000_000
    bad_duration_us: int = 500_000
    doubtful_accuracy_deg: float = 1.0
    bad_accuracy_deg: float = 2.5
    doubtful_drift_deg: float = 1.0
    bad_drift_deg: float = 2.5


_ANY_LOSS = ReadingLimits(
    doubtful_loss=0.0, bad_loss=math.inf, doubtful_off_image=0.0, bad_off_image=math.inf
)
"""For imported gaze: everything missing is stated, but nothing makes it bad."""
_LONG_US = 60_000_000


LEAST_SILENCE_S = 0.5
"""From this duration in seconds, missing samples are reported as silence of the tracker."""


@dataclass(frozen=True, slots=True)
class GazeLoss:
    """What happened to the expected gaze.

    Attributes
    ----------
    expected_count
        Samples that were due.
    invalid_count
        Those that came without gaze, in blinks too. Gaze off the screen is gaze.
    missing_count
        Those that never came, before the first and after the last one too.
    silent_s
        How long that many samples last.
    """

    expected_count: int
    invalid_count: int
    missing_count: int
    silent_s: float

    @property
    def loss(self) -> float:
        """Share of expected samples that did not arrive or had no gaze; 1 if none was expected."""
        return lost_share(
            self.expected_count - self.invalid_count - self.missing_count, self.expected_count
        )


def gaze_loss(
    valid_count: int, sample_count: int, open_us: float, rate_hz: float | None
) -> GazeLoss:
    """Return how much of the expected gaze is lost.

    Parameters
    ----------
    valid_count, sample_count
        Samples with gaze, and samples that came; neither counts those of a pause.
    open_us
        How long gaze was due: from start to end, less pauses.
    rate_hz
        Measured rate of the tracker; None where nobody knows, and then only what came counts.
    """
    due = math.floor(open_us * (rate_hz or 0.0) / 1e6 + 0.01)  # 249.9999 samples are 250
    missing = max(0, due - sample_count)
    return GazeLoss(
        sample_count + missing,
        sample_count - valid_count,
        missing,
        missing / rate_hz if rate_hz else 0.0,
    )


def lost_share(valid_count: int, expected_count: int) -> float:
    """Return the share of samples without gaze; 1 if none was expected.

    Parameters
    ----------
    valid_count
        Samples with gaze.
    expected_count
        Samples that came, and those that never did.
    """
    return 1 - valid_count / expected_count if expected_count else 1.0


def reading_verdict(
    loss: float,
    off_image: float | None,
    duration_us: int,
    accuracy_deg: float | None,
    limits: ReadingLimits | None = None,
    *,
    drift_deg: float | None = None,
    sample_count: int | None = None,
    silent_s: float = 0.0,
    partial: bool = False,
) -> Verdict:
    """Rate a reading by its gaze.

    Parameters
    ----------
    loss, off_image
        Shares 0 … 1 of the samples due that are lost (`GazeLoss.loss`), and of gaze beside every
        image; None if unknown.
    duration_us
        How long it lasted.
    accuracy_deg
        Of the calibration in force; None if it was never validated.
    limits
        Beyond which a reading is doubtful or bad.
    drift_deg
        What the last drift probe before it found; None where there was none, which is no fault.
    sample_count
        Samples that came; None if unknown.
    silent_s
        For how long none came.
    partial
        Whether it was interrupted, or resumes an interrupted one: a part of two seconds says
        nothing against the whole, which its verdict would otherwise drop from every cohort.
    """
    at = limits or ReadingLimits()
    seconds = duration_us / 1e6
    if partial and duration_us < at.doubtful_duration_us:
        return Verdict("doubtful", (f"a part of {seconds:.1f} s, too short to rate",))
    if sample_count == 0:
        return Verdict("bad", ("no gaze was recorded",))
    findings = (
        (
            _grade(-duration_us, -at.doubtful_duration_us, -at.bad_duration_us),
            f"too short: {seconds:.1f} s",
        ),
        (_grade(loss, at.doubtful_loss, at.bad_loss), lost_text(loss, silent_s)),
        (
            _grade(off_image, at.doubtful_off_image, at.bad_off_image),
            _said("gaze off the image {:.0%} of the time", off_image, "off-image share unknown"),
        ),
        (
            _grade(accuracy_deg, at.doubtful_accuracy_deg, at.bad_accuracy_deg),
            _said("calibration off by {:.1f}°", accuracy_deg, "accuracy was not validated"),
        ),
        (
            _grade(drift_deg or 0.0, at.doubtful_drift_deg, at.bad_drift_deg),
            _said("drifted by {:.1f}° before the case", drift_deg, "drift unknown"),
        ),
    )
    words: tuple[Word, ...] = ("good", "doubtful", "bad")
    reasons = sorted((f for f in findings if f[0]), key=lambda f: -f[0])
    worst = reasons[0][0] if reasons else 0
    return Verdict(words[worst], tuple(text for _, text in reasons))


def imported_verdict(
    loss: float, off_image: float, clamped_count: int, lacks: Sequence[str]
) -> Verdict:
    """Rate imported gaze: doubtful, never bad, because it cannot be recorded again.

    Parameters
    ----------
    loss, off_image
        As `reading_verdict` takes them.
    clamped_count
        Samples that the source moved to the image's border.
    lacks
        What the source does not say.
    """
    unsaid = f"not given by the source: {', '.join(lacks)}"
    missing = reading_verdict(loss, off_image, _LONG_US, 0.0, _ANY_LOSS).reasons
    clamped = (f"{clamped_count} samples were moved to the edge of the image",) * bool(
        clamped_count
    )
    first = f"imported; {unsaid if lacks else 'accuracy was not validated'}"
    return Verdict("doubtful", (first, *missing, *clamped))


def lost_text(loss: float, silent_s: float) -> str:
    """Describe the loss of gaze, including any silence of the tracker."""
    silence = f", tracker silent for {silent_s:.1f} s" if silent_s >= LEAST_SILENCE_S else ""
    return f"gaze lost {loss:.0%} of the time{silence}"


def _grade(value: float | None, doubtful: float, bad: float) -> int:
    """Return 0 good, 1 doubtful or unknown, 2 bad; larger is worse."""
    if value is None or math.isnan(value):
        return 1
    return 2 if value > bad else int(value > doubtful)


def _said(text: str, value: float | None, unknown: str) -> str:
    return unknown if value is None or math.isnan(value) else text.format(value)
