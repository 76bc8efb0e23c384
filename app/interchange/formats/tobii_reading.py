"""Turns a Tobii export's rows of one showing of a stimulus into a reading."""

import re
from dataclasses import dataclass

import numpy as np

from app.interchange.foreign_reading import IntArray, RowCounts, SourceFixations, SourceReading
from app.interchange.formats.canvas import middle
from app.interchange.formats.tobii_columns import TobiiColumns
from app.interchange.notes import Note, note
from app.interchange.options import ImportOptions
from app.interchange.places import Place, fitted_screen, image_axes, shown_at, whole_image
from app.interchange.tables import Key, Table
from app.interchange.times import NO_TIME, times_us, unit_in
from app.interchange.validity import BoolArray, ValidWhen, missing_codes
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray, ScreenGeometry

ASSUMED_MM_PER_PX = 0.27
_SIZE = re.compile(r"\s*(\d+)\s*[x×,;]\s*(\d+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Showing:
    """Makes a reading from the rows of one showing."""

    columns: TobiiColumns
    options: ImportOptions
    frame: str
    unit: str
    rules: dict[str, ValidWhen]
    fixation_frame: str | None

    def reading(
        self, table: Table, key: Key, number: int, counts: RowCounts
    ) -> SourceReading | None:
        """Return the reading; None if no row has a time. `number` counts showings from 1."""
        time_us = times_us(table.numbers(self.columns.time), self.unit)
        there = time_us != NO_TIME
        if not there.all():
            counts.dropped["no time"] += int((~there).sum())
            table, time_us = table.take(np.flatnonzero(there)), time_us[there]
        if not len(table):
            return None
        notes: list[Note] = []
        back = int((np.diff(time_us) < 0).sum())
        if back:
            order = np.argsort(time_us, kind="stable")
            notes.append(note("time-order", count=back))
            table, time_us = table.take(order), time_us[order]
        on_screen = self.frame in ("screen", "mm")
        screen = self._screen(table, needed=on_screen)
        place, known = self._place(table, screen, self.frame)
        points, eyes = self._points(table, screen, notes)
        has_eyes = bool(np.isfinite(eyes[0]).any() or np.isfinite(eyes[1]).any())
        if number > 1:
            notes.append(note("shown-again", number=number))
        return SourceReading(
            image=key[0],
            participant=key[1],
            points_canvas=points,
            time_us=time_us,
            place=place,
            eyes_canvas=eyes if has_eyes else None,
            pupils_mm=self._pupils(table),
            screen=screen if on_screen else None,
            fixations=self._fixations(table, time_us, screen),
            lacks=(
                "screen size in mm", *(() if known else ("geometry",)),
                *(() if has_eyes else ("eyes",)),
            ),
            details={"time_unit": self.unit, "frame": self.frame, "showing": number},
            notes=tuple(notes),
        )  # fmt: skip

    def _points(
        self, table: Table, screen: ScreenGeometry | None, notes: list[Note]
    ) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
        """Return the point of gaze and both eyes, (N, 2) each."""
        codes = missing_codes(self.options.missing, corner_is_lost=True)
        missing = np.zeros(len(table), bool)
        coded_as: dict[str, None] = {}
        valid = {side: self._valid(table, side) for side in ("left", "right")}

        def pair(side: str) -> FloatArray:
            nonlocal missing
            names = self.columns.points.get(("gaze", side, self.frame))
            if names is None:
                return np.full((len(table), 2), np.nan)
            points = np.column_stack([table.numbers(name) for name in names])
            coded = codes.lost(points)
            missing |= coded
            coded_as.update(dict.fromkeys(codes.found(points)))
            lost = coded | (~valid[side] if side else self._none_valid(valid, table))
            return self._in_px(np.where(lost[:, None], np.nan, points), screen)

        points, eyes = pair(""), (pair("left"), pair("right"))
        if missing.any():
            notes.append(note("missing", count=int(missing.sum()), what=" or ".join(coded_as)))
        if ("gaze", "", self.frame) not in self.columns.points or np.isnan(points).all():
            points = middle(*eyes)
        return points, eyes

    def _valid(self, table: Table, side: str) -> BoolArray:
        if side not in self.rules:
            return np.ones(len(table), bool)
        return self.rules[side](table.text(self.columns.one[f"{side}_valid"]))

    def _none_valid(self, valid: dict[str, BoolArray], table: Table) -> BoolArray:
        """Return where both eyes are lost; nowhere if their validity is not given."""
        if len(self.rules) < 2:
            return np.zeros(len(table), bool)
        return ~(valid["left"] | valid["right"])

    def _in_px(self, points: FloatArray, screen: ScreenGeometry | None) -> FloatArray:
        if self.frame != "mm" or screen is None:
            return points
        size_mm = np.array([screen.width_mm, screen.height_mm])
        return screen.norm_to_screen(points / size_mm)

    def _pupils(self, table: Table) -> FloatArray | None:
        names = [self.columns.one.get(f"{side}_pupil") for side in ("left", "right")]
        if not any(names):
            return None
        sizes = np.column_stack([table.numbers(name) for name in names])
        with np.errstate(invalid="ignore"):
            sizes[sizes <= 0] = np.nan
        return sizes

    def _screen(self, table: Table, *, needed: bool) -> ScreenGeometry | None:
        if self.options.screen is not None:
            return self.options.screen
        size = [_first(table, self.columns.one.get(f"screen_{a}")) for a in ("width", "height")]
        resolution = self.columns.one.get("resolution")
        if None in size and resolution is not None:
            said = next((_SIZE.fullmatch(t) for t in table.text(resolution) if t), None)
            size = [float(said[1]), float(said[2])] if said else size
        width, height = size
        if width is None or height is None:
            if needed:
                raise GazeFileError(
                    f"{table.path} does not contain the screen's resolution (`Recording "
                    "resolution width`, `… height`). Export those columns too, or give it with "
                    "--screen WIDTHxHEIGHT."
                )
            return None
        mm = ASSUMED_MM_PER_PX
        return ScreenGeometry(width, height, width * mm, height * mm)

    def _place(self, table: Table, screen: ScreenGeometry | None, frame: str) -> tuple[Place, bool]:
        """Return where the media was on the canvas of a frame, and whether the file says so."""
        if frame == "media":
            return whole_image, True
        if frame == "media-share" or screen is None:
            return image_axes(in_pixels=False, origin="top-left"), True
        if self.options.shown is not None:
            return shown_at(*self.options.shown), True
        size = [_only(table, self.columns.one.get(axis)) for axis in ("width", "height")]
        at = [_only(table, name) for name in self.columns.position or (None, None)]
        if None in size or None in at:
            return fitted_screen(screen), False
        x, y, width, height = (float(v or 0) for v in (*at, *size))
        if width <= 0 or height <= 0:
            return fitted_screen(screen), False
        return shown_at(x, y, width, height), True

    def _fixations(
        self, table: Table, time_us: IntArray, screen: ScreenGeometry | None
    ) -> SourceFixations | None:
        """Return the fixations of Tobii's own filter: rows with one index are one fixation."""
        kind, index = self.columns.one.get("kind"), self.columns.one.get("index")
        frame = self.fixation_frame
        if kind is None or index is None or frame is None:
            return None
        names = self.columns.points["fixation", "", frame]
        points = np.column_stack([table.numbers(name) for name in names])
        numbers = table.text(index)
        rows: dict[str, list[int]] = {}
        for i, what in enumerate(table.text(kind)):
            if what.lower() == "fixation":
                rows.setdefault(numbers[i], []).append(i)
        parts = [np.array(part) for part in rows.values()]
        if not parts or np.isnan(points).all():
            return None
        start = np.array([time_us[p[0]] for p in parts], np.int64)
        centre = np.array([_first_point(points[p]) for p in parts])
        place, _ = self._place(table, screen, frame)
        if frame != self.frame and not (frame.startswith("media") and screen is None):
            return self._placed_apart(table, start, time_us, parts, centre, frame, screen)
        return SourceFixations(start, self._lasted(table, time_us, parts), centre, place)

    def _placed_apart(
        self,
        table: Table,
        start: IntArray,
        time_us: IntArray,
        parts: list[IntArray],
        centre: FloatArray,
        frame: str,
        screen: ScreenGeometry | None,
    ) -> SourceFixations | None:
        """Return fixations in a frame other than the gaze's; None where that would be a guess.

        Studio gives gaze on the display and fixations on the media: the position and size of the
        media convert one to the other.
        """
        shown, known = self._place(table, screen, "screen")
        if not known or shown.rule != "shown" or {frame, self.frame} != {"screen", "media"}:
            return None
        lasted, corner = self._lasted(table, time_us, parts), np.array(shown.values[:2])
        if frame == "media":
            return SourceFixations(start, lasted, centre + corner, shown)
        return SourceFixations(start, lasted, centre - corner, whole_image)

    def _lasted(self, table: Table, time_us: IntArray, parts: list[IntArray]) -> IntArray:
        name = self.columns.one.get("duration")
        unit = (unit_in(name) if name else None) or "ms"
        scale = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}[unit]
        lasting = table.numbers(name) * scale
        seen = np.array([time_us[p[-1]] - time_us[p[0]] for p in parts], np.float64)
        said = np.array([lasting[p[0]] for p in parts])
        lasted: IntArray = np.where(np.isfinite(said), said, seen).astype(np.int64)
        return lasted


def _first(table: Table, name: str | None) -> float | None:
    if name is None:
        return None
    values = table.numbers(name)
    values = values[np.isfinite(values)]
    return float(values[0]) if len(values) else None


def _only(table: Table, name: str | None) -> float | None:
    """Return the only number in a column.

    Raises
    ------
    GazeFileError
        If it contains others too.
    """
    found = _first(table, name)
    if found is None or name is None:
        return None
    values = table.numbers(name)
    other = values[np.isfinite(values) & (values != found)]
    if len(other):
        raise GazeFileError(
            f"{table.path}: `{name}` is {found:g} and {other[0]:g} while one stimulus is shown, "
            "so it moved. Give its position with --shown, or split the file."
        )
    return found


def _first_point(points: FloatArray) -> FloatArray:
    """Return the first finite point (2,) of some (N, 2); NaN where there is none."""
    there = np.flatnonzero(np.isfinite(points).all(axis=1))
    return points[there[0]] if len(there) else np.full(2, np.nan)
