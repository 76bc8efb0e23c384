"""Gaze from files that are no study: folders of JSON as McGIP's code writes them, MicEye csv.

Both hold points only. What size the image had is not written there, so points are taken as pixels
of the canvas, as the released code takes them, unless the user says the size of their frame.
"""

import ast
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import GazeFileError
from trainer.similarity.base import FloatArray, Gaze

Size = tuple[float, float]
MARK = "foveate_similarity"
"""First key of the JSON that the command writes; a file that has it holds no gaze."""


@dataclass(frozen=True, slots=True)
class GazeList:
    """Readings, and which items (images, files) they are of.

    Attributes
    ----------
    ids
        Of the N items, in the order of the matrix.
    gazes
        Of the R readings.
    owners
        Shape (R,): the item of each reading, ascending.
    readers
        Of each reading; empty where nobody is named.
    cases
        Of each item: what it shows, as the files name it; empty where they do not.
    note
        What was assumed, for the user to read.
    """

    ids: tuple[str, ...]
    gazes: list[Gaze]
    owners: NDArray[np.int64]
    readers: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    note: str = ""


def read_json_folder(folder: Path, size: Size, told: Callable[[int, int], None]) -> GazeList:
    """Return the gaze of a folder of JSON files, one item a file, sorted by name.

    Raises
    ------
    GazeFileError
        Naming the file that cannot be read, and what it should hold.
    """
    paths = sorted(folder.glob("*.json"), key=lambda path: path.name)
    if not paths:  # the released code's train and test folders
        paths = sorted(folder.rglob("*.json"), key=lambda p: p.relative_to(folder).as_posix())
    ids, gazes, cases = [], [], []
    for done, path in enumerate(paths, start=1):
        entry = _json_object(path)
        if MARK not in entry:
            gazes.append(Gaze(_json_points(path, entry), *size))
            ids.append(path.relative_to(folder).with_suffix("").as_posix())
            cases.append(str(entry.get("case", "")))
        told(done, len(paths))
    if not gazes:
        raise GazeFileError(
            f"{folder} holds neither study.toml nor a gaze file (*.json with a key 'gaze'). "
            "Name a study, a folder of gaze JSON files or a MicEye csv."
        )
    return GazeList(tuple(ids), gazes, np.arange(len(gazes)), (), tuple(cases))


