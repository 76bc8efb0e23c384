"""Any csv, tsv or xlsx with a header, read by a column mapping, one reading at a time.

Roles: see `formats.columns.USUAL`; with `duration`, each row is a fixation. Unmapped columns are
found by their usual names, or by those of a known layout (`formats.layouts`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import (
    IntArray,
    RowCounts,
    SourceFile,
    SourceFixations,
    SourceReading,
)
from app.interchange.formats.canvas import middle, on_screen, place_of
from app.interchange.formats.columns import columns_of, has_eyes, is_own_export
from app.interchange.formats.fixation_order import in_order
from app.interchange.formats.layouts import PLAIN, Layout, layout_of, signature_of
from app.interchange.formats.table_rules import TableRules, rules_of
from app.interchange.notes import Note, note
from app.interchange.options import ImportOptions
from app.interchange.places import Place
from app.interchange.rows import RowSource
from app.interchange.sheets import open_rows
from app.interchange.surveys import Survey, streamed, survey
from app.interchange.tables import Table
from app.interchange.times import NO_TIME, clock_times, times_us
from app.interchange.validity import BoolArray
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray

_KEYS = ("image", "reading", "participant")
_WORDS = ("valid", "left_valid", "right_valid")
_NUMERIC = (
    "time", "duration", "x", "y", "left_x", "left_y", "right_x", "right_y", "left_pupil_mm",
    "right_pupil_mm", "confidence", "frame", "order",
)  # fmt: skip


def read_csv(path: Path, options: ImportOptions) -> SourceFile:
    """Read a table by its mapping.

    Raises
    ------
    GazeFileError
        If a mapped column is missing, a role unknown, a value not a number, or rows contradict each
        other.
    """
    return read_layout(path, options, "")


def read_layout(path: Path, options: ImportOptions, wanted: str) -> SourceFile:
    """Read a table of a known layout, or of any layout if none is requested.

    Raises
    ------
    GazeFileError
        As `read_csv`, and if the table does not have the requested layout.
    """
    is_tsv = path.suffix.lower() == ".tsv"
    source = open_rows(path, "\t" if is_tsv else None, options.skip_lines)
    layout = layout_of(source.names, wanted)
    if wanted and layout is PLAIN:
        raise GazeFileError(
            f"{path} does not have the layout {wanted} ({signature_of(wanted)}); its columns "
            f"are {', '.join(source.names)}."
        )
    if layout.refused and not options.columns:
        raise GazeFileError(f"{path}, {layout.what}: {layout.refused}")
    return _Reader(source, layout, options).file()


@dataclass(slots=True)
class _Reader:
    source: RowSource
    layout: Layout
    options: ImportOptions

    def file(self) -> SourceFile:
        columns = columns_of(self.source, self.layout, self.options)
        found = survey(
            self.source,
            [columns.get(role) for role in _KEYS],
            [columns[role] for role in _WORDS if role in columns],
            [columns[role] for role in _NUMERIC if role in columns],
        )
        rules = rules_of(found, columns, self.layout, self.options)
        counts = RowCounts(found.rows + self.source.left_out.total())
        counts.dropped.update(self.source.left_out)
        notes = [*self.source.notes, *self._said(found), *rules.notes, *_people(found, columns)]
        place = place_of(rules, self.options)
        return SourceFile(self._readings(found, rules, place, counts), counts, notes)

    def _said(self, found: Survey) -> list[Note]:
        notes = [note("layout", what=self.layout.what)] if self.layout.name else []
        if found.style.decimal == ",":
            notes.append(note("decimal-comma"))
        if found.style.thousands:
            what = {".": "points", ",": "commas", " ": "spaces"}.get(found.style.thousands)
            notes.append(note("thousands", what=what or "apostrophes"))
        return notes

    def _readings(
        self, found: Survey, rules: TableRules, place: Place, counts: RowCounts
    ) -> Iterator[SourceReading]:
        own = is_own_export(self.source.path, self.layout)
        keys = [rules.columns.get(role) for role in _KEYS]
        for (image, reading, person), table in streamed(self.source, found, keys):
            name = image or ("" if "image" in rules.columns else self._image())
            if not name:
                counts.dropped["no image named"] += len(table)
                continue
            made = _Rows(table, rules, self.options, self.layout, counts).reading(place)
            if made is None:
                continue
            yield replace(
                made,
                image=name,
                reader=person if own and person else None,
                participant="" if own else person,
                own_id=reading if self.layout.own else "",
            )

    def _image(self) -> str:
        return self.source.path.stem.removeprefix(self.layout.prefix)


def _people(found: Survey, columns: dict[str, str]) -> list[Note]:
    names = {key[2] for key in found.last_row if key[2]}
    if not names:
        return []
    return [note("participants", column=columns["participant"], count=len(names))]


@dataclass(slots=True)
class _Rows:
    """The rows of one reading."""

    table: Table
    rules: TableRules
    options: ImportOptions
    layout: Layout
    counts: RowCounts

    def reading(self, place: Place) -> SourceReading | None:
        """Return the reading, not yet named; None if no row is left."""
        self._leave_out_repeats()
        self._leave_out_without_duration()
        time_us = self._times()
        if time_us is not None:
            there = time_us != NO_TIME
            if not there.all():
                self.counts.dropped["no time"] += int((~there).sum())
                self.table, time_us = self.table.take(np.flatnonzero(there)), time_us[there]
        if not len(self.table):
            return None
        notes: list[Note] = []
        if "order" in self.rules.columns:
            self.table, told = in_order(self.table, self.rules.columns)
            notes += told
        if time_us is not None and (np.diff(time_us) < 0).any():
            order = np.argsort(time_us, kind="stable")
            notes.append(note("time-order", count=int((np.diff(time_us) < 0).sum())))
            self.table, time_us = self.table.take(order), time_us[order]
        points, eyes = self._points(notes)
        framed = self._framed(place)
        rules = self.rules
        details = {"unit": rules.unit, "origin": rules.origin, "time_unit": rules.time_unit}
        if "duration" in rules.columns:
            return SourceReading(
                image="", points_canvas=np.empty((0, 2)), time_us=None, place=framed,
                screen=self.options.screen, details=details, notes=tuple(notes),
                fixations=self._fixations(time_us, points, framed),
                lacks=("samples", *self._lacks()),
            )  # fmt: skip
        pupils = self._pupils(notes)
        return SourceReading(
            image="", points_canvas=points, time_us=time_us, place=framed, eyes_canvas=eyes,
            pupils_mm=pupils, screen=self.options.screen, details=details, notes=tuple(notes),
            lacks=self._lacks(),
        )  # fmt: skip

    def _leave_out_repeats(self) -> None:
        if self.layout.once not in self.rules.columns:
            return
        cells = self.table.text(self.rules.columns[self.layout.once])
        first = {cell: i for i, cell in reversed(list(enumerate(cells)))}
        kept = sorted(first.values())
        if len(kept) < len(cells):
            self.counts.dropped["repeats a fixation"] += len(cells) - len(kept)
            self.table = self.table.take(kept)

    def _leave_out_without_duration(self) -> None:
        if "duration" not in self.rules.columns:
            return
        there = np.isfinite(self.table.numbers(self.rules.columns["duration"]))
        if not there.all():
            self.counts.dropped["no duration"] += int((~there).sum())
            self.table = self.table.take(np.flatnonzero(there))

    def _times(self) -> IntArray | None:
        if "time" not in self.rules.columns:
            return None
        name = self.rules.columns["time"]
        if self.rules.time_unit == "clock":
            return clock_times(self.table.path, name, self.table.text(name))
        return times_us(self.table.numbers(name), self.rules.time_unit)

    def _points(self, notes: list[Note]) -> tuple[FloatArray, tuple[FloatArray, FloatArray] | None]:
        """Return the point of gaze (N, 2), and both eyes if they are separate."""
        columns = self.rules.columns
        lost = ~self._valid("valid") | self._doubted()
        missing = np.zeros(len(self.table), bool)
        coded_as: dict[str, None] = {}

        def column_pair(prefix: str) -> FloatArray:
            nonlocal missing
            if f"{prefix}x" not in columns or f"{prefix}y" not in columns:
                return np.full((len(self.table), 2), np.nan)
            pair = np.column_stack([self.table.numbers(columns[f"{prefix}{a}"]) for a in "xy"])
            coded = self.rules.missing.lost(pair)
            missing |= coded
            coded_as.update(dict.fromkeys(self.rules.missing.found(pair)))
            gone = lost | coded | (~self._valid(f"{prefix}valid") if prefix else False)
            return on_screen(np.where(gone[:, None], np.nan, pair), self.rules, self.options)

        points = column_pair("")
        eyes = (column_pair("left_"), column_pair("right_")) if has_eyes(columns) else None
        if missing.any():
            notes.append(note("missing", count=int(missing.sum()), what=" or ".join(coded_as)))
        if eyes is None:
            return points, None
        return (points if {"x", "y"} <= set(columns) else middle(*eyes)), eyes

    def _valid(self, role: str) -> BoolArray:
        if role not in self.rules.valid:
            return np.ones(len(self.table), bool)
        return self.rules.valid[role](self.table.text(self.rules.columns[role]))

    def _doubted(self) -> BoolArray:
        if self.rules.min_confidence is None or "confidence" not in self.rules.columns:
            return np.zeros(len(self.table), bool)
        with np.errstate(invalid="ignore"):
            values = self.table.numbers(self.rules.columns["confidence"])
            return ~(values >= self.rules.min_confidence)

    def _framed(self, place: Place) -> Place:
        """Return the placement with the stack frames named by the rows."""
        if "frame" not in self.rules.columns:
            return place
        frames = self.table.numbers(self.rules.columns["frame"])
        if not np.isfinite(frames).any():
            return place
        between = frames[np.isfinite(frames) & (frames != np.rint(frames))]
        if len(between):
            raise GazeFileError(
                f"{self.table.path}: column `{self.rules.columns['frame']}` contains "
                f"{between[0]:g}, which is not a frame number."
            )
        filled = np.where(np.isfinite(frames), frames, -1).astype(np.int64)
        last = np.maximum.accumulate(np.where(filled >= 0, np.arange(len(filled)), -1))
        filled = filled[np.where(last < 0, int(np.argmax(filled >= 0)), last)]
        firsts = np.flatnonzero(np.r_[True, np.diff(filled) != 0])
        return Place(
            place.rule, place.values, place.listed, tuple((int(i), int(filled[i])) for i in firsts)
        )

    def _fixations(
        self, time_us: IntArray | None, points: FloatArray, place: Place
    ) -> SourceFixations:
        values = self.table.numbers(self.rules.columns["duration"])
        duration_us = times_us(values, self.rules.duration_unit)
        if time_us is None:
            time_us = np.concatenate(([0], np.cumsum(duration_us)[:-1])).astype(np.int64)
        return SourceFixations(time_us, duration_us, points, place)

    def _pupils(self, notes: list[Note]) -> FloatArray | None:
        names = [self.rules.columns.get(f"{side}_pupil_mm") for side in ("left", "right")]
        if not any(names):
            return None
        sizes = np.column_stack([self.table.numbers(name) for name in names])
        with np.errstate(invalid="ignore"):
            none = sizes <= 0
        if none.any():
            notes.append(note("pupil-missing", count=int(none.sum())))
            sizes[none] = np.nan
        return sizes

    def _lacks(self) -> tuple[str, ...]:
        columns = self.rules.columns
        lacks = [] if "time" in columns else ["time"]
        lacks += [] if self.options.screen is not None else ["geometry"]
        lacks += [] if has_eyes(columns) else ["eyes"]
        lacks += [] if {"left_pupil_mm", "right_pupil_mm"} & set(columns) else ["pupil"]
        return tuple(lacks)
