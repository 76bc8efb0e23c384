"""How fixations are found: the values of both filters, checked and hashed."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Literal

Algorithm = Literal["velocity", "dispersion"]
_VERSION = 3


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
    dispersion_merge_deg
        I-DT: what counts as still in place.
    min_duration_us
        Shorter ones are dropped.
    max_delay_us
        A fixation is given out this long after its end. A loss, or a movement, that is shorter and
        after which the eye is still in place is bridged; a longer one ends the fixation.
    merge_deg
        I-VT: what counts as still in place.
    merge_noise
        Widens that by this many standard errors of the distance, by the signal's own noise.
    grow_deg
        Fast samples beside a fixation that are this near to it belong to it: smoothing smears the
        saccade over its neighbours.
    pursuit_deg_s, pursuit_deg
        The eye follows something, and does not rest, where it moves along faster and further than
        this; velocity filter only. A way of 0 deg: nothing is a pursuit.

    The velocity filter's defaults were chosen on one human coder's labels (docs/benchmarks.md).
    """

    algorithm: Algorithm = "velocity"
    velocity_deg_s: float = 28.0
    step_deg: float = 0.6
    noise_factor: float = 2.2
    window_us: int = 24_000
    noisy_window_us: int = 40_000
    dispersion_deg: float = 1.0
    dispersion_merge_deg: float = 0.3
    min_duration_us: int = 60_000
    max_delay_us: int = 50_000
    merge_deg: float = 0.2
    merge_noise: float = 2.8
    grow_deg: float = 0.2
    pursuit_deg_s: float = 4.0
    pursuit_deg: float = 1.0

    def __post_init__(self) -> None:
        if self.algorithm not in ("velocity", "dispersion"):
            raise ValueError(
                f"Fixation algorithm {self.algorithm!r}; it must be 'velocity' or 'dispersion'."
            )
        if not self.noisy_window_us >= self.window_us > 0:
            raise ValueError(
                "window_us must be above 0 and noisy_window_us at least as large, not "
                f"{self.window_us} and {self.noisy_window_us}."
            )
        for name, value in asdict(self).items():
            if name != "algorithm" and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"Fixation parameter {name} must be 0 or more, not {value}.")

    def hash(self) -> str:
        """Return 12 hexadecimal digits of algorithm, its version and values; the same for ever."""
        values = {k: v if isinstance(v, str) else float(v) for k, v in asdict(self).items()}
        text = json.dumps(values | {"version": _VERSION}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
