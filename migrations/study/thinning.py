"""Which backups are kept: the latest of each hour, day and week; fewer if the disk is nearly full.

Copies from before an upgrade (``…-schema-0001.sqlite``) are never removed.
"""

import re
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

_HOURLY = timedelta(days=1)
_DAILY = timedelta(days=14)
_STAMPED = re.compile(r"-(\d{8}T\d{12})Z\.sqlite$")
LEAST = 3
"""This many of the latest are kept, however full the disk is."""
_FREE_SHARE = 0.05


def kept(instants: Iterable[datetime], now: datetime) -> list[datetime]:
    """Return the times (UTC) whose backups are kept, latest first.

    The latest of each hour of the last day, of each day of the last two weeks, and of each week
    before that.
    """
    found: dict[tuple[object, ...], datetime] = {}
    for instant in sorted(instants, reverse=True):
        found.setdefault(_slot(instant, now), instant)
    return sorted(found.values(), reverse=True)


def thin(
    folder: Path, stem: str, free_share: Callable[[Path], float] = lambda path: _free_share(path)
) -> list[Path]:
    """Remove the backups in a folder that need not be kept; return them.

    Parameters
    ----------
    free_share
        Returns the free share of a folder's disk, 0 to 1. Below a twentieth, the oldest are removed
        too.
    """
    stamped = {}
    for path in folder.glob(f"{stem}-*.sqlite"):
        match = _STAMPED.search(path.name)
        if match:
            instant = datetime.strptime(match[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
            stamped[instant] = path
    stay = kept(stamped, datetime.now(UTC))
    gone = [path for instant, path in stamped.items() if instant not in stay]
    for path in gone:
        path.unlink()
    while len(stay) > LEAST and free_share(folder) < _FREE_SHARE:
        gone.append(stamped[stay.pop()])
        gone[-1].unlink()
    return gone


def _slot(instant: datetime, now: datetime) -> tuple[object, ...]:
    age = now - instant
    if age < _HOURLY:
        return ("hour", instant.date(), instant.hour)
    if age < _DAILY:
        return ("day", instant.date())
    return ("week", *instant.isocalendar()[:2])


def _free_share(folder: Path) -> float:
    usage = shutil.disk_usage(folder)
    return usage.free / usage.total
