"""The default tracker of a station: the one it read with last, else a real one.

A stand-in (the simulated reader, the mouse or a replay) is never chosen by default.
"""

import logging
from collections.abc import Sequence

from devices.tracker import TrackerInfo
from migrations.study.cohort_rules import STAND_INS
from migrations.study.this_computer import config_folder

log = logging.getLogger(__name__)

_FILE = "tracker.txt"


def remember(info: TrackerInfo) -> None:
    """Store the tracker of a session for the next one, unless it is a stand-in."""
    if info.kind in STAND_INS:
        return
    try:
        config_folder().mkdir(parents=True, exist_ok=True)
        (config_folder() / _FILE).write_text(info.id + "\n", encoding="utf-8")
    except OSError:
        log.warning("The tracker could not be stored for the next session.", exc_info=True)


def preferred(trackers: Sequence[TrackerInfo]) -> str:
    """Return the id of the default tracker, "" for none.

    This is the station's last one if it is attached, else the only real one that is.
    """
    real = [info.id for info in trackers if info.kind not in STAND_INS]
    try:
        last = (config_folder() / _FILE).read_text(encoding="utf-8").strip()
    except OSError:
        last = ""
    if last in real:
        return last
    return real[0] if len(real) == 1 else ""
