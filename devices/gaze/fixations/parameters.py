"""How fixations are found: the values of both filters, checked and hashed."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Literal

Algorithm = Literal["velocity", "dispersion"]
_VERSION = 2


@dataclass(frozen=True, slots=True)
class FilterParameters:
    """How fixations are found; stored with each of them by `hash`.

    Attributes
    ----------
    algorithm
        "velocity" (I-VT) or "dispersion" (I-DT).
    velocity_deg_s
        Slower is fixation.
    step_deg
        Lowers that threshold where the window is so wide that a saccade this large would be slower.
    noise_factor
        Raises it to this many standard deviations (per axis) of the velocity's own noise.
    window_us, noisy_window_us
        Width of the window velocities are fitted in, and its width for a noisy signal.
    dispersion_deg
        I-DT: the largest dispersion of a fixation.
    min_duration_us
        Shorter ones are dropped.
    max_delay_us
        A fixation is given out this long after its end. A loss, or a movement, that is shorter and
        after which the eye is still in place is bridged; a longer one ends the fixation.
    merge_deg
        What counts as still in place.
    grow_deg
        Fast samples beside a fixation that are this near to it belong to it: smoothing smears the
        saccade over its neighbours.
    """

    algorithm: Algorithm = "velocity"
    velocity_deg_s: float = 30.0
    step_deg: float = 0.6
    noise_factor: float = 2.2
    window_us: int = 20_000
    noisy_window_us: int = 50_000
    dispersion_deg: float = 1.0
    min_duration_us: int = 60_000
    max_delay_us: int = 50_000
    merge_deg: float = 0.3
    grow_deg: float = 0.4

    def __post_init__(self) -> None:
        if self.algorithm not in ("velocity", "dispersion"):
            raise ValueError(
                f"Fixation algorithm {self.algorithm!r}; known are 'velocity' and 'dispersion'."
            )
        if not self.noisy_window_us >= self.window_us > 0:
            raise ValueError(
                f"noisy_window_us must be at least window_us, and that above 0, "
                f"not {self.noisy_window_us} and {self.window_us}."
            )
        for name, value in asdict(self).items():
            if name != "algorithm" and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"Fixation parameter {name} must be 0 or more, not {value}.")

    def hash(self) -> str:
        """Return 12 hexadecimal digits of algorithm, its version and values; the same for ever."""
        values = {k: v if isinstance(v, str) else float(v) for k, v in asdict(self).items()}
        text = json.dumps(values | {"version": _VERSION}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
