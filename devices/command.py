"""`python main.py devices`: list trackers, say what is missing, and test one live."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from devices.catalogue import Found, find_trackers, open_tracker
from devices.clock import HostClock, require_fine_clock
from devices.errors import DeviceError, TrackerError
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray
from devices.gaze.stream import StreamQuality, stream_quality
from devices.lsl.mapping import MAPPING_VARIABLE
from devices.program import as_typed
from devices.tobii.interpreters import (
    PYTHON_VARIABLE,
    REQUIREMENT,
    environment_folder,
    make_environment,
)
from devices.tracker import DeviceEvent, Tracker, TrackerInfo

POLL_S = 0.005
_TOLD_EVERY_S = 2.0
STOPPED = 3
"""Exit code after Ctrl-C."""
Told = Callable[[int, float, float], object]
TYPICAL_SCREEN = ScreenGeometry(1920, 1080, 531.0, 299.0)
"""Rate, loss and latency do not depend on it."""


@dataclass(frozen=True, slots=True)
class LiveTest:
    """The results of a live test of a tracker.

    Attributes
    ----------
    latency_ms, latency_max_ms
        Median and largest age of the newest sample when it could be read first; polling adds up
        to 5 ms.
    is_stopped
        Whether Ctrl-C ended the test early; the figures cover what arrived until then.
    """

    tracker: TrackerInfo
    seconds: float
    clock_step_us: float
    stream: StreamQuality
    latency_ms: float
    latency_max_ms: float
    events: tuple[DeviceEvent, ...]
    is_stopped: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the figures, ready for JSON."""
        return {
            "tracker": asdict(self.tracker),
            "seconds": self.seconds,
            "clock_step_us": self.clock_step_us,
            "stream": self.stream.as_dict(),
            "latency_ms": self.latency_ms,
            "latency_max_ms": self.latency_max_ms,
            "events": [asdict(e) for e in self.events],
            "stopped": self.is_stopped,
        }


