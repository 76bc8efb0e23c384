"""Which rows of a Tobii export are samples of the eye tracker, and of which showing."""

import re

from app.interchange.formats.tobii_columns import TobiiColumns
from app.interchange.options import ImportOptions
from app.interchange.rows import Row

EVENT = "event, not a sample"
_SHOWN = re.compile(r"(image|media|video|web|stimulus)\w*start", re.IGNORECASE)


class RowKinds:
    """Distinguishes rows of the eye tracker from others."""

    def __init__(self, columns: TobiiColumns, options: ImportOptions) -> None:
        at = {role: columns.names.index(name) for role, name in columns.one.items()}
        person = None if options.participant == "none" else at.get("participant")
        self._key = (at["media"], person, at.get("recording"))
        self._sensor, self._event = at.get("sensor"), at.get("event")
        self._time = columns.names.index(columns.time)
        measured = [n for k, pair in columns.points.items() if k[0] == "gaze" for n in pair]
        valid = [columns.one[r] for r in ("left_valid", "right_valid") if r in columns.one]
        self._measured = [columns.names.index(name) for name in measured + valid]

    def key_of(self, row: Row) -> tuple[str, str, str]:
        """Return media, participant and recording."""
        media, person, recording = ("" if at is None else row[at].strip() for at in self._key)
        return media, person, recording

    def begins(self, row: Row) -> bool:
        """Whether an event marks the start of a stimulus."""
        return self._event is not None and bool(_SHOWN.search(row[self._event].replace(" ", "")))

    def reason_of(self, row: Row) -> str:
        """Return why a row is not a sample; "" if it is one."""
        if self._sensor is not None:
            sensor = row[self._sensor].strip()
            if not sensor:
                return EVENT
            if "eye" not in sensor.lower():
                return f"row of {sensor[:40]}, not of the eye tracker"
        elif (
            self._event is not None
            and row[self._event].strip()
            and not any(row[at].strip() for at in self._measured)
        ):
            return EVENT
        if not row[self._key[0]].strip():
            return "no media shown"
        return "" if row[self._time].strip() else "no time"
