"""Areas from a table: image, area, kind, frame, x, y, width, height or points, lesion.

`x`, `y` is the upper left corner of a box or of an ellipse's box, or the keypoint; `points` are a
polygon's vertices as "x y; x y; …", or, of a mask, the name of a PNG beside the table.
"""

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from migrations.study.errors import AmbiguousName
from migrations.study.names import Names
from trainer.analysis.areas import KINDS, Area
from trainer.analysis.looked import BoolArray, FloatArray
from trainer.data.csv_table import CsvTable
from trainer.errors import AnalysisError

COLUMNS = ("image", "area", "kind", "frame", "x", "y", "width", "height", "points", "lesion")
_NEEDED = ("image", "area", "kind")
_LESION = {"": False, "0": False, "1": True}


def areas_of_table(path: Path, images: Names) -> dict[str, list[Area]]:
    """Return the areas of a study's images that a table names; see `read_areas`."""
    return read_areas(path, lambda text: _image(images, text))


def _image(images: Names, text: str) -> str:
    try:
        found = images.meant(text)
    except AmbiguousName as error:
        raise AnalysisError(str(error)) from error
    if found is None:
        raise AnalysisError(f'This study has no image "{text}".')
    return images[found]


def read_areas(path: Path, image_of: Callable[[str], str]) -> dict[str, list[Area]]:
    """Return the areas of each image, in the table's order.

    Parameters
    ----------
    image_of
        From what the table calls an image to its id; raises for an unknown or ambiguous name.

    Raises
    ------
    AnalysisError
        Naming the line that cannot be understood, two areas of one name on one image, or two
        lesions at one place.
    """
    found: dict[str, list[Area]] = {}
    table = CsvTable(path, AnalysisError)
    table.require(_NEEDED, COLUMNS)
    for where, cells in table.rows():
        row = {name: cells.get(name, "") for name in COLUMNS}
        try:
            area = _area(row, image_of(row["image"]), path.parent)
        except AnalysisError as error:
            raise AnalysisError(f"{where}: {error}") from error
        known = found.setdefault(area.image, [])
        if any((a.name, a.frame) == (area.name, area.frame) for a in known):
            raise AnalysisError(f"{where}: {row['image']} has two areas called {area.name!r}.")
        twin = next((a for a in known if _is_same_lesion(a, area)), None)
        if twin is not None:
            raise AnalysisError(
                f"{where}: the lesions {twin.name!r} and {area.name!r} of {row['image']} lie at "
                "the same place, so one of them could never be found. Keep one of them."
            )
        known.append(area)
    if not found:
        raise AnalysisError(f"{path} contains no areas.")
    return found


def _is_same_lesion(one: Area, other: Area) -> bool:
    """Return whether two lesions of an image cover the same pixels of a frame: a lesion twice."""
    if not (one.lesion and other.lesion and one.kind == other.kind):
        return False
    if None not in (one.frame, other.frame) and one.frame != other.frame:
        return False
    if one.mask is not None and other.mask is not None:
        return np.array_equal(one.mask, other.mask)
    return np.array_equal(one.corners, other.corners)


def _area(row: dict[str, str], image: str, folder: Path) -> Area:
    kind = next((k for k in KINDS if k == row["kind"].lower()), None)
    if kind is None:
        raise AnalysisError(f"kind is {row['kind']!r}; it must be one of {', '.join(KINDS)}.")
    if not row["area"]:
        raise AnalysisError("area is empty. Give the area a name.")
    if row["lesion"] not in _LESION:
        raise AnalysisError(f"lesion is {row['lesion']!r}; it must be 0 or 1.")
    mask = _mask(folder / row["points"]) if kind == "mask" else None
    corners = np.zeros((0, 2)) if kind == "mask" else _CORNERS[kind](row)
    frame = _whole(row, "frame") if row["frame"] else None
    return Area(image, row["area"], kind, corners, mask, frame, _LESION[row["lesion"]])


def _box(row: dict[str, str]) -> FloatArray:
    x, y, width, height = (_number(row, name) for name in ("x", "y", "width", "height"))
    if width <= 0 or height <= 0:
        raise AnalysisError(f"width and height must be above 0, not {width:g} and {height:g}.")
    return np.array([[x, y], [x + width, y + height]])


def _keypoint(row: dict[str, str]) -> FloatArray:
    return np.array([[_number(row, "x"), _number(row, "y")]])


def _polygon(row: dict[str, str]) -> FloatArray:
    try:
        points = [
            [float(v) for v in pair.split()] for pair in row["points"].split(";") if pair.strip()
        ]
    except ValueError:
        points = []
    if (
        len(points) < 3
        or any(len(pair) != 2 for pair in points)
        or not all(math.isfinite(v) for pair in points for v in pair)
        or "_" in row["points"]
    ):
        raise AnalysisError(
            f'points is {row["points"]!r}; it must have the form "x y; x y; x y; …".'
        )
    x, y = np.array(points).T
    if _on_a_line(x, y):
        raise AnalysisError(
            f"points is {row['points']!r}; these points lie on one line and enclose nothing."
        )
    return np.array(points)


def _on_a_line(x: FloatArray, y: FloatArray) -> bool:
    """Return whether all points lie on one line, or are one point."""
    return int(np.linalg.matrix_rank(np.column_stack((x - x[0], y - y[0])))) < 2


def _mask(path: Path) -> BoolArray:
    if not path.is_file():
        raise AnalysisError(f"The mask {path} does not exist.")
    # Unchanged: as grey of 8 bit, labels of 16 bit and dark colours would become black.
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if read is None:
        raise AnalysisError(f"The mask {path} cannot be read as a PNG.")
    inside: BoolArray = np.asarray(read > 0, np.bool_)
    if read.ndim == 3:
        inside = np.asarray(inside[..., :3].any(axis=2), np.bool_)
        if read.shape[2] == 4:
            inside &= read[..., 3] > 0
    if not inside.any():
        raise AnalysisError(f"The mask {path} is black everywhere. Paint the area white.")
    return inside


def _number(row: dict[str, str], name: str) -> float:
    try:
        number = float(row[name])
    except ValueError:
        number = np.nan
    if not np.isfinite(number) or "_" in row[name]:  # float() takes 1_0 for 10
        raise AnalysisError(f"{name} is {row[name]!r}; it must be a number.")
    return number


def _whole(row: dict[str, str], name: str) -> int:
    number = _number(row, name)
    if number != int(number) or number < 0:
        raise AnalysisError(f"{name} is {row[name]!r}; it must be a whole number of 0 or more.")
    return int(number)


_CORNERS = {"box": _box, "ellipse": _box, "keypoint": _keypoint, "polygon": _polygon}
