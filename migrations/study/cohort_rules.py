"""Which readings count: the one rule that the workspace shows and the trainer follows."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.schema import Reading
from migrations.study.schema import Session as SessionRow

CHOICE = "cohort"
"""Key in `reading.details` of a researcher's choice: keep (None: taken back), reason, time_utc.
time_utc."""


STAND_IN = "stand_in"
"""Key in `reading.details` of the kind of tracker, if it follows no person's eyes."""
STAND_INS = ("simulated", "mouse", "replay")
_CALLED = {
    "simulated": "gaze of the simulated reader",
    "mouse": "gaze of the mouse",
    "replay": "gaze replayed from an earlier session",
}
_BADGES = {"simulated": "SIMULATED GAZE", "mouse": "MOUSE, NO GAZE", "replay": "REPLAYED GAZE"}


def badge_of(tracker_kind: str) -> str:
    """Return the badge that such a tracker's gaze carries wherever it is shown; "" for a person's.

    Parameters
    ----------
    tracker_kind
        As in `session.tracker_kind` or `TrackerInfo.kind`.
    """
    return _BADGES.get(tracker_kind, "")


def stand_in_sessions(rows: OrmSession) -> dict[str, str]:
    """Return the kind of tracker of each session that recorded no person's eyes, by session id."""
    query = select(SessionRow.id, SessionRow.tracker_kind)
    kinds = rows.execute(query.where(SessionRow.tracker_kind.in_(STAND_INS)))
    return {session_id: kind for session_id, kind in kinds}


def choice_of(reading: Reading) -> dict[str, Any] | None:
    """Return what a researcher decided about a reading; None where its rating decides."""
    choice: dict[str, Any] | None = reading.details.get(CHOICE)
    return None if choice is None or choice["keep"] is None else choice


def why_left_out(
    reading: Reading,
    earlier: Sequence[Reading] = (),
    *,
    stand_ins: Mapping[str, str],
    trial: bool,
) -> str | None:
    """Return why a reading does not count for pre-training, None where it does.

    A researcher's choice overrides the rating, in either direction. It cannot make an unfinished or
    a practice reading count, nor gaze that is not a person's. `earlier` are the interrupted parts
    that it resumes. `stand_ins` is what `stand_in_sessions` returns, since readings from before
    0.2.0 do not note it themselves. In a study whose settings say `trial`, such gaze counts.
    """
    if reading.state != "finished":
        return f"{reading.state}, never finished"
    parts = (*earlier, reading)
    if any(part.practice for part in parts):
        return "practice"
    noted = (part.details.get(STAND_IN) or stand_ins.get(part.session_id) for part in parts)
    stand_in = next(filter(None, noted), None)
    if stand_in is not None and not trial:
        return f"{_CALLED.get(stand_in, stand_in)}, not of a person (trial = false)"
    choice = choice_of(reading)
    if choice is not None:
        return None if choice["keep"] else f"excluded by hand: {choice['reason']}"
    bad = [part for part in parts if part.verdict == "bad"]
    if bad:
        reasons = ", ".join(str(r) for part in bad for r in part.verdict_reasons)
        return f"rated bad: {reasons or 'no reason given'}"
    return None
