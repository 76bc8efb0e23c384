"""Real LSL senders in processes of their own: what was sent against what was recorded, one by one.

    python -m bench.lsl_senders [--seconds 15] [--rates 60 1200]

Each sample carries its own number (in x and y, exact in float32) and the instant at which it was
taken, whatever its stamp says. A sender drifts, holds samples back and sends them in bursts, or
falls silent; a station records it into a study. From the study: samples that are missing, doubled
or of another value, and how far their times are from the instants. The table is in
docs/reliability.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import select

from app.recording.session import ReadingSession
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray
from devices.gaze.stored import samples_of
from devices.lsl import LslTracker, find_streams
from devices.lsl.streams import LOOPBACK_CONFIG
from migrations.study.folder import Study
from migrations.study.processes import MAIN
from migrations.study.schema import GazeChunk, Recording
from migrations.study.settings import StudySettings

GEOMETRY = ScreenGeometry(1920, 1080, 527.0, 296.0, distance_mm=650.0, distance_source="taped")
_SIDE = 4096
"""Numbers are written as k % 4096 and k // 4096, over 4096."""
_LEAD_IN = 0.75
"""y of the samples before the first that counts."""
_WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What a sender does: clock too fast by so much, bursts of so long, silence from … for …."""

    name: str
    drift_ppm: float = 0.0
    burst_s: float = 0.0
    silent_at_s: float = 0.0
    silent_for_s: float = 0.0


FAULTS = (
    Fault("none"),
    Fault("drift +500 ppm", drift_ppm=500.0),
    Fault("drift -500 ppm", drift_ppm=-500.0),
    Fault("bursts of 0.5 s", burst_s=0.5),
    Fault("silence of 3 s", silent_at_s=5.0, silent_for_s=3.0),
)


@dataclass(frozen=True, slots=True)
class Held:
    """Sent held against recorded.

    Attributes
    ----------
    missing, doubled, altered
        Samples that were sent and not recorded, recorded more than once, recorded with another
        value than they were sent with.
    error_ms
        Largest deviation of a recorded time from the instant at which the sample was taken, beside
        the one constant between the two clocks.
    said
        Kinds of the events of the recording.
    """

    fault: str
    rate_hz: float
    sent: int
    recorded: int
    missing: int
    doubled: int
    altered: int
    error_ms: float
    said: tuple[str, ...]


def is_sent(fault: Fault, number: int, rate_hz: float) -> bool:
    """Return whether a sender sends a sample."""
    at_s = number / rate_hz - fault.silent_at_s
    return not (fault.silent_for_s and 0 <= at_s < fault.silent_for_s)


def hold(fault: Fault, rate_hz: float, seconds: float, folder: Path) -> Held:
    """Record one sender into a study of its own and hold what was sent against it."""
    name = f"Foveate-{fault.name}-{rate_hz:g}".replace(" ", "-")
    plan = {"name": name, "rate_hz": rate_hz, "seconds": seconds, "fault": asdict(fault)}
    sender = subprocess.Popen(
        [sys.executable, "-m", "bench.lsl_senders", "--send", json.dumps(plan)],
        cwd=MAIN.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        samples, said = _recorded(sender, name, folder)
    finally:
        sender.kill()
        sender.communicate()
    numbers = [k for k in range(round(rate_hz * seconds)) if is_sent(fault, k, rate_hz)]
    return _compared(fault, rate_hz, np.array(numbers), samples, said)


def _recorded(
    sender: subprocess.Popen[str], name: str, folder: Path
) -> tuple[SampleArray, tuple[str, ...]]:
    assert sender.stdin is not None
    assert sender.stdout is not None
    sender.stdout.readline()
    info = next(info for _ in range(10) for info in find_streams(0.6) if info.name == name)
    study = Study.create(folder, StudySettings(name="Senders"))
    session = ReadingSession.open(
        study, "R1", LslTracker(info), HostClock(), GEOMETRY, consented=True
    )
    sender.stdin.write("go\n")
    sender.stdin.flush()
    last = int(sender.stdout.readline())  # all that was to be sent has been
    deadline = time.monotonic() + _WAIT_S
    while not _has(session.recorder.latest(), last) and time.monotonic() < deadline:
        time.sleep(0.05)
    said = tuple(dict.fromkeys(event.kind for event in session.recorder.events()))
    session.close()
    with study.database.read() as rows:
        chunks = rows.scalars(
            select(GazeChunk).join(Recording).where(Recording.session_id == session.session_id)
            .order_by(GazeChunk.sequence)
        ).all()  # fmt: skip
        samples = samples_of(chunks)
    study.close()
    return samples[samples["left_y_norm"] != _LEAD_IN], said


def _has(latest: SampleArray, number: int) -> bool:
    return bool(len(latest)) and bool((_numbers(latest) == number).any())


def _numbers(samples: SampleArray) -> np.ndarray:
    x, y = (samples[f"left_{axis}_norm"].astype(np.float64) for axis in "xy")
    return np.asarray(np.round(np.nan_to_num((y * _SIDE + x) * _SIDE, nan=-1)), np.int64)


def _compared(
    fault: Fault, rate_hz: float, sent: np.ndarray, samples: SampleArray, said: tuple[str, ...]
) -> Held:
    numbers = _numbers(samples)
    whole = np.isclose(samples["right_x_norm"], 0.25) & np.isclose(samples["left_pupil_mm"], 3.5)
    offset_us = samples["host_us"] - samples["device_us"]
    errors = np.abs(offset_us - np.median(offset_us[: max(round(rate_hz), 1)]))
    return Held(
        fault.name,
        rate_hz,
        len(sent),
        len(samples),
        len(np.setdiff1d(sent, numbers)),
        len(numbers) - len(np.unique(numbers)),
        int((~whole).sum()) + len(np.setdiff1d(numbers, sent)),
        float(errors.max()) / 1e3 if len(errors) else 0.0,
        said,
    )


def _send(plan: dict[str, object]) -> None:
    import pylsl

    fault = Fault(**plan["fault"])  # type: ignore[arg-type]
    rate_hz, seconds = float(str(plan["rate_hz"])), float(str(plan["seconds"]))
    pylsl.set_config_content(LOOPBACK_CONFIG)
    labels = ("left_x", "left_y", "right_x", "right_y", "left_pupil", "device_time")
    name = str(plan["name"])
    info = pylsl.StreamInfo(name, "Gaze", len(labels), rate_hz, "double64", name)
    channels = info.desc().append_child("channels")
    for label in labels:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        unit = {"device_time": "seconds", "left_pupil": "mm"}.get(label, "normalized")
        channel.append_child_value("unit", unit)
    outlet = pylsl.StreamOutlet(info, max_buffered=60)
    print("ready", flush=True)
    go = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), go.set()), daemon=True).start()
    start_s, number, kept = pylsl.local_clock(), 0, []
    while number < rate_hz * seconds:
        if not go.is_set():
            now_s = pylsl.local_clock()
            start_s = now_s + 1 / rate_hz
            outlet.push_sample([0.5, _LEAD_IN, 0.25, 0.5, 3.5, now_s], now_s)
            time.sleep(1 / rate_hz)
            continue
        taken_s = start_s + number / rate_hz
        time.sleep(max(taken_s - pylsl.local_clock(), 0))
        if is_sent(fault, number, rate_hz):
            x, y = number % _SIDE / _SIDE, number // _SIDE / _SIDE
            stamp_s = start_s + (taken_s - start_s) * (1 + fault.drift_ppm * 1e-6)
            kept.append(([x, y, 0.25, 0.5, 3.5, taken_s], stamp_s))
        number += 1
        if kept and (number / rate_hz) % max(fault.burst_s, 1e-9) < 1 / rate_hz:
            _push(outlet, kept)
    _push(outlet, kept)
    print(number - 1, flush=True)
    time.sleep(60)


def _push(outlet: object, kept: list[tuple[list[float], float]]) -> None:
    for values, stamp_s in kept:
        outlet.push_sample(values, stamp_s)  # type: ignore[attr-defined]
    kept.clear()


def main(argv: Sequence[str]) -> None:
    """Print the table, or be a sender."""
    parser = argparse.ArgumentParser(prog="python -m bench.lsl_senders", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rates", type=float, nargs="+", default=[60.0, 1200.0])
    parser.add_argument("--send", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.send:
        _send(json.loads(arguments.send))
        return
    print("| fault | rate, Hz | sent | recorded | missing | doubled | altered | error, ms | said |")
    for fault in FAULTS:
        for rate_hz in arguments.rates:
            with tempfile.TemporaryDirectory() as folder:
                held = hold(fault, rate_hz, arguments.seconds, Path(folder) / "study")
            cells = [*asdict(held).values()]
            said = ", ".join(held.said) or "nothing"
            print("|", " | ".join(map(str, [*cells[:-2], f"{held.error_ms:.1f}", said])), "|")


if __name__ == "__main__":
    main(sys.argv[1:])
