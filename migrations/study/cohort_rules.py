"""Which readings count: the one rule that the workspace shows and the trainer follows."""

from collections.abc import Sequence
from typing import Any

from migrations.study.schema import Reading

CHOICE = "cohort"
"""Key of `reading.details` under which a researcher's choice lies: keep (None: taken back), reason,
time_utc."""


def choice_of(reading: Reading) -> dict[str, Any] | None:
    """Return what a researcher decided of a reading; None where its verdict decides."""
    choice: dict[str, Any] | None = reading.details.get(CHOICE)
    return None if choice is None or choice["keep"] is None else choice


def why_left_out(reading: Reading, earlier: Sequence[Reading] = ()) -> str | None:
    """Return why a reading does not count for pre-training, None where it does.

    A researcher's choice goes over the quality verdict, in either direction; it cannot make an
    unfinished or a practice reading count. `earlier` are the interrupted parts that it resumes.
    """
    if reading.state != "finished":
        return f"{reading.state}, never finished"
    parts = (*earlier, reading)
    if any(part.practice for part in parts):
        return "practice"
    choice = choice_of(reading)
    if choice is not None:
        return None if choice["keep"] else f"dropped by hand: {choice['reason']}"
    bad = [part for part in parts if part.verdict == "bad"]
    if bad:
        reasons = ", ".join(str(r) for part in bad for r in part.verdict_reasons)
        return f"verdict bad: {reasons or 'no reason given'}"
    return None
