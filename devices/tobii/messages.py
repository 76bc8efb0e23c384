"""The SDK's messages besides gaze, translated into the tracker protocol."""

from typing import Any

from devices.tracker import DeviceEvent, EventKind

CLOCK_KINDS = ("clock", "time_sync")
_KINDS: dict[str, EventKind] = {
    "fault": "fault",
    "warning": "fault",
    "overflow": "overflow",
    "stream_error": "fault",
    "display_area": "display_area",
    "rate": "fault",
    "lacks": "fault",
}


def event_of(message: dict[str, Any], now_us: int, name: str) -> DeviceEvent | None:
    """Return the event of a message of the session; None for one that says nothing to the user."""
    kind = message["event"]
    if kind not in _KINDS:
        return None
    data = {k: v for k, v in message.items() if isinstance(v, int | float | str) and k != "event"}
    return DeviceEvent(now_us, _KINDS[kind], f"{name}: {_told(kind, message)}", data)


def _told(kind: str, message: dict[str, Any]) -> str:
    if kind == "fault":
        return f"reports the fault {message.get('faults', '')}. Restart it."
    if kind == "warning":
        return f"warns: {message.get('warnings', '')}."
    if kind == "overflow":
        stream = message.get("notification_source_stream", "a stream")
        return f"samples of {stream} were lost because this computer was too slow."
    if kind == "display_area":
        return "its display area has changed. Calibrate again."
    if kind == "rate":
        return f"now runs at {message.get('gaze_output_frequency')} Hz."
    if kind == "lacks":
        return f"does not offer {message['stream']} ({message['detail']})."
    return f"{message.get('message', '')} ({message.get('error', '')})"
