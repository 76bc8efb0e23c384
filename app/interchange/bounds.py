"""Impossible values in a reading: refused by name before it is stored."""

import numpy as np

from app.interchange.foreign_reading import IntArray, SourceReading
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray, ScreenGeometry

MOST_SAMPLES = 8_000_000
MOST_FIXATIONS = 1_000_000
LONGEST_US = 24 * 3600 * 1_000_000
FASTEST_HZ = 20_000.0
LONGEST_NAME = 400
FARTHEST = 1e7
WIDEST = 1e6


def check(reading: SourceReading) -> SourceReading:
    """Return a reading that is within all bounds.

    Raises
    ------
    GazeFileError
        Saying which bound it exceeds.
    """
    _check_names(reading)
    _check_screen(reading.screen)
    _check_points(reading.points_canvas, "gaze")
    if len(reading.points_canvas) > MOST_SAMPLES:
        raise GazeFileError(f"a reading of more than {MOST_SAMPLES} samples")
    if reading.time_us is not None:
        _check_times(reading.time_us)
    found = reading.fixations
    if found is not None:
        _check_points(found.points_canvas, "a fixation")
        if len(found.start_us) > MOST_FIXATIONS:
            raise GazeFileError(f"a reading of more than {MOST_FIXATIONS} fixations")
        _check_span(found.start_us, found.start_us + found.duration_us)
        if len(found.duration_us) and (found.duration_us < 0).any():
            raise GazeFileError("a fixation with a negative duration")
        if int(found.duration_us.sum()) > LONGEST_US:
            raise GazeFileError("fixations that last longer than a day together")
    return reading


def _check_names(reading: SourceReading) -> None:
    for text in (reading.image, reading.reader or "", reading.participant):
        if len(text) > LONGEST_NAME:
            raise GazeFileError(f"a name of {len(text)} characters")
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
            raise GazeFileError("a name with control characters")


def _check_screen(screen: ScreenGeometry | None) -> None:
    if screen is None:
        return
    for side in (screen.width_screen, screen.height_screen, screen.width_mm, screen.height_mm):
        if not 0 < side <= WIDEST:
            raise GazeFileError(f"a screen of {side:g} pixels or millimetres")


def _check_points(points: FloatArray, what: str) -> None:
    if np.isinf(points).any():
        raise GazeFileError(f"{what} at infinity")
    with np.errstate(invalid="ignore"):
        far = np.abs(points) > FARTHEST
    if far.any():
        raise GazeFileError(f"{what} at {points[far][0]:.3g}, which is outside any screen")


def _check_times(time_us: IntArray) -> None:
    if not len(time_us):
        return
    _check_span(time_us, time_us)
    back = np.flatnonzero(np.diff(time_us) < 0)
    if len(back):
        raise GazeFileError(f"times that run backwards after sample {int(back[0]) + 1}")
    span_s = (int(time_us.max()) - int(time_us.min())) / 1e6
    if len(time_us) > 1000 and len(time_us) > FASTEST_HZ * (span_s + 0.01):
        raise GazeFileError(f"{len(time_us)} samples within {span_s:g} s, faster than any tracker")


def _check_span(first: IntArray, last: IntArray) -> None:
    if len(first) and int(last.max()) - int(first.min()) > LONGEST_US:
        hours = (int(last.max()) - int(first.min())) / 3.6e9
        raise GazeFileError(f"a reading of {hours:.0f} hours; check its times")
