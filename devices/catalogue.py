"""What trackers are attached, what is missing and why, and how to open one by its id.

Other distributions bring kinds of trackers by entry points in `foveate.trackers`.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from devices.errors import TrackerError, TrackerNotFound
from devices.gaze.geometry import ScreenGeometry
from devices.gazepoint import find_gazepoint, open_gazepoint
from devices.gazepoint.search import WAY_OUT as GAZEPOINT_WAY_OUT
from devices.lsl import LslTracker, find_streams
from devices.mouse import MouseTracker, mouse_info
from devices.plugins import free, plug_ins
from devices.program import as_typed
from devices.simulated import SimulatedParameters, SimulatedTracker, simulated_info
from devices.tobii.search import find_tobii, open_tobii
from devices.tracker import Tracker, TrackerInfo

OPEN_TIMEOUT_S = 2.0
_OWN_KINDS = ("simulated", "mouse", "lsl", "tobii", "gazepoint", "replay")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Missing:
    """A kind of tracker that cannot be used at the moment.

    Attributes
    ----------
    kind
        As in `TrackerInfo`.
    reason, way_out
        One sentence each.
    """

    kind: str
    reason: str
    way_out: str

    def __str__(self) -> str:
        """Return both sentences after the name of the kind."""
        name = {"lsl": "LSL", "tobii": "Tobii", "gazepoint": "Gazepoint"}.get(self.kind, self.kind)
        return f"{name}: {self.reason} {self.way_out}"


@dataclass(frozen=True, slots=True)
class TrackerKind:
    """What an entry point in `foveate.trackers` names: another package's kind of tracker.

    Attributes
    ----------
    find
        Returns what is attached within the seconds given, each `TrackerInfo.id` beginning with the
        entry point's name and a colon, its kind that name.
    open
        Returns the tracker of an id for a screen, not yet connected; at a rate in Hz, None for its
        own.
    way_out
        What to do if none is found.
    """

    find: Callable[[float], Sequence[TrackerInfo]]
    open: Callable[[str, ScreenGeometry, float | None], Tracker]
    way_out: str = "See the documentation of its plug-in."


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a search for trackers."""

    trackers: tuple[TrackerInfo, ...]
    missing: tuple[Missing, ...] = ()


TOBII_WAY_OUT = as_typed(
    "Run python main.py devices setup-tobii (it needs a separate Python 3.10). Or start TittaLSL "
    "or App-TobiiPro on this computer; the tracker then appears here as an LSL stream."
)
NO_TOBII = Missing(
    "tobii",
    "The SDK is installed, but no Tobii tracker responds.",
    "Check the cable, the power supply and whether Tobii Pro Eye Tracker Manager finds it.",
)
NO_STREAM = Missing(
    "lsl",
    "No gaze stream was found on this computer.",
    "Start the tracker's LSL sender and search again. For senders on other computers, set "
    "lsl_network in study.toml, or FOVEATE_LSL_NETWORK=1.",
)


def find_trackers(timeout_s: float = 1.0, *, network: bool = False) -> Found:
    """Search for trackers; blocks up to `timeout_s`, so use a worker.

    Parameters
    ----------
    timeout_s
        How long to listen for LSL streams.
    network
        Whether LSL may leave this computer.
    """
    kinds = tracker_kinds()
    with ThreadPoolExecutor(2 + len(kinds)) as workers:
        tobii, gazepoint = workers.submit(_look_for_tobii), workers.submit(_look_for_gazepoint)
        others = [workers.submit(_look_for, name, kinds[name], timeout_s) for name in kinds]
        streams = _look_for_streams(timeout_s, network)
    found = (streams, tobii.result(), gazepoint.result(), *(each.result() for each in others))
    trackers = tuple(info for looked in found for info in looked.trackers)
    return Found(
        (simulated_info(), mouse_info(), *trackers),
        tuple(line for looked in found for line in looked.missing),
    )


def _look_for_streams(timeout_s: float, network: bool) -> Found:
    try:
        streams = tuple(find_streams(timeout_s, network=network))
    except TrackerNotFound as error:
        return Found((), (Missing("lsl", "LSL cannot be used.", str(error)),))
    return Found(streams, () if streams else (NO_STREAM,))


