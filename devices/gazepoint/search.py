"""Whether Gazepoint Control is running, and which tracker it has."""

import os
import time

from devices.errors import TrackerError, TrackerNotFound
from devices.gaze.geometry import ScreenGeometry
from devices.gazepoint.greeting import describe
from devices.gazepoint.link import Address, Link, place
from devices.gazepoint.tracker import GazepointTracker
from devices.tracker import TrackerInfo

VARIABLE = "FOVEATE_GAZEPOINT"
DEFAULT: Address = ("127.0.0.1", 4242)
FIND_S = 0.4
WAY_OUT = (
    f"Start Gazepoint Control on this computer; set {VARIABLE}=HOST:PORT if it listens elsewhere."
)


def address_in_force() -> Address:
    """Return where Control is looked for: loopback, unless FOVEATE_GAZEPOINT says otherwise.

    Raises
    ------
    TrackerError
        If its value is not HOST:PORT.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return DEFAULT
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and 0 < int(port) < 65_536):
        raise TrackerError(f'{VARIABLE} is "{text}"; it must be HOST:PORT, such as 127.0.0.1:4242.')
    return host.strip("[]"), int(port)


def find_gazepoint() -> list[TrackerInfo]:
    """Return the tracker that Gazepoint Control has; blocks about a second at most.

    Raises
    ------
    TrackerNotFound
        If nothing listens there.
    TrackerError
        If another program listens there, or Control has no tracker.
    """
    link = Link(address_in_force(), lambda: time.perf_counter_ns() / 1e3, FIND_S)
    try:
        return [describe(link, FIND_S)]
    finally:
        link.close()


def open_gazepoint(tracker_id: str, geometry: ScreenGeometry | None = None) -> GazepointTracker:
    """Return the tracker of an id ("gazepoint:SERIAL"), not yet connected.

    Raises
    ------
    TrackerNotFound
        If it is not there.
    """
    address = address_in_force()
    try:
        infos = find_gazepoint()
    except TrackerNotFound as error:
        raise TrackerNotFound(f"{error} {WAY_OUT}") from error
    info = next((info for info in infos if info.id == tracker_id), None)
    if info is None:
        there = ", ".join(info.id for info in infos)
        raise TrackerNotFound(
            f'There is no tracker "{tracker_id}" at {place(address)} (found: {there}).'
        )
    return GazepointTracker(info, address, geometry)
