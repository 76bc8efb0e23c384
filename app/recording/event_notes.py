"""What a device reported during a case, as notes of the reading."""

from collections.abc import Iterable, Mapping
from typing import Any

NOTES = "notes"
"""Key of the notes in `reading.details`: [{code, text}]; codes: docs/reliability.md."""

_STANDS = "display_area"


def notes_of(
    events: Iterable[Mapping[str, Any]], started_us: int, ended_us: int
) -> list[dict[str, str]]:
    """Return the notes of a reading from the events of its recording, in order.

    A gap belongs to each reading that it touches, whenever it was reported. What was reported about
    the tracked screen applies until it is reported anew.
    """
    told = list(events)
    screens = [event for event in told if event["kind"] == _STANDS]
    standing = [event for event in screens if event["time_us"] < started_us][-1:]
    return [
        {"code": str(event["kind"]), "text": str(event["detail"])}
        for event in told
        if event in standing or _touches(event, started_us, ended_us)
    ]


def _touches(event: Mapping[str, Any], started_us: int, ended_us: int) -> bool:
    data = event.get("data") or {}
    from_us, to_us = data.get("from_us", event["time_us"]), data.get("to_us", event["time_us"])
    return bool(from_us < ended_us and to_us >= started_us)


def joined(details: Mapping[str, Any], notes: list[dict[str, str]]) -> dict[str, Any]:
    """Return a reading's details with notes added to those it has."""
    if not notes:
        return dict(details)
    return {**details, NOTES: [*details.get(NOTES, ()), *notes]}
