"""Gaze in the files of MicEye and of McGIP's released code, parsed once for station and trainer.

MicEye's csv (github.com/JamesQFreeman/MicEye, YanKong0408/MicEye-v2.0) has no header and one line
for each image read, ``path;class;[[x, y], …];[(x1, y1, x2, y2), …];(-1, -1)``; version 2 writes
``[[[x, y], scale], …]`` and boxes ``(x, y, w, h, scale)``. McGIP's JSON
(github.com/zhaozh10/McGIP) is made from it, one file for each image:
``{"gaze": [[x, y], …], "img": "a1.png", "case": "a", "gt": 2}``.

What holds for both, whoever reads: text is UTF-8 or UTF-16; a sample of which a coordinate is null
is lost; an image with an empty list was shown without gaze, which is not an error; whatever else is
not a list of pairs of finite numbers is refused, naming file and line.
"""

import ast
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.gaze.errors import GazeFileError
from devices.gaze.foreign_values import as_points, plain_number, read_text
from devices.gaze.geometry import FloatArray

SIMILARITY_MARK = "foveate_similarity"
"""First key of the JSON that `similarity` writes; a file that has it holds no gaze."""
MOST_JSON_BYTES = 64 << 20
_LAYOUT = "path;class;[[x, y], …];[boxes];(x, y)"
_LIST = re.compile(r"\s*[\[(].*[\])]\s*")
_NO_CLASS = re.compile(r"[\[\](){}'\"]")
_NO_KEYPOINT = (-1, -1)
_MISSING_CLASS = ("", "-1")
_ANOTHER = f"A MicEye line has the form {_LAYOUT}. This may be another format."


