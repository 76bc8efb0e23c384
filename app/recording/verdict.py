"""Whether the gaze of a reading can be used, judged by the limits of the study."""

from dataclasses import dataclass
from typing import Any

from app.recording.figures import GazeFigures
from app.recording.worklist import State
from devices.gaze.rating import ReadingLimits, Verdict, reading_verdict
from migrations.study.settings import StudySettings


@dataclass(frozen=True, slots=True)
class ReadingResult:
    """The outcome of a reading, once its last sample has been seen."""

    reading_id: str
    case_id: str
    state: State
    figures: GazeFigures
    verdict: Verdict


def judge(
    figures: GazeFigures,
    accuracy_deg: float | None,
    settings: StudySettings,
    drift_deg: float | None = None,
    *,
    partial: bool = False,
) -> Verdict:
    """Judge a reading by the limits of its study.

    Parameters
    ----------
    accuracy_deg
        Accuracy of the last validation before the reading; None if there was none.
    drift_deg, partial
        As accepted by `devices.gaze.rating.reading_verdict`.
    """
    return reading_verdict(
        figures.loss,
        figures.off_image if figures.loss < 1 else None,
        figures.duration_us,
        accuracy_deg,
        _limits(settings),
        drift_deg=drift_deg,
        sample_count=figures.sample_count,
        silent_s=figures.silent_s,
        partial=partial,
    )


def columns(figures: GazeFigures, verdict: Verdict) -> dict[str, Any]:
    """Return what table `reading` stores of both."""
    return {
        "sample_count": figures.sample_count,
        "lost_count": figures.lost_count,
        "missing_count": figures.missing_count,
        "invalid_count": figures.invalid_count,
        "loss": figures.loss,
        "off_image": figures.off_image,
        "verdict": verdict.word,
        "verdict_reasons": list(verdict.reasons),
    }


def _limits(settings: StudySettings) -> ReadingLimits:
    usual = ReadingLimits()
    return ReadingLimits(
        doubtful_loss=settings.loss_alarm,
        bad_loss=max(usual.bad_loss, settings.loss_alarm),
        doubtful_accuracy_deg=settings.max_accuracy_deg,
        bad_accuracy_deg=max(usual.bad_accuracy_deg, settings.max_accuracy_deg),
        doubtful_drift_deg=settings.max_drift_deg,
        bad_drift_deg=max(usual.bad_drift_deg, settings.max_drift_deg),
    )
