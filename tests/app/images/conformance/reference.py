"""The grey of a made file by the formulas of PS3.3 alone: nothing of the station is used."""

import math

import numpy as np

from tests.app.images.conformance.made_files import Made, Table, values


def grey(made: Made) -> np.ndarray | None:
    """Return the grey of each pixel, 0 to 255; None without a window and without a LUT."""
    stored = values(made)
    x = modality(made, stored)
    if made.voi is not None:
        bits = max(max(made.voi.entries).bit_length(), 1)
        y = through(made.voi, np.floor(x + 0.5)) * 255 / (2**bits - 1)
    elif made.center is not None:
        y = window(made.function or "LINEAR", x, made.center, made.width)
    else:
        return None
    return shuttered(made, blackened(made, stored, 255 - y if inverse(made) else y))


def inverse(made: Made) -> bool:
    """C.11.6 decides; Photometric Interpretation where there is no Presentation LUT Shape."""
    return made.shape == "INVERSE" if made.shape else made.photometric == "MONOCHROME1"


def modality(made: Made, stored: np.ndarray) -> np.ndarray:
    """C.11.1; not for angiograms whose relationship to intensity is LOG or DISP (C.8.7.1.1.2)."""
    if made.intensity in ("LOG", "DISP"):
        return stored.astype(float)
    if made.modality is not None:
        return through(made.modality, stored)
    return stored * (made.slope or 1.0) + (made.intercept or 0.0)


def through(table: Table, x: np.ndarray) -> np.ndarray:
    place = np.clip(x - table.first, 0, len(table.entries) - 1).astype(int)
    return np.array(table.entries, float)[place]


def window(function: str, x: np.ndarray, c: float, w: float) -> np.ndarray:
    """C.11.2.1.2 and C.11.2.1.3; LINEAR below a width of 1 is not defined and taken as exact."""
    if function == "SIGMOID":
        return np.array([255 / (1 + math.exp(min(-4 * (v - c) / w, 700))) for v in x.flat]).reshape(
            x.shape
        )
    if function == "LINEAR" and w >= 1:
        low, high = c - 0.5 - (w - 1) / 2, c - 0.5 + (w - 1) / 2
        inner = ((x - (c - 0.5)) / max(w - 1, 1e-12) + 0.5) * 255
    else:
        low, high = c - w / 2, c + w / 2
        inner = ((x - c) / w + 0.5) * 255
    return np.where(x <= low, 0.0, np.where(x > high, 255.0, inner))


def blackened(made: Made, stored: np.ndarray, y: np.ndarray) -> np.ndarray:
    """C.7.5.1.1.2: padding is no image."""
    if made.padding is None:
        return y
    limit = made.padding if made.limit is None else made.limit
    low, high = sorted((made.padding, limit))
    return np.where((stored >= low) & (stored <= high), 0.0, y)


def shuttered(made: Made, y: np.ndarray) -> np.ndarray:
    """C.7.6.11: rows and columns are counted from 1; what a triangle shows, by its three sides."""
    said = dict(made.shutter)
    row, column = np.mgrid[1 : y.shape[0] + 1, 1 : y.shape[1] + 1]
    seen = np.ones(y.shape, bool)
    if "ShutterLeftVerticalEdge" in said:
        left, right = said["ShutterLeftVerticalEdge"], said["ShutterRightVerticalEdge"]
        top, bottom = said["ShutterUpperHorizontalEdge"], said["ShutterLowerHorizontalEdge"]
        seen &= (column >= left) & (column <= right) & (row >= top) & (row <= bottom)
    if "CenterOfCircularShutter" in said:
        (middle_row, middle_column), radius = (
            said["CenterOfCircularShutter"], said["RadiusOfCircularShutter"]
        )  # fmt: skip
        seen &= np.hypot(row - middle_row, column - middle_column) <= radius
    if "VerticesOfThePolygonalShutter" in said:
        corners = np.reshape(said["VerticesOfThePolygonalShutter"], (3, 2))
        sides = [
            (b[1] - a[1]) * (row - a[0]) - (b[0] - a[0]) * (column - a[1])
            for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
        seen &= np.all([s <= 0 for s in sides], axis=0) | np.all([s >= 0 for s in sides], axis=0)
    return np.where(seen, y, said.get("ShutterPresentationValue", 0) / 65535 * 255)
