"""Live gaze: the fixations of the open reading, and the figures that the strip shows.

Fixations lag the samples by a tenth of a real second. By then, every view change up to that instant
has been handed over, whatever the GUI thread was doing, so that a later computation from the raw
chunks gives the same result.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.recording.figures import GazeFigures
from app.recording.live_reading import LiveReading
from app.recording.stream_counts import last_gaze_us
from app.recording.writer import Writer, insert_into
from devices.clock import HostClock
from devices.gaze.fixations import FilterParameters, Fixation
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import Eye, SampleArray, concatenate_samples, empty_samples
from devices.gaze.view import Affine, TileView
from migrations.study.schema import Fixation as FixationRow
from migrations.study.schema import GazeEvent

_BEHIND_REAL_S = 0.1
_STEP_REAL_S = 0.2
_GIVE_UP_REAL_S = 0.6


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """What the reading strip shows; `figures` is None between readings."""

    since_valid_us: int
    figures: GazeFigures | None
    last_fixation: Fixation | None


class LiveGaze:
    """Dispatches samples to the readings they belong to and writes their fixations.

    `listen` and `tick` are for the recorder's thread; the rest is for the station's.

    Parameters
    ----------
    eye
        Which eye the point of gaze is taken from; like `correction`, it can be set between
        readings.

    Attributes
    ----------
    usual_rate_hz
        Returns the rate of the tracker, which gives the number of samples due.
    """

    def __init__(
        self,
        writer: Writer,
        clock: HostClock,
        geometry: ScreenGeometry,
        parameters: FilterParameters,
        eye: Eye = "both",
    ) -> None:
        self.eye = eye
        self.correction: Affine | None = None
        self.geometry = geometry
        self._writer, self._clock, self._parameters = writer, clock, parameters
        self.usual_rate_hz: Callable[[], float | None] = lambda: None
        self._behind_us = round(_BEHIND_REAL_S * 1e6 * clock.speed)
        self._step_us = round(_STEP_REAL_S * 1e6 * clock.speed)
        self._give_up_us = round(_GIVE_UP_REAL_S * 1e6 * clock.speed)
        self._incoming: list[SampleArray] = []
        self._done_until_us = self._arrived_us = self._valid_us = clock.now_us()
        self._readings: list[LiveReading] = []
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)

    def open(self, reading_id: str, started_us: int) -> None:
        """Begin a reading."""
        reading = LiveReading(
            reading_id,
            started_us,
            self.geometry,
            self._parameters,
            self.eye,
            self.correction,
            self.usual_rate_hz,
        )
        with self._lock:
            self._readings.append(reading)

    def show(self, view: TileView, geometry: ScreenGeometry | None = None) -> None:
        """Note what the open reading shows; `geometry` if the screen changed."""
        if geometry is not None:
            self.geometry = geometry
        self._current().show(view, geometry)

    def pause(self, now_us: int, *, begins: bool) -> None:
        """Begin or end a pause of the open reading: no gaze is due in it."""
        pauses = self._current().pauses
        (pauses.begin if begins else pauses.end)(now_us)

    def close(self, ended_us: int, on_closed: Callable[[GazeFigures], None]) -> None:
        """End the open reading; `on_closed` is called once its last sample has been seen.

        It is called on the recorder's thread after the last fixation rows have been queued.
        """
        reading = self._current()
        reading.on_closed = on_closed
        reading.ended_us = ended_us

    def settled(self, timeout_s: float) -> bool:
        """Wait until every ended reading is closed; False if that takes too long."""
        with self._settled:
            return self._settled.wait_for(
                lambda: all(reading.ended_us is None for reading in self._readings), timeout_s
            )

    def status(self) -> LiveStatus:
        """Return what the strip shows."""
        since_us = max(0, self._clock.now_us() - self._valid_us)
        reading = next((t for t in reversed(self._readings) if t.ended_us is None), None)
        if reading is None:
            return LiveStatus(since_us, None, None)
        return LiveStatus(since_us, reading.figures(), reading.last_fixation)

    def listen(self, samples: SampleArray) -> None:
        """Take fresh samples (the recorder's listener)."""
        self._incoming.append(samples)
        self._arrived_us = int(samples["host_us"][-1])
        self._valid_us = last_gaze_us(samples) or self._valid_us

    def tick(self) -> None:
        """Process the samples that are old enough (the recorder's ticker)."""
        until_us = self._clock.now_us() - self._behind_us
        if until_us - self._done_until_us >= self._step_us:
            self.advance(until_us)

    def advance(self, until_us: int, *, final: bool = False) -> None:
        """Process all samples before `until_us`; `final` if no more will come."""
        self._done_until_us = until_us
        samples = self._take(until_us)
        with self._lock:
            readings = list(self._readings)
        for reading in readings:
            self._write(reading.push(samples), reading.take_event_rows())
            reading.seen_until_us = until_us
            if self._is_over(reading, until_us) or (final and reading.ended_us is not None):
                self._finish(reading)

    def _current(self) -> LiveReading:
        return self._readings[-1]

    def _take(self, until_us: int) -> SampleArray:
        if not self._incoming:
            return empty_samples(0)
        # The list belongs to this thread: `listen` and `tick` run one after the other.
        samples = concatenate_samples(self._incoming)
        old = samples["host_us"] < until_us
        self._incoming = [] if old.all() else [samples[~old]]
        return samples[old]

    def _is_over(self, reading: LiveReading, until_us: int) -> bool:
        if reading.ended_us is None or until_us < reading.ended_us:
            return False
        # A device's samples come late: wait for the first one beyond the end, but not forever.
        return (
            self._arrived_us >= reading.ended_us or until_us - reading.ended_us > self._give_up_us
        )

    def _finish(self, reading: LiveReading) -> None:
        self._write(reading.finish(), reading.take_event_rows())
        reading.on_closed(reading.figures())
        with self._settled:
            self._readings.remove(reading)
            self._settled.notify_all()

    def _write(self, fixations: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
        for table, rows in ((FixationRow, fixations), (GazeEvent, events)):
            if rows:
                self._writer.put(insert_into(table, *rows))
