"""A validation as the calibration page shows it."""

from datetime import UTC, datetime

from app.pages.calibration.offsets import Point, TargetOffset
from app.pages.calibration.quality_table import EyeSummary
from app.pages.calibration.validation_panel import ValidationSummary
from app.recording.calibration.run import CalibrationRun
from app.recording.calibration.targets import bad_targets
from app.recording.calibration.validation import ValidationResult
from app.recording.session import ReadingSession
from app.ui.text import tr, trn
from devices.gaze.quality import EyeQuality, TargetQuality

_SOURCES = {
    "assumed": "Distance {distance:.0f} mm (assumed, so degrees are approximate).",
    "taped": "Distance {distance:.0f} mm (measured by hand).",
    "tracker": "Distance {distance:.0f} mm (from the tracker).",
}


def validation_summary(
    result: ValidationResult,
    session: ReadingSession,
    run: CalibrationRun,
    made: datetime | None = None,
) -> ValidationSummary:
    """Return what the page shows of a validation.

    Parameters
    ----------
    made
        When the calibration in force was made; None where the tracker's own software made it.
    """
    v, geometry, settings = result.validation, session.setup.geometry, session.study.settings
    limit_deg = settings.max_accuracy_deg
    right, down = geometry.deg_to_norm([(limit_deg, limit_deg)])[0].tolist()
    points = run.outcome.points if run.outcome and run.may_redo else ()
    return ValidationSummary(
        offsets=tuple(_offset(target) for target in v.targets),
        aspect=geometry.width_screen / geometry.height_screen,
        limit_norm=(right - 0.5, down - 0.5),
        eyes=(
            _eye(tr("Both eyes"), v.both),
            _eye(tr("Left eye"), v.left),
            _eye(tr("Right eye"), v.right),
        ),
        max_accuracy_deg=limit_deg,
        max_loss=settings.max_loss,
        distance_note=tr(_SOURCES[geometry.distance_source], distance=geometry.distance_mm),
        in_force=in_force_text(made, datetime.now(UTC)),
        collected=tuple((point.x_norm, point.y_norm) for point in points),
        bad=bad_targets(points, v, limit_deg),
        may_correct=session.tracker.calibrator() is None and v.accuracy_deg is not None,
        corrected=session.setup.correction is not None,
    )


def in_force_text(made: datetime | None, now: datetime) -> str:
    """Return date and age of the calibration in force, and when it was checked."""
    checked = f"{now.astimezone():%H:%M}"
    if made is None:
        return tr(
            "Calibrated in the tracker's own software; checked at {checked}.", checked=checked
        )
    minutes = max(round((now - made).total_seconds() / 60), 0)
    if minutes < 120:
        age = trn("{count} minute ago", "{count} minutes ago", minutes)
    elif minutes < 48 * 60:
        age = trn("{count} hour ago", "{count} hours ago", minutes // 60)
    else:
        age = trn("{count} day ago", "{count} days ago", minutes // (24 * 60))
    return tr(
        "Calibration of {date}, {age}; checked at {checked}.",
        date=f"{made.astimezone():%d %b %Y, %H:%M}", age=age, checked=checked,
    )  # fmt: skip


def _offset(target: TargetQuality) -> TargetOffset:
    return TargetOffset(
        (target.x_norm, target.y_norm),
        _point(target.both),
        target.both.accuracy_deg,
        _point(target.left),
        _point(target.right),
    )


def _point(eye: EyeQuality) -> Point | None:
    x, y = eye.gaze_x_norm, eye.gaze_y_norm
    return None if x is None or y is None else (x, y)


def _eye(name: str, eye: EyeQuality) -> EyeSummary:
    return EyeSummary(name, eye.accuracy_deg, eye.precision_rms_deg, eye.precision_sd_deg, eye.loss)
