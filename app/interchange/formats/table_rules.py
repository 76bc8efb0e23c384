"""What a table does not say, inferred from all its rows: units, validity, missing values."""

from dataclasses import dataclass, field

import numpy as np

from app.interchange.formats.layouts import Layout
from app.interchange.notes import Note, note
from app.interchange.options import ImportOptions, Origin, Unit
from app.interchange.surveys import Survey, steps
from app.interchange.tables import TIME_UNITS_US, Table
from app.interchange.times import (
    check_clock,
    clock_times,
    duration_unit,
    is_clock,
    sample_unit,
    start_unit,
)
from app.interchange.validity import (
    BoolArray,
    MissingCodes,
    ValidWhen,
    missing_codes,
    rule_of,
    said_rule,
)
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray

MIN_CONFIDENCE = 0.6
_FARTHEST = {"fraction": 10.0, "deg": 90.0}
"""How far from 0 the median of coordinates may be; gaze beside a surface is not so far away."""
_VALIDITY = ("valid", "left_valid", "right_valid")


@dataclass(frozen=True, slots=True)
class TableRules:
    """How to read the rows of one table.

    Attributes
    ----------
    columns
        Role → column.
    time_unit, duration_unit
        "" without times; "clock" for dates and times of day.
    valid
        Role of a column of validity → its rule.
    min_confidence
        None: the table has no confidence.
    """

    columns: dict[str, str]
    unit: Unit
    origin: Origin
    time_unit: str
    duration_unit: str
    valid: dict[str, ValidWhen]
    missing: MissingCodes
    min_confidence: float | None
    notes: list[Note] = field(default_factory=list)


def rules_of(
    found: Survey, columns: dict[str, str], layout: Layout, options: ImportOptions
) -> TableRules:
    """Infer how to read a table, and note what was inferred and why.

    Raises
    ------
    GazeFileError
        If its rows contradict each other or its header.
    """
    notes: list[Note] = []
    table = found.sample
    assert table is not None
    duration, time = _units(found, table, columns, layout, options, notes)
    unit = _unit(table, columns, layout, options, notes)
    origin = options.origin or layout.origin or ("centre" if unit == "screen-deg" else "top-left")
    corner = origin != "centre" and not layout.own
    return TableRules(
        columns, unit, origin, time, duration,
        _validity(found, table, columns, layout, options, notes),
        missing_codes(options.missing, corner_is_lost=corner),
        _confidence(table, columns, options, notes), notes,
    )  # fmt: skip


def _units(
    found: Survey,
    table: Table,
    columns: dict[str, str],
    layout: Layout,
    options: ImportOptions,
    notes: list[Note],
) -> tuple[str, str]:
    """Return the units of durations and of times; "" where there is no such column."""
    duration, lasting_s = "", 0.0
    if "duration" in columns:
        values = table.numbers(columns["duration"])
        duration, own = duration_unit(
            table.path, columns["duration"], values, options.time_unit, layout.duration_unit
        )
        notes += own
        there = values[np.isfinite(values) & (values > 0)]
        lasting_s = float(np.median(there)) * TIME_UNITS_US[duration] / 1e6 if len(there) else 0.0
    if "time" not in columns:
        return duration, ""
    name, said, known = columns["time"], options.time_unit, layout.time_unit
    if is_clock(table.text(name)):
        if not duration:
            check_clock(table.path, name, clock_times(table.path, name, table.text(name)))
        notes.append(note("time-iso"))
        return duration, "clock"
    own_steps = steps(table, found.pieces, name)
    if duration:
        unit, own = start_unit(table.path, name, own_steps, lasting_s, said, known)
    else:
        unit, own = sample_unit(table.path, name, own_steps, said, known)
    notes += own
    return duration, unit


def _unit(
    table: Table,
    columns: dict[str, str],
    layout: Layout,
    options: ImportOptions,
    notes: list[Note],
) -> Unit:
    if options.unit is not None:
        return options.unit
    name = columns.get("x") or columns.get("left_x") or columns.get("right_x") or ""
    if layout.unit is not None:
        _check_unit(table, name, layout.unit)
        return _layout_unit(layout.unit, options)
    if layout.own:
        return "image-px"
    found, why = _unit_by_name(name, options)
    if not found and _are_fractions(table.numbers(name)):
        found = "screen-fraction" if options.screen is not None else "image-fraction"
        why = "they lie between 0 and 1"
    if not found and options.shown is not None:
        found, why = "screen-px", "--shown gives the position of the image on the screen"
    if found:
        notes.append(note("unit", unit=found, why=why))
    return found or "image-px"


