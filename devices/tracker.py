"""The tracker protocol: what every device, real or simulated, offers the recorder.

The recorder thread polls `read`; drivers that call back only append to a queue of their own. No
method but `connect` and those of the calibrator may block.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from devices.clock import HostClock
from devices.samples import SampleArray

EventKind = Literal["lost", "restored", "gap", "fault", "overflow", "clock_reset", "display_area"]


@dataclass(frozen=True, slots=True)
class TrackerInfo:
    """What the catalogue knows of a tracker before it is opened.

    Attributes
    ----------
    id
        Stable name to select it by, e.g. "simulated", "lsl:tobii-4c", "tobii:TX300-0123".
    kind
        simulated, lsl, tobii, replay or mouse.
    rate_hz
        Nominal rate; None where the stream does not say or cannot be trusted.
    rates_hz
        Rates that can be chosen.
    calibrates
        Whether Foveate calibrates it; else its own software does and Foveate validates only.
    """

    id: str
    kind: str
    name: str
    model: str = ""
    serial: str = ""
    rate_hz: float | None = None
    rates_hz: tuple[float, ...] = ()
    calibrates: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """Something the device says beside samples; `time_us` is the host clock."""

    time_us: int
    kind: EventKind
    detail: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PointResult:
    """How the collection of one calibration target went, per eye."""

    x_norm: float
    y_norm: float
    left_ok: bool
    right_ok: bool


@dataclass(frozen=True, slots=True)
class CalibrationOutcome:
    """Result of a computed and applied calibration."""

    status: Literal["success", "left_only", "right_only", "failure"]
    points: tuple[PointResult, ...] = ()
    device_data: bytes | None = None


class Calibrator(Protocol):
    """Screen-based calibration as trackers do it; each call may block, so use a worker."""

    def enter(self) -> None:
        """Enter calibration mode."""

    def collect(self, x_norm: float, y_norm: float) -> PointResult:
        """Collect data while the reader looks at a target."""

    def discard(self, x_norm: float, y_norm: float) -> None:
        """Throw away what was collected at a target, to collect it again."""

    def compute(self) -> CalibrationOutcome:
        """Compute the calibration and apply it."""

    def leave(self) -> None:
        """Leave calibration mode."""


class Tracker(Protocol):
    """A source of gaze.

    Attributes
    ----------
    info
        What it is.
    """

    info: TrackerInfo

    def connect(self, clock: HostClock) -> None:
        """Open the device and start its stream; times are given on `clock`.

        Raises
        ------
        TrackerError
            If it cannot be opened; the message names the device and the way out.
        """

    def disconnect(self) -> None:
        """Stop the stream and close the device; safe to call twice."""

    def read(self) -> SampleArray:
        """Return, without blocking, all samples since the last call, in order of time."""

    def events(self) -> list[DeviceEvent]:
        """Return, without blocking, all events since the last call."""

    def calibrator(self) -> Calibrator | None:
        """Return the means to calibrate it, None where its own software does that."""
