"""The gaze streams that the lab streaming layer (LSL) offers, and their descriptions."""

import logging
import os
import threading
from types import ModuleType
from typing import Any

from devices.errors import TrackerNotFound
from devices.lsl.identity import ids_of, uid_in
from devices.lsl.layouts import Channel
from devices.program import as_typed
from devices.tracker import TrackerInfo

GAZE_TYPES = ("gaze", "eyetracker")
"""Stream types taken for gaze, in lower case; App-TobiiPro calls its own "Eyetracker"."""
LOOPBACK_CONFIG = """\
[ports]
IPv6 = disable
[multicast]
ResolveScope = machine
AddressesOverride = {127.0.0.1}
Interfaces = {127.0.0.1}
ListenAddress = 127.0.0.1
[log]
level = -2
"""
TWIN_S = 1.0
"""How long to listen for a second outlet of the same source."""
NETWORK_VARIABLE = "FOVEATE_LSL_NETWORK"

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_configured_network: bool | None = None


def load_pylsl(network: bool = False) -> ModuleType:
    """Return pylsl, kept to this computer unless the network is allowed.

    The first call decides for the life of the process: liblsl reads its configuration once.

    Parameters
    ----------
    network
        Whether to find and be found on the network; the environment variable
        FOVEATE_LSL_NETWORK=1 allows it too.

    Raises
    ------
    TrackerNotFound
        If pylsl or its library is not installed; names the extra that brings it.
    """
    global _configured_network
    try:
        import pylsl
    except (ImportError, OSError, RuntimeError) as error:
        raise TrackerNotFound(
            f"LSL needs the package pylsl, which cannot be loaded ({error}). "
            + as_typed('Install Foveate with the extra "station": pip install -e ".[station]".')
        ) from error
    with _lock:
        wanted = network or os.environ.get(NETWORK_VARIABLE) == "1"
        if _configured_network is None:
            if not wanted:
                pylsl.set_config_content(LOOPBACK_CONFIG)
            _configured_network = wanted
        elif _configured_network != wanted:
            _log.warning("LSL keeps its first setting, network=%s.", _configured_network)
    module: ModuleType = pylsl
    return module


def find_streams(timeout_s: float = 1.0, *, network: bool = False) -> list[TrackerInfo]:
    """Return the gaze streams that can be heard within `timeout_s`, in order of name.

    Raises
    ------
    TrackerNotFound
        If pylsl is not installed.
    """
    streams = resolve(load_pylsl(network), timeout_s)
    found = (tracker_info(*each) for each in zip(streams, ids_of(streams), strict=True))
    return sorted(found, key=lambda info: (info.name, info.id))


def resolve(pylsl: ModuleType, timeout_s: float, wanted: TrackerInfo | None = None) -> list[Any]:
    """Return the gaze streams heard; of the wanted one's source only, if one is named.

    That one is given out as soon as it is there, but not before others of its source had
    `TWIN_S` to be heard.
    """
    if wanted is None:
        streams = pylsl.resolve_streams(wait_time=timeout_s)
    elif uid := uid_in(wanted.id):
        streams = pylsl.resolve_bypred(f"starts-with(uid,'{uid}')", minimum=1, timeout=timeout_s)
    else:
        prop = "source_id" if wanted.serial else "name"
        key = wanted.serial or wanted.name
        streams = pylsl.resolve_byprop(prop, key, minimum=2, timeout=min(TWIN_S, timeout_s))
        if not streams:
            streams = pylsl.resolve_byprop(prop, key, minimum=1, timeout=timeout_s)
    return [s for s in streams if s.type().strip().lower() in GAZE_TYPES]


def tracker_info(stream: Any, tracker_id: str) -> TrackerInfo:
    """Return what the catalogue shows for a stream."""
    rate_hz = stream.nominal_srate()
    # App-TobiiPro says 600 Hz whatever its tracker does.
    is_trusted = rate_hz > 0 and stream.type().lower() != "eyetracker"
    return TrackerInfo(
        id=tracker_id,
        kind="lsl",
        name=stream.name(),
        serial=stream.source_id(),
        rate_hz=rate_hz if is_trusted else None,
        note=f"{stream.channel_count()} channels from {stream.hostname()}; calibrated by its own "
        "software",
    )


def channels_of(info: Any) -> list[Channel]:
    """Return the described channels, filled up to the stream's count."""
    found: list[Channel] = []
    element = info.desc().child("channels").child("channel")
    while not element.empty() and len(found) < info.channel_count():
        found.append(
            Channel(
                element.child_value("label"),
                element.child_value("eye"),
                element.child_value("type"),
                element.child_value("unit"),
                element.child_value("coordinate_system"),
            )
        )
        element = element.next_sibling("channel")
    return found + [Channel("")] * (info.channel_count() - len(found))
