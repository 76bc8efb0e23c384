"""The simulated reader: a tracker whose truth is known.

An eye with a scan path (`scanpath`, `attention`) is seen by a tracker with bias, noise, drift,
latency, blinks and loss (`simulated_signal`), which has to be calibrated (`simulated_calibration`).
Seeds repeat bit for bit, whatever the rhythm of reading.
"""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from devices.attention import Attention, Dot, Habits, Reading, Scale, Stimulus, Target, Wander
from devices.clock import HostClock
from devices.errors import CalibrationError, TrackerError
from devices.geometry import FloatArray, ScreenGeometry
from devices.samples import SAMPLE_DTYPE, VALUE_FIELDS, SampleArray, empty_samples
from devices.scanpath import TrueFixation
from devices.simulated_calibration import Correction, SimulatedCalibrator
from devices.simulated_connection import Connection, Eyes
from devices.simulated_parameters import SimulatedParameters, simulated_info
from devices.tracker import DeviceEvent
from devices.view import Affine

__all__ = [
    "SimulatedParameters",
    "SimulatedTracker",
    "Stimulus",
    "Target",
    "TrueFixation",
    "simulated_info",
]

BATCH = 20_000
OPENNESS_MM = 10.0
_NOTHING = empty_samples(0)
HALF_BETWEEN_EYES_MM = 31.5
_GAZE_FIELDS = {
    eye: [n for n in VALUE_FIELDS if n.startswith(eye) and "openness" not in n]
    for eye in ("left", "right")
}


