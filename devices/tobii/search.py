"""The attached Tobii trackers, whichever way the SDK can be reached."""

from collections.abc import Callable

from devices.errors import TrackerError, TrackerNotFound
from devices.tobii.homes import BridgeHome, Home, OwnHome, load_sdk
from devices.tobii.interpreters import interpreter_with_sdk
from devices.tobii.tracker import TobiiTracker, tracker_info
from devices.tracker import TrackerInfo

FIND_TIMEOUT_S = 20.0


def home_maker() -> Callable[[], Home]:
    """Return what opens the SDK: in this process where it imports, else in the bridge.

    Raises
    ------
    TrackerNotFound
        If there is no way; the message says what is missing.
    """
    try:
        load_sdk()
    except TrackerNotFound:
        found = interpreter_with_sdk()
        if found is None:
            raise TrackerNotFound(
                "Tobii's SDK (tobii-research, for Python 3.10 only) is not set up."
            ) from None
        return lambda: BridgeHome(found.path)
    return OwnHome


def find_tobii(make_home: Callable[[], Home] | None = None) -> list[TrackerInfo]:
    """Return the attached trackers that send gaze, in order of their serial numbers.

    Raises
    ------
    TrackerNotFound
        If the SDK cannot be reached.
    TrackerError
        If it can, but the search fails.
    """
    home = (make_home or home_maker())()
    try:
        found = home.call("find", timeout_s=FIND_TIMEOUT_S)
    finally:
        home.close()
    infos = [tracker_info(d) for d in found if d["has_gaze"]]
    return sorted(infos, key=lambda info: info.serial)


def open_tobii(tracker_id: str, rate_hz: float | None = None) -> TobiiTracker:
    """Return the tracker of an id ("tobii:SERIAL"), not yet connected.

    Raises
    ------
    TrackerNotFound
        If it is not attached, or the SDK cannot be reached.
    """
    make_home = home_maker()
    infos = find_tobii(make_home)
    info = next((i for i in infos if i.id == tracker_id), None)
    if info is None:
        there = ", ".join(i.id for i in infos) or "none"
        raise TrackerNotFound(
            f'There is no Tobii tracker "{tracker_id}" (there is: {there}). Look at its cable '
            "and power, and whether Tobii Pro Eye Tracker Manager sees it."
        )
    return TobiiTracker(info, make_home, rate_hz)


__all__ = ["TrackerError", "find_tobii", "home_maker", "open_tobii"]
