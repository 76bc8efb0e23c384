"""Which LSL outlet is meant: by source id where that is enough, else by host and uid beside it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from devices.errors import AmbiguousStream

PREFIX = "lsl:"
_UID_CHARACTERS = 8


def source_of(stream: Any) -> str:
    """Return the identity of an outlet: its source id, or else its name."""
    return str(stream.source_id() or stream.name())


def ids_of(streams: Sequence[Any]) -> list[str]:
    """Return an id for each outlet, all of them different.

    One source is called by its id alone, which outlasts a restart; outlets that share it on several
    computers by the host too, and those that share both by the start of their uid.
    """
    sources = Counter(source_of(s) for s in streams)
    places = Counter((source_of(s), s.hostname()) for s in streams)
    return [_id_of(s, sources, places) for s in streams]


def _id_of(stream: Any, sources: Counter[str], places: Counter[tuple[str, str]]) -> str:
    source, host = source_of(stream), stream.hostname()
    if sources[source] == 1:
        return f"{PREFIX}{source}"
    uid = f"#{stream.uid()[:_UID_CHARACTERS]}" if places[source, host] > 1 else ""
    return f"{PREFIX}{source}@{host}{uid}"


def names_of(stream: Any) -> tuple[str, str, str]:
    """Return the three ids by which an outlet may be requested, the shortest first."""
    source, host = source_of(stream), stream.hostname()
    long = f"{PREFIX}{source}@{host}"
    return f"{PREFIX}{source}", long, f"{long}#{stream.uid()[:_UID_CHARACTERS]}"


def uid_in(tracker_id: str) -> str:
    """Return the start of the uid that an id names, "" for none."""
    start = tracker_id.rpartition("#")[2]
    is_one = "#" in tracker_id and len(start) == _UID_CHARACTERS
    return start if is_one and start.isalnum() else ""


def meant(streams: Sequence[Any], tracker_id: str) -> Any | None:
    """Return the outlet of an id; None if it is not there.

    Raises
    ------
    AmbiguousStream
        If several outlets have that id; the message names their unique ids.
    """
    fitting = {s.uid(): s for s in streams if tracker_id in names_of(s)}
    if len(fitting) > 1:
        ids = ", ".join(sorted(names_of(s)[2] for s in fitting.values()))
        raise AmbiguousStream(
            f'{len(fitting)} LSL streams are called "{tracker_id}". Choose one of them by its own '
            f"id ({ids}), or end the sender that is not wanted."
        )
    return next(iter(fitting.values()), None)
