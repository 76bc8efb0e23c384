"""Earlier calibrations that may be applied again: same reader, tracker, screen and eyewear."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from devices.gaze.geometry import ScreenGeometry
from devices.tracker import TrackerInfo
from migrations.study.folder import Study
from migrations.study.schema import Calibration, Reader
from migrations.study.schema import Session as SessionRow

_MOST = 50


@dataclass(frozen=True, slots=True)
class EarlierCalibration:
    """A calibration as the tracker gave it; `made_utc` is when its session began."""

    calibration_id: str
    made_utc: str
    data: bytes


def earlier_calibration(
    study: Study, pseudonym: str, info: TrackerInfo, geometry: ScreenGeometry, eyewear: str
) -> EarlierCalibration | None:
    """Return the reader's latest calibration that fits; None where there is none."""
    query = (
        select(Calibration, SessionRow)
        .join(SessionRow, SessionRow.id == Calibration.session_id)
        .join(Reader, Reader.id == SessionRow.reader_id)
        .where(
            Reader.pseudonym == pseudonym,
            Calibration.kind == "calibration",
            Calibration.status.in_(("success", "re-applied")),
            Calibration.device_data.is_not(None),
            SessionRow.tracker_id == info.id,
            SessionRow.tracker_serial == info.serial,
        )
        .order_by(Calibration.id.desc())
        .limit(_MOST)
    )
    with study.database.read() as session:
        for calibration, sitting in session.execute(query):
            same_glasses = sitting.details.get("eyewear", "") == eyewear
            if same_glasses and _is_same_screen(sitting.screen, geometry):
                data = bytes(calibration.device_data or b"")
                return EarlierCalibration(calibration.id, sitting.started_utc, data)
    return None


def _is_same_screen(stored: dict[str, Any], geometry: ScreenGeometry) -> bool:
    names = ("name", "width_mm", "height_mm", "width_screen", "height_screen")
    return all(stored.get(name) == getattr(geometry, name) for name in names)
