"""How well the simulated tracker sees, and how its reader behaves."""

from dataclasses import dataclass

from devices.errors import TrackerError
from devices.simulated.habits import FIXATION_SPREAD, MEDIAN_FIXATION_US, MISS_RATE
from devices.tracker import TrackerInfo

LOWEST_HZ, HIGHEST_HZ = 60.0, 1200.0
RATES_HZ = (60.0, 120.0, 250.0, 500.0, 1000.0, 1200.0)


@dataclass(frozen=True, slots=True)
class SimulatedParameters:
    """How well the simulated tracker sees, and how its reader behaves.

    Attributes
    ----------
    rate_hz
        60 to 1200.
    bias_deg
        (right, down): the constant error that calibration does not remove.
    noise_deg
        Standard deviation of white noise, per axis and eye.
    drift_deg_per_min
        Growth of the error since the last calibration, in a direction of the seed's choice.
    latency_us
        From the instant of a sample to its arrival.
    loss, one_eye_loss
        Shares of time in which short losses hide both eyes, or one of them.
    blinks_per_min, blink_us
        Rate and mean length of blinks; their loss comes on top.
    fixation_us, fixation_spread
        Median, and SD of the logarithm, of fixation durations.
    miss_rate
        Share of targets that one reading misses.
    micro_drift_deg
        SD of the slow drift within a fixation.
    dot_error_deg
        SD of landings about a calibration dot.
    gain_error, offset_error_deg
        SD of the distortion per eye that calibration removes.
    """

    rate_hz: float = 250.0
    bias_deg: tuple[float, float] = (0.25, -0.2)
    noise_deg: float = 0.12
    drift_deg_per_min: float = 0.02
    latency_us: int = 8_000
    loss: float = 0.01
    one_eye_loss: float = 0.005
    blinks_per_min: float = 15.0
    blink_us: float = 150_000.0
    fixation_us: float = MEDIAN_FIXATION_US
    fixation_spread: float = FIXATION_SPREAD
    miss_rate: float = MISS_RATE
    micro_drift_deg: float = 0.05
    dot_error_deg: float = 0.05
    gain_error: float = 0.04
    offset_error_deg: float = 1.5

    def __post_init__(self) -> None:
        if not LOWEST_HZ <= self.rate_hz <= HIGHEST_HZ:
            raise TrackerError(
                f"The simulated tracker runs at {LOWEST_HZ:.0f} to {HIGHEST_HZ:.0f} Hz, "
                f"not at {self.rate_hz:g} Hz."
            )
        for name in ("loss", "one_eye_loss", "miss_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise TrackerError(f"Simulated {name} must be a share of at least 0 and below 1.")


def simulated_info(rate_hz: float = SimulatedParameters().rate_hz) -> TrackerInfo:
    """Return what the catalogue shows of the simulated reader."""
    return TrackerInfo(
        id="simulated",
        kind="simulated",
        name="Simulated reader",
        model="Foveate",
        rate_hz=rate_hz,
        rates_hz=RATES_HZ,
        calibrates=True,
        has_openness=True,
        note="For trials, tests and the demo: gaze is computed, and nobody is recorded.",
    )