@dataclass(frozen=True, slots=True, eq=False)
class MicEyeLine:
    """One image that was read with MicEye.

    Attributes
    ----------
    number
        Of the line in its file, from 1.
    image
        Path of the image as MicEye wrote it.
    label
        Class that the reader gave, None if none.
    points
        Shape (N, 2), as written: pixels of the image as shown; NaN where a sample is lost.
    scales
        Shape (N,), of version 2: pixels shown per source pixel at each sample; None: version 1,
        which does not say it.
    boxes
        Version 1 (x1, y1, x2, y2), version 2 (x, y, width, height, scale).
    keypoint
        (x, y), None if none was set.
    """

    number: int
    image: str
    label: str | None
    points: FloatArray
    scales: FloatArray | None = None
    boxes: tuple[tuple[float, ...], ...] = ()
    keypoint: tuple[float, float] | None = None

    @property
    def points_unzoomed(self) -> FloatArray:
        """Points (N, 2) without the zoom of version 2, there source pixels; else as written."""
        return self.points if self.scales is None else self.points / self.scales[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class ExactGaze:
    """What Foveate's own export adds to McGIP's layout under the key `foveate`.

    Attributes
    ----------
    points_image
        Shape (N, 2), source-image pixels; NaN where gaze was lost or off the image.
    time_us
        Shape (N,), None if it was not exported.
    reader
        Pseudonym, None if it was not exported.
    reading_id
        Id of the reading in the study it was exported from; empty if it was not exported.
    """

    points_image: FloatArray
    time_us: NDArray[np.int64] | None
    reader: str | None
    reading_id: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class McgipGaze:
    """One JSON file of McGIP's layout.

    Attributes
    ----------
    image
        Name of the image; that of the file where it has no `img`, as the released code names them.
    points
        Shape (N, 2), pixels of the canvas; NaN where a sample is lost.
    facts
        `case` (what is shown) and `gt` (its class) as written, where they are.
    exact
        Of Foveate's own export, else None.
    reader
        Who looked, by the key `reader` or Foveate's own; None if it is not said.
    """

    image: str
    points: FloatArray
    facts: dict[str, Any] = field(default_factory=dict)
    exact: ExactGaze | None = None
    reader: str | None = None


def read_miceye(path: Path, progress: Callable[[int, int], None] | None = None) -> list[MicEyeLine]:
    """Return the lines of a MicEye csv, version 1 or 2; `progress` hears of (line, lines).

    Raises
    ------
    GazeFileError
        Naming the line that cannot be read; also if there is none.
    """
    lines = read_text(path).splitlines()
    found = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            found.append(_miceye_line(f"{path}, line {number}", number, line))
        if progress is not None:
            progress(number, len(lines))
    if not found:
        raise GazeFileError(f"{path} is empty; a MicEye csv has one line per image.")
    return found


def read_mcgip(path: Path) -> McgipGaze | None:
    """Return the gaze of a JSON file; None if it is what `similarity` wrote beside its matrix.

    Raises
    ------
    GazeFileError
        If it cannot be read, or holds no gaze.
    """
    if path.is_file() and path.stat().st_size > MOST_JSON_BYTES:
        raise GazeFileError(
            f"{path} is larger than {MOST_JSON_BYTES >> 20} MB, which is too large for the gaze "
            "on one image."
        )
    text = read_text(path)
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GazeFileError(f"{path} cannot be read as JSON: {error}.") from error
    if isinstance(entry, dict) and SIMILARITY_MARK in entry:
        return None
    if not isinstance(entry, dict) or "gaze" not in entry:
        raise GazeFileError(
            f'{path} is not a gaze file: it should contain {{"gaze": [[x, y], …]}}. Move it '
            "elsewhere if it does not belong here."
        )
    facts = {key: entry[key] for key in ("case", "gt") if entry.get(key) is not None}
    points = as_points(f"{path}: gaze", entry["gaze"])
    exact = _exact(path, entry.get("foveate"))
    reader = entry.get("reader", None if exact is None else exact.reader)
    who = None if reader is None else str(reader)
    return McgipGaze(_image_name(path, entry), points, facts, exact, who)


def _image_name(path: Path, entry: dict[str, Any]) -> str:
    name = entry.get("img")
    if name is None:
        return path.stem
    if not isinstance(name, str | int) or not str(name).strip():
        raise GazeFileError(f"{path}: img must be the name of an image, not {name!r}.")
    return str(name)


def _exact(path: Path, own: Any) -> ExactGaze | None:
    if not own:
        return None
    if not isinstance(own, dict) or "gaze_image" not in own:
        raise GazeFileError(f"{path}: foveate should contain gaze_image, as in Foveate's export.")
    points = as_points(f"{path}: gaze_image", own["gaze_image"])
    times = own.get("time_us") or None
    if times is not None:
        try:
            times = np.array(times, np.int64).reshape(len(points))
        except (TypeError, ValueError, OverflowError) as error:
            raise GazeFileError(f"{path}: time_us must be {len(points)} whole numbers.") from error
    reader = own.get("reader")
    who = None if reader is None else str(reader)
    return ExactGaze(points, times, who, str(own.get("reading_id") or ""))


def _miceye_line(where: str, number: int, line: str) -> MicEyeLine:
    image, label, gaze, boxes, keypoint = _fields(where, line)
    points, scales = _samples(where, _literal(where, "gaze", gaze))
    return MicEyeLine(
        number,
        image,
        None if label in _MISSING_CLASS else label,
        points,
        scales,
        _boxes(where, boxes),
        _keypoint(where, keypoint),
    )


def _fields(where: str, line: str) -> tuple[str, str, str, str, str]:
    """Split a line; the path may hold semicolons, boxes and key point may be left out.

    The gaze is the first field from the third on that is a list, has a class before it and two
    fields at most behind it.
    """
    fields = line.split(";")
    if len(fields) < 3:
        raise GazeFileError(
            f"{where}: a MicEye line has the form {_LAYOUT}, with ; between fields."
        )
    first = max(2, len(fields) - 3)
    places = (k for k in range(first, len(fields)) if _LIST.fullmatch(fields[k]))
    at = next((k for k in places if not _NO_CLASS.search(fields[k - 1])), first)
    image = ";".join(fields[: at - 1]).strip()
    if not image:
        raise GazeFileError(f"{where}: the path of the image is missing. {_ANOTHER}")
    label, gaze, boxes, keypoint = [part.strip() for part in (*fields[at - 1 :], "", "")][:4]
    return image, label, gaze, boxes, keypoint


def _literal(where: str, what: str, text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except SyntaxError as error:
        raise GazeFileError(
            f"{where}: the {what} cannot be read: {error.msg}. {_ANOTHER}"
        ) from error
    except (ValueError, TypeError, MemoryError, RecursionError) as error:  # may show an address
        raise GazeFileError(f"{where}: the {what} cannot be read as a list. {_ANOTHER}") from error


def _samples(where: str, gaze: Any) -> tuple[FloatArray, FloatArray | None]:
    """Return points (N, 2), and the scales (N,) that version 2 has."""
    if not (_is_list(gaze) and gaze and _is_scaled(gaze[0])):
        return as_points(f"{where}: the gaze", gaze), None
    scales = [_scale(sample[1]) for sample in gaze if _is_scaled(sample)]
    if len(scales) < len(gaze) or not all(0 < scale < np.inf for scale in scales):
        raise GazeFileError(
            f"{where}: each sample of a version 2 file must be [[x, y], scale], with a scale "
            "above 0."
        )
    return as_points(f"{where}: the gaze", [sample[0] for sample in gaze]), np.array(scales)


def _is_scaled(sample: Any) -> bool:
    return _is_list(sample) and len(sample) == 2 and _is_list(sample[0])


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _scale(value: Any) -> float:
    """Return a scale; 0, which none can be, for what is not a number."""
    try:
        return plain_number(value)
    except (TypeError, OverflowError):
        return 0.0


def _boxes(where: str, text: str) -> tuple[tuple[float, ...], ...]:
    found = _literal(where, "boxes", text) if text else ()
    if not _is_list(found):
        raise GazeFileError(f"{where}: the boxes must be a list. {_ANOTHER}")
    boxes = tuple(_numbers(where, "a box", box, (4, 5)) for box in found)
    if any(len(box) == 5 and box[4] <= 0 for box in boxes):
        raise GazeFileError(f"{where}: the scale of a box must be above 0.")
    return boxes


def _keypoint(where: str, text: str) -> tuple[float, float] | None:
    if not text:
        return None
    x, y = _numbers(where, "a key point", _literal(where, "key point", text), (2,))
    return None if (x, y) == _NO_KEYPOINT else (x, y)


def _numbers(where: str, what: str, value: Any, lengths: Sequence[int]) -> tuple[float, ...]:
    try:
        numbers = tuple(plain_number(v) for v in value) if _is_list(value) else ()
    except (TypeError, OverflowError):
        numbers = ()
    if len(numbers) not in lengths or not np.isfinite(numbers).all():
        wanted = " or ".join(map(str, lengths))
        raise GazeFileError(f"{where}: {what} must be {wanted} finite numbers. {_ANOTHER}")
    return numbers