class SimulatedTracker:
    """A `Tracker` with a reader in front of it; every method is safe from any thread.

    Parameters
    ----------
    geometry
        Of the screen read from.
    parameters
        Quality of the tracker, habits of the reader.
    seed
        Same seed and same commands at the same times give the same samples bit for bit; another
        seed is another reader.
    """

    def __init__(
        self,
        geometry: ScreenGeometry,
        parameters: SimulatedParameters | None = None,
        seed: int = 0,
    ) -> None:
        self.parameters = parameters or SimulatedParameters()
        self.info = simulated_info(self.parameters.rate_hz)
        self._geometry, self._seed = geometry, seed
        self._lock = threading.RLock()
        self._scale = Scale(geometry)
        person = np.random.default_rng([seed, 1])
        p = self.parameters
        self._habits = Habits.of_reader(person, p.fixation_us, p.fixation_spread)
        self._eyes = Eyes(geometry, p, person)
        self._attend_from: Callable[[int], Attention] = self._wander
        self._attention: Attention = self._wander(0)
        self._run: Connection | None = None
        self._connections = 0
        self._events: list[DeviceEvent] = []

    # -- Tracker

    def connect(self, clock: HostClock) -> None:
        """Start the stream at the clock's present time; a second call starts anew."""
        with self._lock:
            start_us = clock.now_us()
            self._attention = self._attend_from(start_us)
            seed = np.random.SeedSequence([self._seed, 2, self._connections])
            self._run = Connection(clock, start_us, seed, self._geometry, self.parameters)
            self._run.begin(self._attention)
            self._connections += 1

    def disconnect(self) -> None:
        """Stop the stream; samples not yet read are gone."""
        with self._lock:
            self._run = None

    def read(self) -> SampleArray:
        """Return the samples due by now."""
        with self._lock:
            run = self._run
            if run is None:
                return empty_samples(0)
            now_us = run.clock.now_us()
            run.path.advance(now_us)
            first, last = run.take_due(now_us - self.parameters.latency_us)
            pieces = list(self._pieces(run, first, last)) or [_NOTHING]
            samples = np.concatenate(pieces) if len(pieces) > 1 else pieces[0].copy()
            return samples if run.was_always_plugged else samples[run.plugged(samples["host_us"])]

    def events(self) -> list[DeviceEvent]:
        """Return events since the last call: cable pulled, cable back."""
        with self._lock:
            events, self._events = self._events, []
            return events

    def calibrator(self) -> SimulatedCalibrator:
        """Return its calibrator."""
        return SimulatedCalibrator(self)

    # -- the reader

    def fixate(self, x_norm: float, y_norm: float) -> None:
        """Let the reader look at a dot, after a reaction time, until told otherwise."""
        error_deg = self.parameters.dot_error_deg
        self._turn_to(lambda _: Dot(self._scale, x_norm, y_norm, error_deg))

    def attend(self, stimulus: Stimulus | None) -> None:
        """Let the reader read a picture, or nothing; from the next saccade on."""
        if stimulus is None:
            self._turn_to(self._wander)
        else:
            self._turn_to(self._reading(stimulus))

    def move(self, to_norm: Affine) -> None:
        """Say that the picture moved under the eye, which stays until its next saccade."""
        with self._lock:
            if self._run is not None:
                self._run.path.advance(self._run.clock.now_us())
            if isinstance(self._attention, Reading):
                self._attention.move(to_norm)
                self._attend_from = self._reading(self._attention.stimulus)

    def truth(self) -> list[TrueFixation]:
        """Return the true fixations since connection, the last cut at the present time."""
        with self._lock:
            if self._run is None:
                return []
            now_us = self._run.clock.now_us()
            self._run.path.advance(now_us)
            return self._run.path.fixations(now_us)

    def true_gaze_norm(self, time_us: ArrayLike) -> FloatArray:
        """Return where the eye truly pointed (N, 2) at ascending past times of the connection."""
        times = np.asarray(time_us, np.int64).reshape(-1)
        with self._lock:
            run = self._require_run()
            run.path.advance(run.clock.now_us())
            return run.path.gaze_norm(times)

    def unplug(self) -> None:
        """Pull the cable: no samples from now on."""
        with self._lock:
            run = self._require_run()
            if not run.is_plugged:
                return
            now_us = run.clock.now_us()
            run.unplugged_us.append((now_us, None))
            self._events.append(DeviceEvent(now_us, "lost", "The cable was pulled."))

    def plug(self) -> None:
        """Put the cable back."""
        with self._lock:
            run = self._require_run()
            if run.is_plugged:
                return
            now_us, since_us = run.clock.now_us(), run.unplugged_us[-1][0]
            run.unplugged_us[-1] = (since_us, now_us)
            data = {"gap_us": now_us - since_us}
            self._events.append(DeviceEvent(now_us, "restored", "The cable is back.", data))

    # -- for the calibrator

    def raw_gaze(self, length_us: int) -> FloatArray:
        """Wait `length_us` and return what was seen (2, N, 2), uncorrected, NaN where lost."""
        with self._lock:
            run = self._require_run()
            start_us = run.clock.now_us()
        _wait_until(run.clock, start_us + length_us)
        with self._lock:
            if self._run is not run or not run.is_plugged:
                raise CalibrationError(
                    "The simulated tracker went away while a target was collected; "
                    "plug it in and collect the target again."
                )
            run.path.advance(start_us + length_us)
            first, last = run.index_at(start_us - 1), run.index_at(start_us + length_us)
            time_us = run.time_us(first, last)
            raw = self._eyes.raw(run.path.gaze_norm(time_us), run.noise.rows(first, last))
            raw[run.lost(time_us)] = np.nan
            return raw

    def correct(self, left: Affine | None, right: Affine | None) -> None:
        """Apply a calibration from now on; None leaves an eye as it was."""
        with self._lock:
            run = self._require_run()
            last = run.corrections[-1]
            correction = Correction(run.clock.now_us(), left or last.left, right or last.right)
            run.corrections.append(correction)
            run.forget_ahead()

    # -- inside

    def _turn_to(self, make: Callable[[int], Attention]) -> None:
        with self._lock:
            self._attend_from = make
            if self._run is not None:
                now_us = self._run.clock.now_us()
                self._attention = make(now_us)
                self._run.path.turn_to(self._attention, now_us)
                self._run.forget_ahead()

    def _wander(self, now_us: int) -> Attention:
        return Wander(self._scale, self._habits)

    def _reading(self, stimulus: Stimulus) -> Callable[[int], Attention]:
        return lambda now_us: Reading(self._scale, self._habits, stimulus, now_us)

    def _require_run(self) -> Connection:
        if self._run is None:
            raise TrackerError("The simulated tracker is not connected; connect it first.")
        return self._run

    def _pieces(self, run: Connection, first: int, last: int) -> Iterator[SampleArray]:
        """Yield samples `first` up to `last` in pieces.

        Rendered to the end of the movement under way, so that frequent reading stays cheap; a
        command that changes what is to come makes the connection forget the rest.
        """
        while first < last:
            if not run.ahead_from <= first < run.ahead_from + len(run.ahead):
                known = run.index_at(run.path.planned_to_us - 1)
                run.ahead = self._samples(run, first, min(max(last, known), first + BATCH))
                run.ahead_from = first
            start = first - run.ahead_from
            piece = run.ahead[start : start + last - first]
            first += len(piece)
            yield piece

    def _samples(self, run: Connection, first: int, last: int) -> SampleArray:
        """Return samples `first` up to `last` as if the cable were in."""
        time_us, noise = run.time_us(first, last), run.noise.rows(first, last)
        gaze = self._eyes.raw(run.path.gaze_norm(time_us), noise)
        gaze = self._eyes.corrected(gaze, time_us, run.corrections)
        samples = np.empty(last - first, SAMPLE_DTYPE)
        samples["host_us"] = time_us
        samples["device_us"] = run.device_us(first, last)
        self._fill_eyes(samples, gaze, noise, (time_us - run.start_us) / 1e6)
        _hide(samples, run.lost(time_us), run.blinks.depth(time_us))
        return samples

    def _fill_eyes(
        self,
        samples: SampleArray,
        gaze_norm: FloatArray,
        noise: NDArray[np.float32],
        seconds: FloatArray,
    ) -> None:
        pupil_mm = self._eyes.pupil_mm(seconds)
        x, y, z = self._eyes.head_mm(seconds)
        for eye, side, column in (("left", -1, 0), ("right", 1, 1)):
            samples[f"{eye}_x_norm"] = gaze_norm[column, :, 0]
            samples[f"{eye}_y_norm"] = gaze_norm[column, :, 1]
            samples[f"{eye}_pupil_mm"] = pupil_mm + (0.04 * side) + 0.02 * noise[:, 4 + column]
            samples[f"{eye}_origin_x_mm"] = x + (side * HALF_BETWEEN_EYES_MM) + 0.2 * noise[:, 6]
            samples[f"{eye}_origin_y_mm"] = y + 0.2 * noise[:, 7]
            samples[f"{eye}_origin_z_mm"] = z


def _hide(samples: SampleArray, lost: NDArray[np.bool_], lids: FloatArray) -> None:
    """Take away what a lost eye (2, N) cannot show, and close the lids in blinks."""
    openness = OPENNESS_MM * np.maximum(1.0 - 2.0 * lids, 0.0)
    for eye, gone in zip(("left", "right"), lost, strict=True):
        samples[f"{eye}_openness_mm"] = openness
        if gone.any():
            samples[f"{eye}_openness_mm"][gone & (lids == 0)] = np.nan
            for name in _GAZE_FIELDS[eye]:
                samples[name][gone] = np.nan


def _wait_until(clock: HostClock, time_us: int) -> None:
    """Sleep until the clock shows a time; CalibrationError if it stands still."""
    give_up = time.monotonic() + 5.0 + 2.0 * clock.real_seconds(max(time_us - clock.now_us(), 0))
    while (left_us := time_us - clock.now_us()) > 0:
        if time.monotonic() > give_up:
            raise CalibrationError("The clock stands still; the target could not be collected.")
        time.sleep(min(max(clock.real_seconds(left_us), 0.0005), 0.05))
