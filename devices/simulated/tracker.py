"""The simulated reader: a tracker whose true gaze is known.

An eye with a scan path (`scanpath`, `attention`) is seen by a tracker with bias, noise, drift,
latency, blinks and loss (`simulated_signal`), which has to be calibrated (`simulated_calibration`).
Seeds repeat bit for bit, whatever the rhythm of reading.
"""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from devices.clock import HostClock
from devices.errors import CalibrationError, TrackerError
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.samples import SAMPLE_DTYPE, SampleArray, empty_samples
from devices.gaze.view import Affine
from devices.simulated.attention import Attention, Dot, Reading, Wander
from devices.simulated.calibration import Correction, SimulatedCalibrator, as_bytes, from_bytes
from devices.simulated.connection import Connection, Eyes, in_track_box
from devices.simulated.habits import Habits
from devices.simulated.parameters import SimulatedParameters, simulated_info
from devices.simulated.render import HALF_BETWEEN_EYES_MM, fill_eyes, hide
from devices.simulated.scanpath import TrueFixation
from devices.simulated.scene import Scale, Stimulus
from devices.tracker import ClockOffset, DeviceEvent, DisplayArea, UserPosition

BATCH = 20_000
_NOTHING = empty_samples(0)


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
        p = self.parameters
        self._eyes = Eyes(geometry, p, np.random.default_rng([seed, 1]))
        self._habits = Habits.of_reader(
            np.random.default_rng([seed, 3]), p.fixation_us, p.fixation_spread, p.miss_rate
        )
        self._attend_from: Callable[[int], Attention] = self._wander
        self._attention: Attention = self._wander(0)
        self._run: Connection | None = None
        self._connections = 0
        self._events: list[DeviceEvent] = []

    # -- Tracker

    def connect(self, clock: HostClock) -> None:
        """Start the stream at the clock's current time; a second call restarts it."""
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

    def user_position(self) -> UserPosition | None:
        """Return where the swaying head is now; None while the cable is out."""
        with self._lock:
            run = self._run
            if run is None or not run.is_plugged:
                return None
            now_us = run.clock.now_us()
            is_lost = run.lost(np.array([now_us]))[:, 0]
            head_mm = self._eyes.head_mm(np.array([(now_us - run.start_us) / 1e6]))
        x, y, z = (float(axis[0]) for axis in head_mm)
        places = [
            None if lost else in_track_box(self._geometry, x + side * HALF_BETWEEN_EYES_MM, y, z)
            for lost, side in zip(is_lost, (-1, 1), strict=True)
        ]
        return UserPosition(now_us, places[0], places[1], None if all(is_lost) else z)

    def calibration_data(self) -> bytes:
        """Return the calibration in force."""
        with self._lock:
            last = self._require_run().corrections[-1]
            return as_bytes(last.left, last.right)

    def apply_calibration(self, data: bytes) -> None:
        """Apply a stored calibration from now on."""
        self.correct(*from_bytes(data))

    def clock_offset(self) -> ClockOffset | None:
        """Return the offset of the device's clock; known exactly."""
        with self._lock:
            run = self._run
            if run is None:
                return None
            index = run.index_at(run.clock.now_us())
            device_us = int(run.device_us(index, index + 1)[0])
            return ClockOffset(float(run.time_us(index, index + 1)[0] - device_us), 0.0, 0.0)

    def display_area(self) -> DisplayArea:
        """Return the size of the simulated screen."""
        return DisplayArea(self._geometry.width_mm, self._geometry.height_mm)

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
        """Reconnect the cable."""
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
                    "The simulated tracker was disconnected while a target was being collected. "
                    "Reconnect it and collect the target again."
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
            raise TrackerError("The simulated tracker is not connected. Connect it first.")
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
        fill_eyes(samples, gaze, noise, self._eyes, (time_us - run.start_us) / 1e6)
        hide(samples, run.lost(time_us), run.blinks.depth(time_us))
        return samples


def _wait_until(clock: HostClock, time_us: int) -> None:
    """Sleep until the clock shows a time; CalibrationError if it stands still."""
    give_up = time.monotonic() + 5.0 + 2.0 * clock.real_seconds(max(time_us - clock.now_us(), 0))
    while (left_us := time_us - clock.now_us()) > 0:
        if time.monotonic() > give_up:
            raise CalibrationError("The clock has stopped, so the target could not be collected.")
        time.sleep(min(max(clock.real_seconds(left_us), 0.0005), 0.05))