def main(argv: Sequence[str] | None = None) -> int:
    """List the trackers, or test one; 0 done, 1 it failed, 3 stopped by Ctrl-C."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.mapping is not None:
        if not options.mapping.is_file():
            parser.error(f"--mapping {options.mapping} does not exist.")
        os.environ[MAPPING_VARIABLE] = str(options.mapping)
    try:
        if options.action == "setup-tobii":
            _set_up_tobii(options)
        elif options.test is None:
            _write_found(find_trackers(options.timeout, network=options.network), options.json)
        else:
            test = _run_test(options)
            _write_test(test, options.json)
            return STOPPED if test.is_stopped else 0
    except DeviceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def live_test(
    tracker: Tracker, seconds: float, told: Told = lambda count, passed_s, seconds: None
) -> LiveTest:
    """Read a tracker for some seconds and measure its stream; on Ctrl-C, what arrived so far.

    Parameters
    ----------
    told
        Called every 2 s with the samples so far, the seconds passed and those of the test.

    Raises
    ------
    TrackerError
        If it cannot be opened or sends nothing.
    """
    step_us = require_fine_clock()
    clock = HostClock()
    tracker.connect(clock)
    try:
        chunks, ages_us, passed_s = _read_for(tracker, clock, seconds, told)
        is_stopped = passed_s < seconds
        seconds = round(passed_s, 1) if is_stopped else seconds
        # A test has no page, so it does not know which screen is used.
        events = tuple(event for event in tracker.events() if event.kind != "display_area")
    finally:
        tracker.disconnect()
    if not chunks:
        said = "".join(f" {event.detail}" for event in events)
        raise TrackerError(f"{tracker.info.name} sent no samples in {seconds:g} s.{said}")
    stream = stream_quality(np.concatenate(chunks), tracker.info.rate_hz)
    latency_ms, latency_max_ms = float(np.median(ages_us)) / 1e3, float(np.max(ages_us)) / 1e3
    return LiveTest(
        tracker.info, seconds, step_us, stream, latency_ms, latency_max_ms, events, is_stopped
    )


def _read_for(
    tracker: Tracker, clock: HostClock, seconds: float, told: Told
) -> tuple[list[SampleArray], list[int], float]:
    """Return the samples, the age of the newest sample in each batch, and the seconds it took."""
    chunks: list[SampleArray] = []
    ages_us: list[int] = []
    tracker.read()  # what accumulated during opening says nothing about latency
    begin_us = clock.now_us()
    end_us = begin_us + round(seconds * 1e6)
    count, told_s = 0, 0.0
    try:
        while clock.now_us() < end_us:
            passed_s = (clock.now_us() - begin_us) / 1e6
            if passed_s - told_s >= _TOLD_EVERY_S:
                told_s = passed_s
                told(count, passed_s, seconds)
            samples = tracker.read()
            if len(samples):
                ages_us.append(clock.now_us() - int(samples["host_us"][-1]))
                chunks.append(samples)
                count += len(samples)
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        return chunks, ages_us, min(seconds, (clock.now_us() - begin_us) / 1e6)
    return chunks, ages_us, seconds


def _run_test(options: argparse.Namespace) -> LiveTest:
    tracker = open_tracker(
        options.test, TYPICAL_SCREEN, rate_hz=options.rate, network=options.network
    )
    return live_test(tracker, options.seconds, _tell)


def _tell(count: int, passed_s: float, seconds: float) -> None:
    """Report the progress of a test; on a terminal, in one line that is overwritten."""
    end = "\r" if sys.stderr.isatty() else "\n"
    rate = count / max(passed_s, 1e-9)
    left_s = max(0.0, seconds - passed_s)
    sys.stderr.write(f"{count} samples, {rate:.1f}/s, {left_s:.0f} s left   {end}")
    sys.stderr.flush()


def _set_up_tobii(options: argparse.Namespace) -> None:
    folder = options.folder or environment_folder()
    sys.stderr.write(f"Creating the environment for Tobii's SDK in {folder} …\n")
    made = make_environment(options.python, folder)
    if options.json:
        sys.stdout.write(json.dumps({"python": str(made.path), "sdk": REQUIREMENT}) + "\n")
        return
    lines = [f"{REQUIREMENT} is ready in {folder}."]
    if folder != environment_folder():
        lines.append(f"To let Foveate find it, set {PYTHON_VARIABLE}={made.path}")
    lines.append("Tobii's licence applies: non-commercial research only; see")
    lines.append(as_typed("docs/trackers.md. Now look for the tracker: python main.py devices"))
    sys.stdout.write("\n".join(lines) + "\n")


def _write_found(found: Found, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(asdict(found), indent=2) + "\n")
        return
    width = max(len(info.id) for info in found.trackers)
    lines = ["Trackers:"]
    lines += [f"  {info.id:{width}}  {_describe(info)}" for info in found.trackers]
    lines += ["", "Missing:", *(f"  {line}" for line in found.missing)] if found.missing else []
    lines += ["", as_typed("Test one: python main.py devices --test ID")]
    sys.stdout.write("\n".join(lines) + "\n")


def _describe(info: TrackerInfo) -> str:
    rate = "rate unknown until measured" if info.rate_hz is None else f"{info.rate_hz:g} Hz"
    return ", ".join(part for part in (info.name, rate, info.note) if part)


def _write_test(test: LiveTest, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(test.as_dict(), indent=2) + "\n")
        return
    stream, nominal_hz = test.stream, test.tracker.rate_hz
    nominal = "" if nominal_hz is None else f" (nominal {nominal_hz:g} Hz)"
    lines = [
        f"{test.tracker.name}, {test.seconds:g} s:",
        f"  samples    {stream.sample_count}",
        f"  rate       {_figure(stream.measured_rate_hz)} Hz{nominal}",
        f"  missing    {stream.lost_count} samples in {stream.gap_count} gaps, longest "
        f"{stream.longest_gap_us / 1e3:.1f} ms",
        f"  jitter     {_figure(stream.jitter_us)} us",
        f"  gaze lost  {100 * stream.loss:.1f} % of samples",
        f"  latency    {test.latency_ms:.1f} ms median, {test.latency_max_ms:.1f} ms maximum",
        f"  clock      steps of {test.clock_step_us:.2f} us",
        *(f"  {event.kind:10} {event.detail}" for event in test.events),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=as_typed("python main.py devices"),
        description="List the eye trackers that are attached, or test one.",
        epilog=as_typed("example: python main.py devices --test simulated --seconds 10"),
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=["setup-tobii"],
        help="setup-tobii: create the Python 3.10 environment for Tobii's SDK",
    )
    parser.add_argument(
        "--python",
        type=Path,
        metavar="PATH",
        help="setup-tobii: the Python 3.10 to use (default: the first one found)",
    )
    parser.add_argument(
        "--folder", type=Path, metavar="DIR",
        help="setup-tobii: where to create it (default: FOVEATE_TOBII_FOLDER, or else the user's "
             "data folder)",
    )  # fmt: skip
    parser.add_argument(
        "--test", metavar="ID", help="record from this tracker and measure its signal"
    )
    parser.add_argument(
        "--seconds",
        type=_positive,
        default=5.0,
        metavar="N",
        help="length of the test in seconds (default: 5)",
    )
    parser.add_argument(
        "--rate",
        type=_positive,
        metavar="HZ",
        help="sampling rate, if the tracker lets you choose it",
    )
    parser.add_argument(
        "--timeout",
        type=_positive,
        default=1.5,
        metavar="S",
        help="how long to search for trackers, in seconds (default: 1.5)",
    )
    parser.add_argument(
        "--network", action="store_true", help="also search for LSL streams on other computers"
    )
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE", help="LSL mapping, TOML or JSON (docs/trackers.md)"
    )
    parser.add_argument("--json", action="store_true", help="print only JSON")
    return parser


def _positive(text: str) -> float:
    try:
        value = 0.0 if "_" in text else float(text)  # float() takes 1_0 for 10
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value
