"""The tracker protocol: what every device, real or simulated, offers the recorder.

The recorder thread polls `read`; drivers that call back only append to a queue of their own. No
method but `connect` and those of the calibrator may block.

Beside `Tracker`, some devices offer more; ask with `isinstance(tracker, PositionGuide)` and the
like: `PositionGuide` (where the head is), `KeepsCalibration` (a calibration saved and applied
again), `TellsClock` (offset of its clock and the age of that figure), `TellsDisplayArea`. A
calibrator that is a `PlansTargets` must know all targets before it enters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from devices.clock import HostClock
from devices.gaze.samples import SampleArray

EventKind = Literal[
    "lost",
    "restored",
    "gap",
    "fault",
    "overflow",
    "clock_reset",
    "clock_drift",
    "late",
    "rate_change",
    "equal_stamps",
    "layout_change",
    "display_area",
]
"""What a device can say beside samples; docs/reliability.md tells what each means."""


@dataclass(frozen=True, slots=True)
class TrackerInfo:
    """What the catalogue knows of a tracker before it is opened.

    Attributes
    ----------
    id
        Stable name to select it by, e.g. "simulated", "lsl:tobii-4c", "tobii:TX300-0123",
        "gazepoint:18050123".
    kind
        simulated, lsl, tobii, gazepoint, replay or mouse.
    rate_hz
        Nominal rate; None where the stream does not say or cannot be trusted.
    rates_hz
        Rates that can be chosen.
    calibrates
        Whether Foveate calibrates it; else its own software does and Foveate validates only.
    has_openness
        Whether its samples carry the opening of the lids.
    """

    id: str
    kind: str
    name: str
    model: str = ""
    serial: str = ""
    rate_hz: float | None = None
    rates_hz: tuple[float, ...] = ()
    calibrates: bool = False
    has_openness: bool = False
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


@dataclass(frozen=True, slots=True)
class UserPosition:
    """Where the reader's eyes are before the tracker.

    Attributes
    ----------
    time_us
        Host clock, when it was heard.
    left, right
        (x, y, z) in the box the tracker can see, each 0 to 1 and best at 0.5: x from the reader's
        left to right, y from top to bottom, z from near to far. None where an eye is not seen.
    distance_mm
        From the eyes to the tracker; None where it does not say.
    """

    time_us: int
    left: tuple[float, float, float] | None
    right: tuple[float, float, float] | None
    distance_mm: float | None = None


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Offset from the device's (or sender's) clock to the host's.

    Attributes
    ----------
    offset_us
        To be added to the device's time.
    age_s
        Seconds since it was measured.
    uncertainty_us
        Half the time the measurement took; None where unknown.
    """

    offset_us: float
    age_s: float
    uncertainty_us: float | None = None


@dataclass(frozen=True, slots=True)
class DisplayArea:
    """The tracked screen as the tracker was told of it."""

    width_mm: float
    height_mm: float


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


@runtime_checkable
class PlansTargets(Protocol):
    """A calibrator that goes through all targets in one go, and so can repeat no single one."""

    def plan(self, targets: Sequence[tuple[float, float]]) -> None:
        """Take the targets (`_norm`) in the order of their collection; before `enter`."""


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


@runtime_checkable
class PositionGuide(Protocol):
    """A tracker that tells where the head is, calibrated or not."""

    def user_position(self) -> UserPosition | None:
        """Return, without blocking, where the eyes were last; None before the first answer."""


@runtime_checkable
class KeepsCalibration(Protocol):
    """A tracker whose calibration can be stored and applied again; both calls may block."""

    def calibration_data(self) -> bytes:
        """Return the calibration in force.

        Raises
        ------
        CalibrationError
            If there is none, or the tracker does not give it.
        """

    def apply_calibration(self, data: bytes) -> None:
        """Apply what `calibration_data` (or `CalibrationOutcome.device_data`) gave.

        Raises
        ------
        CalibrationError
            If the data is not of this kind of tracker, or it refuses.
        """


@runtime_checkable
class TellsClock(Protocol):
    """A tracker whose own clock is paired with the host's."""

    def clock_offset(self) -> ClockOffset | None:
        """Return the offset in use; None before the first measurement."""


@runtime_checkable
class TellsDisplayArea(Protocol):
    """A tracker that knows the size of the screen it is mounted on."""

    def display_area(self) -> DisplayArea | None:
        """Return the screen's size; None where it was not set up."""
