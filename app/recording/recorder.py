"""The recorder: a thread that turns the tracker's data into committed chunks.

It runs from connection on, including during calibration. It only polls, counts and queues; the
writer thread commits, so a locked or full disk delays rows but never the tracker.
"""

import logging
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from app.recording.recorder_status import TRACKER_GONE, RecentRate, RecorderStatus
from app.recording.stream_counts import StreamCounts
from app.recording.unseen import UnseenTime
from app.recording.writer import Writer, insert_into, update_row
from devices.clock import HostClock
from devices.errors import DeviceError
from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.samples import Eye, SampleArray, concatenate_samples, empty_samples, split_by_span
from devices.tracker import DeviceEvent, Tracker
from migrations.study.database import Database
from migrations.study.schema import GazeChunk, Recording, new_id

log = logging.getLogger(__name__)

Listener = Callable[[SampleArray], None]

_COMMIT_REAL_S = 0.05
"""Time reserved for the last poll and the commit, so that a chunk is safe in time."""


class Recorder:
    """Records one tracker into one `recording` row and its chunks.

    Parameters
    ----------
    database
        The study's database; opened anew as a durable one unless a `writer` is given.
    tracker
        Not connected yet; `start` connects it and `stop` disconnects it.
    session_id
        The row of the session, committed already.
    chunk_real_seconds, poll_real_seconds
        Real time within which a sample is committed, and between polls, whatever the speed of the
        clock.
    writer
        Shared with the other rows of the session; the recorder's own where None.

    Attributes
    ----------
    recording_id
        The row in table `recording`.
    """

    def __init__(
        self,
        database: Database,
        tracker: Tracker,
        clock: HostClock,
        session_id: str,
        *,
        chunk_real_seconds: float = 0.25,
        poll_real_seconds: float = 0.04,
        eye: Eye = "both",
        writer: Writer | None = None,
    ) -> None:
        self.recording_id = new_id()
        self.session_id = session_id
        self.tracker = tracker
        self.writer = writer or Writer(database)
        self._own_writer = writer is None
        self._clock = clock
        self._chunk_s, self._poll_s = chunk_real_seconds, poll_real_seconds
        self._counts = StreamCounts(eye)
        self._listeners: list[Listener] = []
        self._tickers: list[Callable[[], None]] = []
        self._failed: set[int] = set()
        self._events: list[DeviceEvent] = []
        self._pending: list[SampleArray] = []
        self._sequence = 0
        self._started_us = self._sample_count = 0
        self._unseen = UnseenTime(0, 0)
        self._committed_count = 0
        self._committed_us: int | None = None
        self._last_commit_us: int | None = None
        self._device_problem = ""
        self._device_lost = False
        self._latest = empty_samples(0)
        self._rate = RecentRate()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="foveate-recorder", daemon=True)

    def start(self) -> None:
        """Connect the tracker, open the recording row, start the thread.

        Raises
        ------
        DeviceError
            If the tracker cannot be opened; nothing is written then.
        """
        self._started_us = self._clock.now_us()
        self._unseen = UnseenTime(self._started_us, 1e6 * self._poll_s * self._clock.speed)
        self.tracker.connect(self._clock)
        if self._own_writer:
            self.writer.start()
        row = {
            "id": self.recording_id,
            "session_id": self.session_id,
            "state": "open",
            "started_us": self._started_us,
            "nominal_rate_hz": self.tracker.info.rate_hz,
        }
        self.writer.put(insert_into(Recording, row))
        self._thread.start()

    def stop(self, timeout_s: float = 60.0) -> bool:
        """Take the last samples, disconnect, close the recording row and wait for its commit.

        Returns
        -------
        bool
            False if rows still wait for the database after `timeout_s`; they stay queued.
        """
        self._stopping.set()
        self._thread.join(timeout_s)
        return self.writer.close(timeout_s) if self._own_writer else self.writer.flush(timeout_s)

    def add_listener(self, listener: Listener) -> None:
        """Call `listener` with each run of fresh samples, on the recorder's thread: be quick."""
        self._listeners = [*self._listeners, listener]

    def remove_listener(self, listener: Listener) -> None:
        """Stop calling a listener; unknown ones are ignored."""
        self._listeners = [each for each in self._listeners if each != listener]

    def add_ticker(self, ticker: Callable[[], None]) -> None:
        """Call `ticker` after each poll, on the recorder's thread, with or without samples."""
        self._tickers = [*self._tickers, ticker]

    def events(self) -> tuple[DeviceEvent, ...]:
        """Return what the device has reported so far."""
        return tuple(self._events)

    def latest(self) -> SampleArray:
        """Return the samples (N,) of the last poll that brought any; none before the first."""
        return self._latest

    def rate_hz(self) -> float | None:
        """Return the rate of the tracker as measured so far, else its nominal rate; cheap."""
        return self._counts.measured_rate_hz or self.tracker.info.rate_hz

    def status(self) -> RecorderStatus:
        """Return the state of the recording; cheap, from any thread."""
        return RecorderStatus(
            recording=self._thread.is_alive(),
            sample_count=self._sample_count,
            missing_count=self._counts.lost_count,
            committed_count=self._committed_count,
            committed_us=self._committed_us,
            queue_depth=self.writer.depth,
            last_commit_us=self._last_commit_us,
            rate_hz=self._rate.per_second / self._clock.speed,
            lost_for_us=self._unseen.us,
            unasked_s=self._clock.real_seconds(self._unseen.since_poll_us(self._clock.now_us())),
            device_lost=self._device_lost,
            problem=self.writer.problem or self._device_problem,
        )

    def _run(self) -> None:
        cut_every_s = max(self._chunk_s - _COMMIT_REAL_S, self._poll_s)
        next_cut = time.perf_counter() + cut_every_s
        while not self._stopping.wait(self._poll_s):
            self._guarded(self._poll)
            if time.perf_counter() >= next_cut:
                self._guarded(self._cut_chunk)
                next_cut = time.perf_counter() + cut_every_s
        self._guarded(self._poll)
        self._guarded(self._cut_chunk)
        self._guarded(self.tracker.disconnect)
        self._close_row()

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:
            log.exception("The recorder continued after an error")

    def _poll(self) -> None:
        samples = self._read()
        self._unseen.polled(self._clock.now_us(), samples)
        self._note(self.tracker.events())
        if len(samples):
            self._pending.append(samples)
            self._latest = samples
            self._sample_count += len(samples)
            for listener in self._listeners:
                self._call(listener, samples)
        self._rate.mark(self._sample_count)
        for ticker in self._tickers:
            self._call(ticker)

    def _read(self) -> SampleArray:
        try:
            samples = self.tracker.read()
        except DeviceError as error:
            if not self._device_problem:
                log.exception("The tracker cannot be read")
                self._note([DeviceEvent(self._clock.now_us(), "fault", str(error))])
            self._device_problem = str(error)
            return empty_samples(0)
        if self._device_problem and len(samples) and not self._device_lost:
            self._device_problem = ""
        return samples

    def _note(self, events: list[DeviceEvent]) -> None:
        if not events:
            return
        for event in events:
            if event.kind in ("lost", "restored"):
                self._device_lost = event.kind == "lost"
                self._device_problem = self._lost_text() if self._device_lost else ""
        self._events.extend(events)
        self.writer.put(update_row(Recording, self.recording_id, events=self._events_json()))

    def _lost_text(self) -> str:
        return TRACKER_GONE.format(name=self.tracker.info.name)

    def _events_json(self) -> list[dict[str, Any]]:
        return [asdict(event) for event in self._events]

    def _call(self, callback: Callable[..., None], *arguments: SampleArray) -> None:
        try:
            callback(*arguments)
        except Exception:
            # Once per callback: at 25 polls a second, a bug would flood the log.
            if id(callback) not in self._failed:
                self._failed.add(id(callback))
                log.exception("A listener of the recorder failed; recording continues")

    def _cut_chunk(self) -> None:
        if not self._pending:
            return
        samples, self._pending = concatenate_samples(self._pending), []
        self._counts.add(samples)
        # More than one if the computer kept this thread waiting, or samples came in a burst.
        longest_us = round(1e6 * self._chunk_s * self._clock.speed)
        for part in split_by_span(samples, longest_us):
            self._put_chunk(part)

    def _put_chunk(self, samples: SampleArray) -> None:
        blob = encode_chunk(samples)
        last_us, count = int(samples["host_us"].max()), len(samples)
        row = {
            "id": new_id(),
            "recording_id": self.recording_id,
            "sequence": self._sequence,
            "first_us": int(samples["host_us"].min()),
            "last_us": last_us,
            "count": count,
            "codec_version": CODEC_VERSION,
            "crc32": zlib.crc32(blob),
            "blob": blob,
        }
        write = insert_into(GazeChunk, row)
        self.writer.put(write.then(lambda: self._acknowledge(last_us, count)), now=True)
        self._sequence += 1

    def _acknowledge(self, last_us: int, count: int) -> None:
        self._committed_count += count
        self._committed_us = last_us
        self._last_commit_us = self._clock.now_us()

    def _close_row(self) -> None:
        counts = self._counts
        self.writer.put(
            update_row(
                Recording,
                self.recording_id,
                state="closed",
                ended_us=self._clock.now_us(),
                measured_rate_hz=counts.measured_rate_hz,
                sample_count=counts.sample_count,
                lost_count=counts.lost_count,
                events=self._events_json(),
            )
        )