def _check_unit(table: Table, name: str, unit: Unit) -> None:
    """Refuse coordinates that evidently are in another unit than their layout's."""
    values = table.numbers(name)
    size = np.abs(values[np.isfinite(values)])
    kind = unit.rpartition("-")[2]
    if kind == "px":
        wrong, what = _are_fractions(values, least=3), "lies between 0 and 1"
    else:
        middle = float(np.median(size)) if len(size) else 0.0
        wrong, what = middle > _FARTHEST[kind], f"is about {middle:g}"
    if wrong:
        words = {"px": "pixels", "deg": "degrees", "fraction": "fractions"}[kind]
        raise GazeFileError(
            f"{table.path}: `{name}` is in {words} in this layout, but here it {what}. Say the "
            "unit with --unit."
        )


def _layout_unit(unit: Unit, options: ImportOptions) -> Unit:
    """Return the unit of a layout; a fraction of a surface is the screen's if a screen is given."""
    if unit == "image-fraction" and options.screen is not None and options.shown is not None:
        return "screen-fraction"
    return unit


def _unit_by_name(name: str, options: ImportOptions) -> tuple[Unit | None, str]:
    lower = name.lower()
    if "deg" in lower or "[°]" in lower:
        return "screen-deg", f"the column is named `{name}`"
    if "norm" in lower:
        unit: Unit = "screen-fraction" if options.screen is not None else "image-fraction"
        return unit, f"the column is named `{name}`"
    return None, ""


def _are_fractions(values: FloatArray, least: int = 10) -> bool:
    """Whether coordinates are fractions: nearly all between 0 and 1, and few of them whole."""
    there = values[np.isfinite(values)]
    if len(there) < least:
        return False
    inside = (there >= -0.5) & (there <= 1.5)
    return bool(inside.mean() > 0.9 and (there != np.rint(there)).mean() > 0.5)


def _validity(
    found: Survey,
    table: Table,
    columns: dict[str, str],
    layout: Layout,
    options: ImportOptions,
    notes: list[Note],
) -> dict[str, ValidWhen]:
    rules = {}
    for role in _VALIDITY:
        if role not in columns:
            continue
        if options.valid_when is not None:
            rules[role] = said_rule(options.valid_when)
            continue
        name = columns[role]
        rules[role], own = rule_of(
            table.path, name, found.words[name], table.text(name),
            _gaze_in(table, columns, role.removesuffix("valid")),
            zero_is_best=layout.zero_is_best,
        )  # fmt: skip
        notes.append(own)
    return rules


def _gaze_in(table: Table, columns: dict[str, str], side: str) -> BoolArray:
    """Return whether each row of a sample has gaze; of one eye if it is given."""
    sides = (side,) if side else ("", "left_", "right_")
    there = np.zeros(len(table), bool)
    codes = missing_codes(None, corner_is_lost=True)
    for each in sides:
        if f"{each}x" in columns and f"{each}y" in columns:
            points = np.column_stack([table.numbers(columns[f"{each}{a}"]) for a in "xy"])
            there |= np.isfinite(points).all(axis=1) & ~codes.lost(points)
    return there


def _confidence(
    table: Table, columns: dict[str, str], options: ImportOptions, notes: list[Note]
) -> float | None:
    if "confidence" not in columns:
        if options.min_confidence is not None:
            raise GazeFileError(
                f"{table.path} has no column `confidence` for --min-confidence. Name the column "
                "with --columns confidence=COLUMN."
            )
        return None
    values = table.numbers(columns["confidence"])
    if options.min_confidence is not None:
        return options.min_confidence
    with np.errstate(invalid="ignore"):
        if ((values < 0) | (values > 1)).any():
            raise GazeFileError(
                f"{table.path}: `{columns['confidence']}` is not between 0 and 1. Give the "
                "value below which gaze counts as lost with --min-confidence."
            )
    notes.append(note("confidence", below=MIN_CONFIDENCE))
    return MIN_CONFIDENCE
