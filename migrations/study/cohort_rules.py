"""Which readings count: the one rule that the workspace shows and the trainer follows."""

from collections.abc import Sequence
from typing import Any

from migrations.study.schema import Reading

CHOICE = "cohort"
"""Key of `reading.details` under which a researcher's choice lies: keep (None: taken back), reason,
time_utc."""


STAND_IN = "stand_in"
"""Key of `reading.details` under which the kind of a tracker lies that follows no person's eyes."""
STAND_INS = ("simulated", "mouse")
_CALLED = {"simulated": "the simulated reader", "mouse": "the mouse"}


def choice_of(reading: Reading) -> dict[str, Any] | None:
    """Return what a researcher decided of a reading; None where its verdict decides."""
    choice: dict[str, Any] | None = reading.details.get(CHOICE)
    return None if choice is None or choice["keep"] is None else choice


def why_left_out(reading: Reading, earlier: Sequence[Reading] = (), *, trial: bool) -> str | None:
    """Return why a reading does not count for pre-training, None where it does.

    A researcher's choice goes over the quality verdict, in either direction; it cannot make an
    unfinished or a practice reading count, nor gaze that is not of a person. `earlier` are the
    interrupted parts that it resumes; `trial` is what the study's settings say: there such gaze
    counts.
    """
    if reading.state != "finished":
        return f"{reading.state}, never finished"
    parts = (*earlier, reading)
    if any(part.practice for part in parts):
        return "practice"
    stand_in = next((part.details[STAND_IN] for part in parts if STAND_IN in part.details), None)
    if stand_in is not None and not trial:
        return f"gaze of {_CALLED.get(stand_in, stand_in)}, not of a person (trial = false)"
    choice = choice_of(reading)
    if choice is not None:
        return None if choice["keep"] else f"dropped by hand: {choice['reason']}"
    bad = [part for part in parts if part.verdict == "bad"]
    if bad:
        reasons = ", ".join(str(r) for part in bad for r in part.verdict_reasons)
        return f"verdict bad: {reasons or 'no reason given'}"
    return None
