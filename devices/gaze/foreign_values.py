"""Text and points out of files that other software wrote, or the refusal that names the place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray


def read_text(path: Path) -> str:
    """Return the text of a file, UTF-8 (with or without mark) or UTF-16.

    Raises
    ------
    GazeFileError
        If it cannot be read as text.
    """
    data = read_bytes(path)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise GazeFileError(f"{path} is not UTF-8 or UTF-16 text. Save it as UTF-8.") from error


def read_bytes(path: Path, count: int = -1) -> bytes:
    """Return the first bytes of a file, all by default.

    Raises
    ------
    GazeFileError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise GazeFileError(f"{path} cannot be read: {error.strerror}.") from error


def as_points(where: str, value: Any) -> FloatArray:
    """Return points (N, 2) of a list of pairs of numbers; null stands for a lost sample.

    Raises
    ------
    GazeFileError
        Naming `where`.
    """
    if isinstance(value, list | tuple) and not value:
        return np.empty((0, 2))
    try:
        points = np.array(value)
        if points.dtype.kind not in "iuf":  # null, or what is not a number, is among them
            points = np.array([[plain_number(v) for v in _pair(pair)] for pair in value])
    except (TypeError, ValueError, OverflowError) as error:
        raise GazeFileError(f"{where} must be a list of pairs [x, y] of numbers.") from error
    if points.ndim != 2 or points.shape[1] != 2:
        raise GazeFileError(f"{where} must be a list of pairs [x, y], not of shape {points.shape}.")
    points = points.astype(np.float64)
    if np.isinf(points).any():
        raise GazeFileError(f"{where} must be a list of pairs [x, y] of finite numbers.")
    points[np.isnan(points).any(axis=1)] = np.nan
    return points


def _pair(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    return value


def plain_number(value: Any) -> float:
    """Return a number as float, NaN for null.

    Raises
    ------
    TypeError, OverflowError
        For truth values, text and whatever else is not a number, or one beyond all floats.
    """
    if value is None:
        return np.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)
