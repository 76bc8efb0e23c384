"""What a validation means for the study: its limits, its row, the better eye."""

from dataclasses import dataclass
from typing import Any

from devices.gaze.quality import EyeQuality, Validation
from devices.gaze.samples import Eye
from migrations.study.settings import StudySettings
from migrations.study.stored_reading import better_eye


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """How accurately gaze hits held-out targets, and whether that meets the study's limits.

    Attributes
    ----------
    accuracy_deg
        Mean of both eyes; None without gaze.
    loss
        Share of samples without gaze; 1 if there were no samples.
    within_limits
        Whether accuracy and loss are within those of the study.
    The eye with the smaller error; "both" if neither is better.
        Why not, in words with figures.
    better_eye
        The eye with the smaller error; "both" if neither is better.
    validation
        All figures, per eye and per target.
    """

    accuracy_deg: float | None
    loss: float
    within_limits: bool
    reasons: tuple[str, ...]
    better_eye: Eye
    validation: Validation


def judge_validation(validation: Validation, settings: StudySettings) -> ValidationResult:
    """Compare a validation with the limits of a study."""
    accuracy_deg, loss = validation.accuracy_deg, validation.loss
    unseen = sum(target.both.sample_count == 0 for target in validation.targets)
    reasons = []
    if unseen:
        reasons.append(f"no gaze at {unseen} of {len(validation.targets)} targets")
    if accuracy_deg is not None and accuracy_deg > settings.max_accuracy_deg:
        reasons.append(f"accuracy {accuracy_deg:.2f}°, limit {settings.max_accuracy_deg:.2f}°")
    if loss > settings.max_loss:
        reasons.append(f"{loss:.0%} of gaze lost, limit {settings.max_loss:.0%}")
    eye = better_eye(validation.left.accuracy_deg, validation.right.accuracy_deg)
    return ValidationResult(accuracy_deg, loss, not reasons, tuple(reasons), eye, validation)


def validation_columns(validation: Validation) -> dict[str, Any]:
    """Return what table `calibration` stores of a validation."""
    eyes = {"": validation.both, "_left": validation.left, "_right": validation.right}
    row: dict[str, Any] = {"points": [target.as_dict() for target in validation.targets]}
    for suffix, eye in eyes.items():
        row |= _eye_columns(suffix, eye)
    return row


def _eye_columns(suffix: str, eye: EyeQuality) -> dict[str, float | None]:
    return {
        f"accuracy{suffix}_deg": eye.accuracy_deg,
        f"precision_rms{suffix}_deg": eye.precision_rms_deg,
        f"precision_sd{suffix}_deg": eye.precision_sd_deg,
        f"loss{suffix}": eye.loss,
    }
