"""Tobii's data exports, of Studio and of Pro Lab, as tsv or xlsx.

One file contains any number of participants, recordings and stimuli, in order of time within a
recording. Rows of other sensors and of events are mixed with those of the eye tracker. Each showing
of a stimulus is a reading. The screen's resolution and the position of the media on it are columns
too; the screen's size in millimetres is not, so degrees are assumed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import (
    RowCounts,
    SourceFile,
    SourceReading,
)
from app.interchange.formats.tobii_columns import TobiiColumns, tobii_columns
from app.interchange.formats.tobii_reading import Showing
from app.interchange.formats.tobii_rows import EVENT, RowKinds
from app.interchange.notes import Note, note
from app.interchange.options import ImportOptions
from app.interchange.rows import RowSource
from app.interchange.sheets import is_sheet, open_rows
from app.interchange.surveys import Survey, steps, survey
from app.interchange.tables import Key, Table
from app.interchange.times import sample_unit
from app.interchange.validity import ValidWhen, rule_of, said_rule
from devices.gaze.errors import GazeFileError

_NUMERIC = ("left_pupil", "right_pupil", "duration", "width", "height")


def read_tobii_tsv(path: Path, options: ImportOptions) -> SourceFile:
    """Read one export of any number of participants and stimuli.

    Raises
    ------
    GazeFileError
        If a column is missing, a value is not a number, or values contradict each other.
    """
    source = open_rows(path, None if is_sheet(path) else "\t", options.skip_lines)
    columns = tobii_columns(path, source.names)
    valid = [columns.one[r] for r in ("left_valid", "right_valid") if r in columns.one]
    pairs = [*columns.points.values(), *([columns.position] if columns.position else [])]
    sizes = [columns.one[r] for r in _NUMERIC if r in columns.one]
    numeric = [columns.time, *(name for pair in pairs for name in pair), *sizes]
    found = survey(source, [], valid, numeric)
    return _Export(source, columns, options, found).file()


@dataclass(slots=True)
class _Export:
    source: RowSource
    columns: TobiiColumns
    options: ImportOptions
    found: Survey
    counts: RowCounts = field(default_factory=RowCounts)
    notes: list[Note] = field(default_factory=list)

    def file(self) -> SourceFile:
        self.counts.read = self.found.rows + self.source.left_out.total()
        self.counts.dropped.update(self.source.left_out)
        self.notes += self.source.notes
        if self.found.style.decimal == ",":
            self.notes.append(note("decimal-comma"))
        frame = self._frame()
        unit = self._time_unit()
        reader = Showing(
            self.columns, self.options, frame, unit, self._rules(frame),
            self._frame_of_fixations(frame),
        )  # fmt: skip
        if frame.startswith("media"):
            self.notes.append(note("mcs"))
        if frame == "mm":
            self.notes.append(note("mm"))
        return SourceFile(self._readings(reader), self.counts, self.notes)

    def _sample(self) -> Table:
        assert self.found.sample is not None
        return self.found.sample

    def _frame(self) -> str:
        """Return the first frame that contains gaze."""
        frames = self.columns.frames
        for frame in frames:
            pairs = [p for k, p in self.columns.points.items() if k[0] == "gaze" and k[2] == frame]
            if any(np.isfinite(self._sample().numbers(x)).any() for x, _ in pairs):
                break
        else:
            frame = frames[0]
        if frame == "mm" and not self.options.screen_mm_said:
            raise GazeFileError(
                f"{self.source.path} contains gaze only in mm. Give the screen's size with "
                "--screen WIDTHxHEIGHT --screen-mm WIDTHxHEIGHT, or export DACS px."
            )
        return frame

    def _frame_of_fixations(self, gaze: str) -> str | None:
        order = (gaze, "screen", "media", "media-share")
        return next((f for f in order if ("fixation", "", f) in self.columns.points), None)

    def _time_unit(self) -> str:
        name = self.columns.time
        own = steps(self._sample(), self.found.pieces, name)
        unit, notes = sample_unit(self.source.path, name, own, self.options.time_unit)
        self.notes += notes
        return unit

    def _rules(self, frame: str) -> dict[str, ValidWhen]:
        """Return, for each eye, which words of its validity mean gaze, judged by the whole file."""
        rules = {}
        for side in ("left", "right"):
            name = self.columns.one.get(f"{side}_valid")
            if name is None:
                continue
            if self.options.valid_when is not None:
                rules[side] = said_rule(self.options.valid_when)
                continue
            if not any(self.found.words[name]):
                continue
            pair = self.columns.points.get(("gaze", side, frame))
            gaze = self._sample().numbers(pair[0] if pair else None)
            rules[side], said = rule_of(
                self.source.path, name, self.found.words[name], self._sample().text(name),
                np.isfinite(gaze), zero_is_best=self.columns.studio,
            )  # fmt: skip
            self.notes.append(said)
        return rules

    def _readings(self, reader: Showing) -> Iterator[SourceReading]:
        """Yield each showing when the next one begins: rows of a showing are never separated."""
        shown: dict[Key, int] = {}
        people: set[str] = set()
        for key, table in self._showings():
            shown[key] = shown.get(key, 0) + 1
            if key[1]:
                people.add(key[1])
            made = reader.reading(table, key, shown[key], self.counts)
            if made is not None:
                yield made
        if people and self.options.participant != "none":
            name = self.columns.one["participant"]
            self.notes.append(note("participants", column=name, count=len(people)))

    def _showings(self) -> Iterator[tuple[Key, Table]]:
        rows = RowKinds(self.columns, self.options)
        open_showings: dict[tuple[str, str], tuple[Key, Table]] = {}
        for batch in self.source.batches():
            for row, line in zip(batch.rows, batch.lines, strict=True):
                key, reason = rows.key_of(row), rows.reason_of(row)
                sitting = key[1:]
                own = open_showings.get(sitting)
                if own is not None and (
                    rows.begins(row) if reason == EVENT else not reason.startswith("row of")
                    and own[0] != key
                ):  # fmt: skip
                    yield open_showings.pop(sitting)
                    own = None
                if reason:
                    self.counts.dropped[reason] += 1
                    continue
                if own is None:
                    path, style = self.source.path, self.found.style
                    own = (key, Table(path, self.source.names, [], [], style))
                    open_showings[sitting] = own
                own[1].rows.append(row)
                own[1].lines.append(line)
        yield from open_showings.values()
