"""What an import reports while it runs, and about each file when it is done."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.interchange.notes import Note
from app.interchange.store import ImportedReading
from migrations.study.names import short_name


@dataclass(frozen=True, slots=True)
class FileReport:
    """The result for one file of gaze.

    Attributes
    ----------
    status
        "accepted" (at least one new reading), "known", or "refused".
    reason
        Why it was refused, or why reading it stopped before its end.
    dropped
        Reason → rows.
    lacks
        What the source does not provide.
    notes
        What was inferred about the file and its readings: each code once.
    readings
        One for each reading that was written or already known.
    """

    path: Path
    status: str
    reason: str = ""
    rows_read: int = 0
    rows_kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    readings: tuple[ImportedReading, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON, with the names of readings and images."""
        table = asdict(self) | {"path": str(self.path)}
        for row in table["readings"]:
            row["reading_name"] = short_name(row["reading_id"])
            row["image_name"] = short_name(row["image_id"])
        return table | {"rows_dropped": sum(self.dropped.values())}


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """Progress of an import: file `number` of `files`, rows and readings of this file so far."""

    path: Path
    number: int
    files: int
    readings: int
    rows: int
    rows_of_file: int
    seconds: float

    @property
    def text(self) -> str:
        """The same in words, with rate and time left."""
        rate = self.rows / max(self.seconds, 1e-9)
        left_s = max(self.rows_of_file - self.rows, 0) / max(rate, 1e-9) if self.rows else 0.0
        return (
            f"file {self.number} of {self.files}: {self.readings} readings, {self.rows} of "
            f"{self.rows_of_file} rows, {rate:,.0f} rows/s, {left_s:.0f} s left"
        )
