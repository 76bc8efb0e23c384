"""What is known about the screen used for reading, besides what the monitor reports.

Stored in the user's configuration folder, one entry per screen; each session stores a copy.
"""

import json
import logging
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any

from app.errors import AppError
from app.remarks import Sentence
from devices.gaze.geometry import ScreenGeometry
from migrations.study.this_computer import config_folder
from migrations.study.unwritable import unwritable_text

log = logging.getLogger(__name__)

CARD_MM = (85.60, 53.98)
"""A bank card (ISO/IEC 7810 ID-1)."""
_AGREES = 0.02
_OLD_DAYS = 365
_SCALING = "The scaling was {before} when the station was set up and is {now} now."
_REFRESH = "The refresh rate was {before} Hz when the station was set up and is {now} Hz now."


@dataclass(frozen=True, slots=True)
class StationSetup:
    """One screen as its users described it; empty and None where they did not.

    Attributes
    ----------
    width_mm, height_mm
        Visible size, measured with a bank card on the screen.
    card_checked_on, calibrated_on
        ISO dates: of that measurement, and of the monitor's last calibration.
    monitor
        Make and model.
    luminance_cd_m2, room_light_lux
        White point of the monitor, light at the workplace.
    night_light_off, hdr_off
        Whether the user checked and found them off.
    device_pixel_ratio, refresh_hz
        As they were at the set-up.
    """

    width_mm: float | None = None
    height_mm: float | None = None
    card_checked_on: str = ""
    monitor: str = ""
    calibrated_on: str = ""
    luminance_cd_m2: float | None = None
    room_light_lux: float | None = None
    night_light_off: bool = False
    hdr_off: bool = False
    device_pixel_ratio: float | None = None
    refresh_hz: float | None = None

    def applied(self, geometry: ScreenGeometry) -> ScreenGeometry:
        """Return a screen with the measured millimetres."""
        if self.width_mm is None or self.height_mm is None:
            return geometry
        return replace(geometry, width_mm=self.width_mm, height_mm=self.height_mm)


def size_from_card(card_width_view: float, geometry: ScreenGeometry) -> tuple[float, float]:
    """Return a screen's size in mm from how wide a bank card is on it, in `_view` pixels."""
    pixel_mm = CARD_MM[0] / card_width_view
    return geometry.width_screen * pixel_mm, geometry.height_screen * pixel_mm


def card_width_view(geometry: ScreenGeometry) -> float:
    """Return how wide a bank card is on a screen, in `_view` pixels."""
    return CARD_MM[0] * geometry.width_screen / geometry.width_mm


def warnings_of(
    setup: StationSetup,
    geometry: ScreenGeometry,
    *,
    night_light: bool | None = None,
    tracker_mm: tuple[float, float] | None = None,
    today: date | None = None,
) -> list[Sentence]:
    """Return the reasons not to trust this screen, the most serious first.

    Parameters
    ----------
    geometry
        What the monitor reports now.
    night_light
        Whether the system tints the screen; None if it does not reveal it.
    tracker_mm
        Width and height of the tracker's display area.
    """
    return [
        warning
        for warning in (
            _size_warning(setup, geometry, tracker_mm),
            Sentence("Night light tints the screen. Turn it off.") if night_light else None,
            _changed(_SCALING, setup.device_pixel_ratio, geometry.device_pixel_ratio),
            _changed(_REFRESH, setup.refresh_hz, geometry.refresh_hz),
            None if night_light is False or setup.night_light_off
            else Sentence("It has not been confirmed that night light is off."),
            None if setup.hdr_off else Sentence("It has not been confirmed that HDR is off."),
            _age_warning(setup.calibrated_on, today or date.today()),
        )
        if warning is not None
    ]  # fmt: skip


def load_setup(screen_name: str) -> StationSetup:
    """Return what was entered about a screen; an empty set-up if nothing readable exists."""
    entry = _read().get(screen_name, {})
    known = {f.name for f in fields(StationSetup)}
    try:
        return StationSetup(**{k: v for k, v in entry.items() if k in known})
    except (TypeError, AttributeError):
        return StationSetup()


def save_setup(screen_name: str, setup: StationSetup) -> None:
    """Store what was entered about a screen.

    Raises
    ------
    AppError
        If the file cannot be written.
    """
    path = config_folder() / "station.json"
    table = _read() | {screen_name: asdict(setup)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(table, indent=1), encoding="utf-8")
    except OSError as error:
        raise AppError(unwritable_text(path, error)) from error


def _read() -> dict[str, Any]:
    path = config_folder() / "station.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        log.warning("The station's set-up cannot be read.", exc_info=True)
        return {}
    return table if isinstance(table, dict) else {}


def _size_warning(
    setup: StationSetup, geometry: ScreenGeometry, tracker_mm: tuple[float, float] | None
) -> Sentence | None:
    if setup.width_mm is None or setup.height_mm is None:
        return Sentence(
            "The screen was not measured with a bank card: degrees use the size that the monitor "
            "reports."
        )
    own = (setup.width_mm, setup.height_mm)
    if tracker_mm is not None and not _alike(own, tracker_mm):
        return Sentence(
            "The tracker assumes a screen of {assumed} mm, but {measured} mm was measured. Set "
            "the tracker's display area again.",
            {"assumed": _size(tracker_mm), "measured": _size(own)},
        )
    reported = (geometry.width_mm, geometry.height_mm)
    if not _alike(own, reported):
        return Sentence(
            "The monitor reports {reported} mm, but {measured} mm was measured; the measured size "
            "is used.",
            {"reported": _size(reported), "measured": _size(own)},
        )
    return None


def _size(size_mm: tuple[float, float]) -> str:
    return f"{size_mm[0]:.0f} × {size_mm[1]:.0f}"


def _alike(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return all(abs(x - y) <= _AGREES * max(x, y) for x, y in zip(a, b, strict=True))


def _changed(text: str, before: float | None, now: float) -> Sentence | None:
    if before is None or abs(before - now) < 0.01 * max(before, 1.0):
        return None
    return Sentence(text, {"before": f"{before:g}", "now": f"{now:g}"})


def _age_warning(calibrated_on: str, today: date) -> Sentence | None:
    if not calibrated_on:
        return Sentence("The monitor's calibration date is not entered.")
    days = (today - date.fromisoformat(calibrated_on)).days
    if days <= _OLD_DAYS:
        return None
    return Sentence("The monitor was calibrated {days} days ago.", {"days": days})