def _look_for_tobii() -> Found:
    try:
        trackers = tuple(find_tobii())
    except TrackerError as error:
        return Found((), (Missing("tobii", str(error), TOBII_WAY_OUT),))
    return Found(trackers, () if trackers else (NO_TOBII,))


def _look_for_gazepoint() -> Found:
    try:
        return Found(tuple(find_gazepoint()))
    except TrackerError as error:
        return Found((), (Missing("gazepoint", str(error), GAZEPOINT_WAY_OUT),))


@cache
def tracker_kinds() -> dict[str, TrackerKind]:
    """Return the kinds of trackers that other distributions bring, by name."""
    found = dict[str, TrackerKind]()
    for each in plug_ins("foveate.trackers"):
        if not isinstance(each.content, TrackerKind):
            each.refuse("foveate.trackers", "it is not a TrackerKind")
        elif free("foveate.trackers", each, _OWN_KINDS):
            found[each.name] = each.content
    return found


def _look_for(name: str, kind: TrackerKind, timeout_s: float) -> Found:
    try:
        trackers = tuple(kind.find(timeout_s))
    except Exception as error:  # third-party code, which must not hide the other trackers
        _log.exception("The plug-in %s failed to look for trackers.", name)
        reason = f"Its plug-in failed: {type(error).__name__}: {error}."
        return Found((), (Missing(name, reason, kind.way_out),))
    wrong = [t.id for t in trackers if not t.id.startswith(f"{name}:") or t.kind != name]
    if wrong:
        reason = f"Its plug-in calls a tracker {wrong[0]!r}, not {name}:…, or its kind another."
        return Found((), (Missing(name, reason, kind.way_out),))
    if not trackers:
        return Found((), (Missing(name, "No tracker of this kind responds.", kind.way_out),))
    return Found(trackers)


def open_tracker(
    tracker_id: str,
    geometry: ScreenGeometry,
    *,
    rate_hz: float | None = None,
    seed: int = 0,
    network: bool = False,
) -> Tracker:
    """Return the tracker of an id, not yet connected.

    Parameters
    ----------
    tracker_id
        As `find_trackers` gives it.
    geometry
        Of the tracked screen.
    rate_hz
        If the tracker lets you choose it; None for its default.
    seed
        Of the simulated reader.
    network
        Whether LSL may leave this computer.

    Raises
    ------
    TrackerNotFound
        If no tracker has that id; the message lists those found.
    TrackerError
        If the tracker cannot run at that rate.
    """
    if not tracker_id:
        raise TrackerNotFound("No tracker is selected. Select one on the Worklist page.")
    if tracker_id == "simulated":
        parameters = SimulatedParameters() if rate_hz is None else SimulatedParameters(rate_hz)
        return SimulatedTracker(geometry, parameters, seed)
    if tracker_id == "mouse":
        return MouseTracker() if rate_hz is None else MouseTracker(rate_hz)
    if tracker_id.startswith("tobii:"):
        return open_tobii(tracker_id, rate_hz)
    if tracker_id.startswith("gazepoint:"):
        _ignore_rate(tracker_id, rate_hz)
        return open_gazepoint(tracker_id, geometry)
    kind = tracker_kinds().get(tracker_id.partition(":")[0])
    if kind is not None:
        return kind.open(tracker_id, geometry, rate_hz)
    found = find_trackers(OPEN_TIMEOUT_S, network=network)
    info = next((t for t in found.trackers if t.id == tracker_id), None)
    if info is None:
        raise TrackerNotFound(_not_there(tracker_id, found))
    _ignore_rate(info.id, rate_hz)
    return LslTracker(info, geometry=geometry, network=network)


def _ignore_rate(tracker_id: str, rate_hz: float | None) -> None:
    if rate_hz is not None:
        text = "The rate of %s is set in its own software; %g Hz ignored."
        _log.warning(text, tracker_id, rate_hz)


def _not_there(tracker_id: str, found: Found) -> str:
    there = ", ".join(info.id for info in found.trackers)
    kind = tracker_id.partition(":")[0]
    hints = "".join(f" {line}" for line in found.missing if line.kind == kind)
    return f'There is no tracker "{tracker_id}". Trackers found: {there}.{hints}'
