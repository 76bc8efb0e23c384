"""The thread that pulls one LSL stream: its layout, clock, silences and return."""

import logging
import threading
import time
from collections import deque
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from devices.clock import HostClock
from devices.errors import AmbiguousStream, StreamLayoutError, TrackerError, TrackerNotFound
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.samples import SampleArray, gaze_norm
from devices.lsl.channels import layout_of
from devices.lsl.identity import meant, uid_in
from devices.lsl.layouts import ENOUGH_TO_JUDGE, Layout
from devices.lsl.mapping import mapping_for, mapping_path
from devices.lsl.stamps import StampClock
from devices.lsl.streams import channels_of, resolve
from devices.tracker import DeviceEvent, EventKind, TrackerInfo

BUFFER_S = 360
POLL_S = 0.01
REFRESH_S = 5.0
SILENCE_S = 1.0
LOOK_S = 3.0
RATE_WINDOW_S = 5.0
MAX_CHUNK = 4096

_log = logging.getLogger(__name__)


class Feed:
    """The thread that pulls one stream into the tracker's queues."""

    def __init__(
        self,
        pylsl: ModuleType,
        info: TrackerInfo,
        geometry: ScreenGeometry | None,
        clock: HostClock,
        samples: deque[SampleArray],
        events: deque[DeviceEvent],
    ) -> None:
        self._pylsl, self._info, self._geometry, self._clock = pylsl, info, geometry, clock
        self._samples, self._events = samples, events
        self._stamps = StampClock(clock, pylsl.local_clock)
        self._stop, self._was_judged = threading.Event(), threading.Event()
        self._contradiction: str | None = None
        self._uid = ""
        self._place: str | None = None
        self._refused, self._is_again = "", False
        self._looked_s = time.monotonic()
        self._unjudged: list[FloatArray] = []
        self._recent: deque[tuple[float, int]] = deque()
        self._is_silent = False
        self._last_host_us: int | None = None
        self._arrived_s = self._refreshed_s = time.monotonic()
        self._thread = threading.Thread(target=self._work, name=info.id, daemon=True)

    def open(self, timeout_s: float) -> None:
        """Find the stream, read its layout and subscribe to it."""
        stream = self._found(timeout_s)
        if stream is None:
            raise TrackerNotFound(
                f'LSL stream "{self._info.name}" ({self._info.id}) is not there. Start its '
                "sender on this computer, or allow the network for senders elsewhere."
            )
        try:
            # liblsl would go on with whatever calls itself the same, and with the old layout.
            inlet: Any = self._pylsl.StreamInlet(stream, max_buflen=BUFFER_S, recover=False)
            layout = self._read_layout(inlet.info(timeout=timeout_s))
            inlet.open_stream(timeout=timeout_s)
        except (TimeoutError, RuntimeError) as error:
            raise TrackerError(
                f'LSL stream "{self._info.name}" was found but does not respond ({error}). '
                "Check its sender and the firewall."
            ) from error
        self._inlet, self._layout, self._uid = inlet, layout, stream.uid()
        self._place = stream.hostname()

    def _found(self, timeout_s: float) -> Any | None:
        """Return the requested outlet, None if it is not there.

        A restarted sender has another uid: it is the one meant where nothing else of its source
        is sent on its computer.
        """
        streams = resolve(self._pylsl, timeout_s, self._info)
        found = meant(streams, self._info.id)
        if found is None and self._place is not None and uid_in(self._info.id):
            streams = resolve(self._pylsl, timeout_s, replace(self._info, id=""))
            here = {s.uid(): s for s in streams if s.hostname() == self._place}
            found = next(iter(here.values())) if len(here) == 1 else None
        return found

    def start(self) -> None:
        """Start pulling."""
        if self._layout.note:
            self._say("fault", self._layout.note)
        self._arrived_s = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Stop pulling and wait for the thread's end."""
        self._stop.set()
        self._thread.join(timeout=5.0)

    def judged(self, timeout_s: float) -> str | None:
        """Return what contradicts the declared units, once enough gaze was seen or time is up."""
        self._was_judged.wait(timeout_s)
        return self._contradiction

    def rate_hz(self) -> float | None:
        """Return the rate over the last seconds of stamps."""
        recent = list(self._recent)
        if len(recent) < 2 or recent[-1][0] <= recent[0][0]:
            return None
        return sum(count for _, count in recent[1:]) / (recent[-1][0] - recent[0][0])

    def correction_and_age(self) -> tuple[float, float]:
        """Return the clock correction and how long ago it was read, in seconds."""
        return self._stamps.correction_s, time.monotonic() - self._refreshed_s

    def _read_layout(self, info: Any) -> Layout:
        if info.channel_format() == self._pylsl.cf_string:
            raise StreamLayoutError(
                f'LSL stream "{info.name()}" sends text, not numbers. Choose another stream.'
            )
        channels, path = channels_of(info), mapping_path()
        mapping = mapping_for(info.name(), info.source_id(), path)
        if mapping is not None and mapping.channels:
            return mapping.layout(channels, self._geometry, path)
        unit = None if mapping is None else mapping.unit
        return layout_of(info.name(), channels, self._geometry, unit=unit)

    def _work(self) -> None:
        try:
            self._refresh_clock()
            while not self._stop.wait(POLL_S):
                self._pull()
                self._check_silence()
                self._look_for_another()
                if time.monotonic() - self._refreshed_s > REFRESH_S:
                    self._refresh_clock()
        except Exception:  # a dead thread would be a silent loss of gaze
            _log.exception("Reading LSL stream %s failed.", self._info.id)
            self._say("fault", f'Reading LSL stream "{self._info.name}" failed; see the log.')

    def _refresh_clock(self) -> None:
        """Pair the clocks again and ask for the sender's offset; blocks 0.6 s at first."""
        self._stamps.measure()
        try:
            self._stamps.correct(self._inlet.time_correction(timeout=2.0))
            self._refreshed_s = time.monotonic()
        except (TimeoutError, self._pylsl.util.LostError):
            self._refreshed_s = time.monotonic() - REFRESH_S + 1.0

    def _pull(self) -> None:
        """Take all that has arrived at once: only the newest stamp reveals a reset."""
        pieces: list[tuple[Any, Any]] = []
        try:
            while not pieces or len(pieces[-1][1]) == MAX_CHUNK:
                piece = self._inlet.pull_chunk(timeout=0.0, max_samples=MAX_CHUNK, as_numpy=True)
                pieces.append(piece)
        except self._pylsl.util.LostError:
            self._reopen()
        stamps_s = [np.asarray(stamps, np.float64) for _, stamps in pieces]
        if sum(map(len, stamps_s)):
            values = [np.asarray(v, np.float64) for v, _ in pieces]
            self._take(np.concatenate(values), np.concatenate(stamps_s))

    def _take(self, values: FloatArray, stamps_s: FloatArray) -> None:
        if self._refused:
            return
        samples = self._layout.samples(values)
        host_us, faults = self._stamps.host_us(stamps_s)
        samples["host_us"] = host_us
        samples["device_us"] = self._device_us(values, stamps_s)
        for fault in faults:
            self._say(fault.kind, f'LSL stream "{self._info.name}": {fault.text}', fault.data)
        self._end_silence(int(host_us[0]))
        self._arrived_s, self._last_host_us = time.monotonic(), int(host_us[-1])
        self._note_rate(float(stamps_s[-1]), len(stamps_s))
        self._samples.append(samples)
        self._judge(samples)

    def _device_us(self, values: FloatArray, stamps_s: FloatArray) -> Any:
        """Return the device's own time where sent, else the sender's stamps."""
        index, unit_us = self._layout.device_time or (None, 1e6)
        own = stamps_s if index is None else values[:, index]
        return np.rint(np.nan_to_num(own * unit_us)).astype(np.int64)

    def _judge(self, samples: SampleArray) -> None:
        """Compare the first gaze with the declared unit."""
        if self._was_judged.is_set():
            return
        points = gaze_norm(samples)
        self._unjudged.append(points[np.isfinite(points).all(axis=1)])
        if sum(map(len, self._unjudged)) < ENOUGH_TO_JUDGE:
            return
        self._contradiction = self._layout.contradiction(np.concatenate(self._unjudged))
        self._unjudged.clear()
        if self._contradiction is not None:
            self._say("fault", self._contradiction)
            if self._is_again:  # at first, `connect` refuses it
                self._refused = self._contradiction
        self._was_judged.set()

    def _check_silence(self) -> None:
        if self._is_silent or time.monotonic() - self._arrived_s <= SILENCE_S:
            return
        self._is_silent = True
        self._say("lost", f'No samples from LSL stream "{self._info.name}" for {SILENCE_S:g} s.')

    def _end_silence(self, first_us: int) -> None:
        if not self._is_silent:
            return
        self._is_silent = False
        self._recent.clear()
        self._say("restored", f'LSL stream "{self._info.name}" is back.')
        if self._last_host_us is not None:
            gap = {"from_us": self._last_host_us, "to_us": first_us}
            length_s = self._clock.real_seconds(first_us - self._last_host_us)
            self._say("gap", f"{length_s:.2f} s of gaze are missing.", gap)

    def _reopen(self) -> None:
        """Search again for a stream whose sender ended; its layout is read again."""
        if not self._is_silent:
            self._is_silent = True
            self._say("lost", f'The sender of LSL stream "{self._info.name}" ended.')
        before = self._layout
        try:
            self.open(SILENCE_S / 2)
        except (StreamLayoutError, AmbiguousStream) as error:
            self._refuse(str(error))
            return
        except TrackerError:
            return
        self._refused, self._is_again = "", True
        if self._layout != before:
            self._say(
                "layout_change",
                f'LSL stream "{self._info.name}" came back with other channels or units '
                f"({', '.join(self._layout.labels)}; {self._layout.unit or 'no unit'}); they are "
                "mapped again.",
                {"from": list(before.labels), "to": list(self._layout.labels)},
            )
        self._unjudged.clear()
        self._was_judged.clear()
        self._refresh_clock()

    def _refuse(self, reason: str) -> None:
        """Report, once, why a stream that came back is not recorded."""
        if self._refused != reason:
            self._refused = reason
            self._say("layout_change", reason)

    def _look_for_another(self) -> None:
        """Where a stream is silent its link may be dead unnoticed: look whether it began anew."""
        if not self._is_silent or time.monotonic() - self._looked_s < LOOK_S:
            return
        self._looked_s = time.monotonic()
        try:
            found = self._found(SILENCE_S)
        except TrackerError:
            return
        if found is not None and found.uid() != self._uid:
            self._reopen()

    def _note_rate(self, stamp_s: float, count: int) -> None:
        self._recent.append((stamp_s, count))
        while self._recent[0][0] < stamp_s - RATE_WINDOW_S:
            self._recent.popleft()

    def _say(self, kind: EventKind, detail: str, data: dict[str, Any] | None = None) -> None:
        _log.info("%s: %s", kind, detail)
        self._events.append(DeviceEvent(self._clock.now_us(), kind, detail, data or {}))
