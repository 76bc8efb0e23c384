"""One connection of the simulated tracker: its timing, its losses, and the eyes it sees."""

import math

import numpy as np
from numpy.typing import NDArray

from devices.clock import HostClock
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.samples import empty_samples
from devices.gaze.view import Affine
from devices.simulated.attention import Attention
from devices.simulated.calibration import Correction
from devices.simulated.parameters import SimulatedParameters
from devices.simulated.scanpath import ScanPath
from devices.simulated.scene import Scale
from devices.simulated.signal import IndexedNoise, Spells, displaced, mean_gap_us

LOSS_LENGTH_US = 25_000.0
NOISE_COLUMNS = 8
TRACK_BOX_MM = (400.0, 300.0, 300.0)
TRACK_BOX_DISTANCE_MM = 650.0


class Eyes:
    """The two eyes as this tracker sees them: distortion, bias, drift, pupils, head."""

    def __init__(
        self, geometry: ScreenGeometry, parameters: SimulatedParameters, rng: np.random.Generator
    ) -> None:
        self._geometry, self._p = geometry, parameters
        scale = Scale(geometry)
        self._distortions = [_distortion(scale, parameters, rng) for _ in range(2)]
        angle = rng.uniform(0, math.tau)
        self._drift_direction = np.array([math.cos(angle), math.sin(angle)])
        self._pupil_mm = rng.uniform(3.0, 4.2)
        self._phases = rng.uniform(0, math.tau, 5)

    def raw(self, true_norm: FloatArray, noise: NDArray[np.float32]) -> FloatArray:
        """Return gaze (2, N, 2) before calibration: noise, then each eye's distortion."""
        angles = np.radians(self._p.noise_deg) * noise[:, :4].astype(np.float64)
        x, y = angles[:, 0::2].T, angles[:, 1::2].T
        noisy = displaced(self._geometry, true_norm[None], x, y)
        return np.stack([m.map(noisy[eye]) for eye, m in enumerate(self._distortions)])

    def corrected(
        self, raw: FloatArray, time_us: NDArray[np.int64], corrections: list[Correction]
    ) -> FloatArray:
        """Return gaze (2, N, 2) after the calibration in force, with bias and drift."""
        starts = [c.since_us for c in corrections]
        in_force = np.searchsorted(starts, time_us, side="right") - 1
        gaze = np.empty_like(raw)
        for index in range(int(in_force[0]), int(in_force[-1]) + 1):
            a, b = np.searchsorted(in_force, (index, index + 1))
            for eye, correction in enumerate((corrections[index].left, corrections[index].right)):
                gaze[eye, a:b] = correction.map(raw[eye, a:b])
        minutes = (time_us - np.asarray(starts, np.int64)[in_force]) / 60e6
        drift = np.radians(self._p.drift_deg_per_min) * minutes
        (bias_x, bias_y), (x, y) = np.radians(self._p.bias_deg), self._drift_direction
        return displaced(self._geometry, gaze, bias_x + x * drift, bias_y + y * drift)

    def pupil_mm(self, seconds: FloatArray) -> FloatArray:
        """Return pupil diameters (N,) with their slow unrest (hippus)."""
        a, b = self._phases[:2]
        unrest = 0.10 * np.sin(1.3 * seconds + a) + 0.06 * np.sin(3.1 * seconds + b)
        diameter: FloatArray = self._pupil_mm + unrest
        return diameter

    def head_mm(self, seconds: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the place between the eyes, in the tracker's frame; the head sways a little."""
        a, b, c = self._phases[2:]
        x = 4.0 * np.sin(0.23 * seconds + a)
        y = 0.5 * self._geometry.height_mm + 3.0 * np.sin(0.17 * seconds + b)
        z = self._geometry.distance_mm + 5.0 * np.sin(0.11 * seconds + c)
        return x, y, z


class Connection:
    """One connection: its clock, its eye's path, its noise, its spells of loss."""

    def __init__(
        self,
        clock: HostClock,
        start_us: int,
        seed: np.random.SeedSequence,
        geometry: ScreenGeometry,
        parameters: SimulatedParameters,
    ) -> None:
        self.clock, self.start_us = clock, start_us
        self._geometry, self._p = geometry, parameters
        key, origin = seed.generate_state(2, np.uint64).tolist()
        self.noise = IndexedNoise(key, NOISE_COLUMNS)
        self._period_us = 1e6 / parameters.rate_hz
        self._device_start_us = int(origin % 10**12)
        self._device_rate = 1.0 + (origin % 41 - 20) * 1e-6
        path, blinks, *losses = (np.random.default_rng(s) for s in seed.spawn(5))
        self._path_rng = path
        self.blinks = self._blinks(blinks)
        shares = (parameters.loss, parameters.one_eye_loss / 2, parameters.one_eye_loss / 2)
        hidden = [self._loss(r, s) for r, s in zip(losses, shares, strict=True)]
        self._spells = (self.blinks, *hidden)
        self.unplugged_us: list[tuple[int, int | None]] = []
        self.corrections = [Correction(start_us)]
        self._next = 0
        self.forget_ahead()

    def begin(self, attention: Attention) -> None:
        """Open the eyes."""
        drift_deg = self._p.micro_drift_deg
        self.path = ScanPath(self._geometry, self._path_rng, self.start_us, attention, drift_deg)

    def forget_ahead(self) -> None:
        """Drop samples rendered ahead of their time."""
        self.ahead_from, self.ahead = 0, empty_samples(0)

    @property
    def is_plugged(self) -> bool:
        """Whether the cable is in."""
        return not self.unplugged_us or self.unplugged_us[-1][1] is not None

    @property
    def was_always_plugged(self) -> bool:
        """Whether the cable was never pulled."""
        return not self.unplugged_us

    def index_at(self, time_us: int) -> int:
        """Return how many samples have their instant at or before a time."""
        index = max(math.floor((time_us - self.start_us) / self._period_us) + 2, 0)
        while index > 0 and self.start_us + round((index - 1) * self._period_us) > time_us:
            index -= 1
        return index

    def take_due(self, until_us: int) -> tuple[int, int]:
        """Return the range of samples due and not yet taken, and take it."""
        first, self._next = self._next, max(self._next, self.index_at(until_us))
        return first, self._next

    def time_us(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the instants of samples on the host clock."""
        return self._instants(first, last, self._period_us) + self.start_us

    def device_us(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the instants on the device's clock: another origin, some ppm fast or slow."""
        period_us = self._period_us * self._device_rate
        return self._instants(first, last, period_us) + self._device_start_us

    @staticmethod
    def _instants(first: int, last: int, period_us: float) -> NDArray[np.int64]:
        instants: NDArray[np.int64] = np.rint(np.arange(first, last) * period_us).astype(np.int64)
        return instants

    def lost(self, time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return where each eye is lost (2, N)."""
        lost = np.zeros((2, len(time_us)), np.bool_)
        for spells, eyes in zip(self._spells, ((0, 1), (0, 1), (0,), (1,)), strict=True):
            for a, b in spells.ranges(time_us):
                for eye in eyes:
                    lost[eye, a:b] = True
        return lost

    def plugged(self, time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which samples (N,) were taken with the cable in."""
        plugged = np.ones(len(time_us), np.bool_)
        for start_us, end_us in self.unplugged_us:
            out = time_us >= start_us
            plugged &= ~(out if end_us is None else out & (time_us < end_us))
        return plugged

    def _blinks(self, rng: np.random.Generator) -> Spells:
        rate, mean_us = self._p.blinks_per_min, self._p.blink_us
        gap_us = max(60e6 / rate - mean_us, mean_us) if rate > 0 else math.inf
        return Spells(rng, self.start_us, gap_us, lambda r: mean_us * r.uniform(0.7, 1.3))

    def _loss(self, rng: np.random.Generator, share: float) -> Spells:
        gap_us = mean_gap_us(share, LOSS_LENGTH_US)
        return Spells(rng, self.start_us, gap_us, lambda r: LOSS_LENGTH_US * r.uniform(0.4, 1.6))


def _distortion(scale: Scale, parameters: SimulatedParameters, rng: np.random.Generator) -> Affine:
    """Draw an eye's gain about the screen's centre and its offset."""
    gain_x, gain_y = (1.0 + parameters.gain_error * rng.normal(size=2)).tolist()
    x, y = (parameters.offset_error_deg * rng.normal(size=2)).tolist()
    offset_x, offset_y = x * scale.x_norm, y * scale.y_norm
    return Affine(
        gain_x, 0, 0, gain_y, 0.5 * (1 - gain_x) + offset_x, 0.5 * (1 - gain_y) + offset_y
    )


def in_track_box(
    geometry: ScreenGeometry, x_mm: float, y_mm: float, z_mm: float
) -> tuple[float, float, float]:
    """Return a place (tracker frame, mm) in the box the tracker sees; (0.5, 0.5, 0.5) is best."""
    x = 0.5 + x_mm / TRACK_BOX_MM[0]
    y = 0.5 - (y_mm - geometry.height_mm / 2) / TRACK_BOX_MM[1]
    return x, y, 0.5 + (z_mm - TRACK_BOX_DISTANCE_MM) / TRACK_BOX_MM[2]