def read_miceye(path: Path, size: Size, told: Callable[[int, int], None]) -> GazeList:
    """Return the gaze of a MicEye csv, versions 1 and 2, sorted by the name of the image file.

    An image that has several lines is one item with several readings.

    Raises
    ------
    GazeFileError
        Naming the line that cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GazeFileError(f"{path} cannot be read as text: {error}.") from error
    rows: dict[str, list[FloatArray]] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            image, points = _miceye_row(f"{path}, line {number}", line)
            rows.setdefault(image, []).append(points)
        told(number, len(lines))
    if not rows:
        raise GazeFileError(f"{path} holds no line; a MicEye csv has one for each image.")
    images = sorted(rows, key=lambda image: (PureWindowsPath(image).name, image))
    gazes = [Gaze(points, *size) for image in images for points in rows[image]]
    owners = np.repeat(np.arange(len(images)), [len(rows[image]) for image in images])
    return GazeList(_short_names(images), gazes, owners)


def in_order(gaze_list: GazeList, names: Sequence[str]) -> GazeList:
    """Return the items of some names, in their order; names may carry folder and suffix.

    Raises
    ------
    GazeFileError
        Naming those that are not there, or that are named twice.
    """
    place = {_bare(name): i for i, name in enumerate(gaze_list.ids)}
    place |= {name: i for i, name in enumerate(gaze_list.ids)}
    missing = [name for name in names if name not in place and _bare(name) not in place]
    if missing:
        raise GazeFileError(
            f"The order names {len(missing)} that are not among the {len(gaze_list.ids)} readings: "
            f"{', '.join(missing[:3])}."
        )
    items = [place.get(name, place.get(_bare(name), 0)) for name in names]
    if len(set(items)) < len(items):
        twice = next(name for k, name in enumerate(names) if items[k] in items[:k])
        raise GazeFileError(f"The order names {twice} twice; each reading has one row.")
    return chosen_items(gaze_list, items)


def chosen_items(gaze_list: GazeList, items: Sequence[int]) -> GazeList:
    """Return some items with their readings, in the order of `items`."""
    readings = [np.flatnonzero(gaze_list.owners == item) for item in items]
    flat = np.concatenate([*readings, np.empty(0, np.int64)]).astype(np.int64)
    return replace(
        gaze_list,
        ids=tuple(gaze_list.ids[i] for i in items),
        gazes=[gaze_list.gazes[r] for r in flat],
        owners=np.repeat(np.arange(len(items)), [len(r) for r in readings]),
        readers=tuple(gaze_list.readers[r] for r in flat) if gaze_list.readers else (),
        cases=tuple(gaze_list.cases[i] for i in items) if gaze_list.cases else (),
    )


def _bare(name: str) -> str:
    """Return a name without folder and suffix, whatever system wrote it."""
    return PureWindowsPath(name.strip()).stem


def _short_names(images: Sequence[str]) -> tuple[str, ...]:
    """Return file names without folder and suffix; in full where that would not tell them apart."""
    stems = [_bare(image) for image in images]
    return tuple(stems if len(set(stems)) == len(stems) else images)


def _json_object(path: Path) -> dict[str, Any]:
    try:
        entry = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise GazeFileError(f"{path} cannot be read as JSON: {error}.") from error
    if not isinstance(entry, dict) or not ("gaze" in entry or MARK in entry):
        raise GazeFileError(
            f'{path} is no gaze file: it should hold {{"gaze": [[x, y], …]}}. Move it elsewhere if '
            "it does not belong here."
        )
    return entry


def _json_points(path: Path, entry: dict[str, Any]) -> FloatArray:
    return as_points(f"{path}: gaze", entry["gaze"])


def as_points(where: str, value: Any) -> FloatArray:
    """Return points (N, 2) of a list of pairs; null stands for a lost sample.

    Raises
    ------
    GazeFileError
        Naming `where`.
    """
    if isinstance(value, list) and not value:
        return np.empty((0, 2))
    try:
        points = np.array(value, np.float64)
    except (TypeError, ValueError) as error:
        raise GazeFileError(f"{where} must be a list of pairs [x, y] of numbers.") from error
    if points.ndim != 2 or points.shape[1] != 2:
        raise GazeFileError(f"{where} must be a list of pairs [x, y], not of shape {points.shape}.")
    return points


def _miceye_row(where: str, line: str) -> tuple[str, FloatArray]:
    """Return image path and points of a line `path;class;gaze;boxes;keypoint`."""
    fields = line.split(";")
    if len(fields) < 3:
        raise GazeFileError(
            f"{where}: a MicEye line reads path;class;[[x, y], …];…, with ; between its fields."
        )
    try:
        gaze = ast.literal_eval(fields[2].strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise GazeFileError(f"{where}: the gaze cannot be read: {error}.") from error
    return fields[0].strip(), _miceye_points(where, gaze)


def _miceye_points(where: str, gaze: Any) -> FloatArray:
    """Return points of version 1, `[[x, y], …]`, or 2, `[[[x, y], scale], …]`: value / scale."""
    if not (isinstance(gaze, list) and gaze and _has_scale(gaze[0])):
        return as_points(where, [list(p) if isinstance(p, tuple) else p for p in _items(gaze)])
    if not all(_has_scale(sample) and sample[1] for sample in gaze):
        raise GazeFileError(f"{where}: each sample of a version 2 file is [[x, y], scale].")
    points = as_points(where, [list(sample[0]) for sample in gaze])
    scales = np.array([float(sample[1]) for sample in gaze])
    return np.asarray(points / scales[:, None], np.float64)


def _items(gaze: Any) -> Iterable[Any]:
    return gaze if isinstance(gaze, list | tuple) else [gaze]


def _has_scale(sample: Any) -> bool:
    return (
        isinstance(sample, list | tuple)
        and len(sample) == 2
        and isinstance(sample[0], list | tuple)
        and isinstance(sample[1], int | float)
    )
