"""From records of the Open Gaze API to samples."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from devices.gaze.samples import SampleArray, empty_samples
from devices.gazepoint.lines import read_line

FARTHEST_NORM = 100.0
"""Gaze farther than a hundred screen sizes from the screen is not gaze."""
_EYES = (("left", "L"), ("right", "R"))
_READ = (
    "TIME", "TIME_TICK", "BPOGX", "BPOGY", "BPOGV",
    *(f"{letter}{name}" for _, letter in _EYES for name in (
        "POGX", "POGY", "POGV", "PMM", "PMMV", "PCX", "PCY", "PV",
        "EYEX", "EYEY", "EYEZ", "PUPILD", "PUPILV")),
)  # fmt: skip
"""Not FPOG, and not the user's own text."""


@dataclass(frozen=True, slots=True)
class Pupil:
    """Where an eye is: in the camera's picture (fractions), and from the camera (metres)."""

    x: float
    y: float
    z_m: float


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes
    ----------
    time_us
        Tracker's clock, arbitrary origin.
    values
        Fields of `SAMPLE_DTYPE`; what is missing is not valid.
    pupils
        Left and right, None where an eye is not seen.
    """

    time_us: float
    values: dict[str, float]
    pupils: tuple[Pupil | None, Pupil | None]


def read_record(text: str, ticks_per_s: float | None) -> Record | None:
    """Return the content of a record, None if it is malformed or has no time.

    Parameters
    ----------
    ticks_per_s
        Of TIME_TICK; None to take TIME, which starts anew at each calibration.
    """
    line = read_line(text)
    if line is None or line.kind != "REC":
        return None
    try:
        sent = {name: float(line.values[name]) for name in _READ if name in line.values}
        ticks = sent["TIME"] if ticks_per_s is None else sent["TIME_TICK"]
    except (KeyError, ValueError):
        return None
    time_us = 1e6 * ticks / (ticks_per_s or 1.0)
    if not abs(time_us) < 2.0**62:
        return None
    values = _gaze(sent)
    for eye, letter in _EYES:
        values.update(_pupil_and_place(sent, eye, letter))
    return Record(time_us, values, (_pupil(sent, "L"), _pupil(sent, "R")))


def samples_of(records: list[Record]) -> SampleArray:
    """Return records as samples (N,), not yet on the host clock."""
    samples = empty_samples(len(records))
    for index, record in enumerate(records):
        samples["device_us"][index] = round(record.time_us)
        for name, value in record.values.items():
            samples[name][index] = value
    return samples


def _gaze(sent: Mapping[str, float]) -> dict[str, float]:
    """Return the gaze of both eyes; the best estimate for both if neither has its own."""
    found: dict[str, float] = {}
    for eye, letter in _EYES:
        found.update(_point(sent, letter, eye))
    if not found:
        for eye, _ in _EYES:
            found.update(_point(sent, "B", eye))
    return found


def _point(sent: Mapping[str, float], letter: str, eye: str) -> dict[str, float]:
    x, y = sent.get(f"{letter}POGX", math.nan), sent.get(f"{letter}POGY", math.nan)
    is_there = max(abs(x - 0.5), abs(y - 0.5)) <= FARTHEST_NORM and not math.isnan(x + y)
    if sent.get(f"{letter}POGV") != 1 or not is_there:
        return {}
    return {f"{eye}_x_norm": x, f"{eye}_y_norm": y}


def _pupil_and_place(sent: Mapping[str, float], eye: str, letter: str) -> dict[str, float]:
    """Return pupil size and position of an eye, in mm."""
    found: dict[str, float] = {}
    is_seen = sent.get(f"{letter}PUPILV") == 1
    pupil_mm = math.nan
    if f"{letter}PMM" in sent:
        pupil_mm = sent[f"{letter}PMM"] if sent.get(f"{letter}PMMV") == 1 else math.nan
    elif is_seen:
        pupil_mm = 1e3 * sent.get(f"{letter}PUPILD", math.nan)
    if 0 < pupil_mm < 20:
        found[f"{eye}_pupil_mm"] = pupil_mm
    for axis in "xyz":
        place_mm = 1e3 * sent.get(f"{letter}EYE{axis.upper()}", math.nan)
        if is_seen and abs(place_mm) < 10_000:
            found[f"{eye}_origin_{axis}_mm"] = place_mm
    return found


def _pupil(sent: Mapping[str, float], letter: str) -> Pupil | None:
    if sent.get(f"{letter}PV") != 1:
        return None
    x, y = sent.get(f"{letter}PCX", math.nan), sent.get(f"{letter}PCY", math.nan)
    is_seen = sent.get(f"{letter}PUPILV") == 1
    z_m = sent.get(f"{letter}EYEZ", math.nan) if is_seen else math.nan
    return Pupil(x, y, z_m) if math.isfinite(x + y) else None
