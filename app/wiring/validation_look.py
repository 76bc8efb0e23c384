"""A validation as the calibration page shows it."""

from app.pages.calibration import ValidationLook
from app.reading.validation import ValidationResult
from app.widgets.offsets import TargetOffset
from devices.geometry import ScreenGeometry
from devices.quality import TargetQuality
from migrations.settings import StudySettings

_SOURCES = {
    "assumed": "The distance of {:.0f} mm is assumed: degrees are only as good as it is.",
    "taped": "The distance of {:.0f} mm was measured by hand.",
    "tracker": "The distance of {:.0f} mm is the tracker's.",
}


def validation_look(
    result: ValidationResult, geometry: ScreenGeometry, settings: StudySettings
) -> ValidationLook:
    """Return what the page shows of a validation."""
    v = result.validation
    limit_deg = settings.max_accuracy_deg
    right, down = geometry.deg_to_norm([(limit_deg, limit_deg)])[0].tolist()
    return ValidationLook(
        offsets=tuple(_offset(target) for target in v.targets),
        aspect=geometry.width_screen / geometry.height_screen,
        limit_norm=(right - 0.5, down - 0.5),
        accuracy_deg=v.both.accuracy_deg,
        accuracy_left_deg=v.left.accuracy_deg,
        accuracy_right_deg=v.right.accuracy_deg,
        precision_deg=v.both.precision_rms_deg,
        loss=v.both.loss,
        max_accuracy_deg=settings.max_accuracy_deg,
        max_loss=settings.max_loss,
        distance_note=_SOURCES[geometry.distance_source].format(geometry.distance_mm),
    )


def _offset(target: TargetQuality) -> TargetOffset:
    x, y = target.gaze_x_norm, target.gaze_y_norm
    gaze = None if x is None or y is None else (x, y)
    return TargetOffset((target.x_norm, target.y_norm), gaze, target.both.accuracy_deg)
