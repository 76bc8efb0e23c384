"""Gaze from files that are no study: folders of JSON as McGIP's code writes them, MicEye csv.

Both hold points only. What size the image had is not written there, so points are taken as pixels
of the canvas, as the released code takes them, unless the user says the size of their frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from devices.gaze import foreign
from devices.gaze.errors import GazeFileError
from migrations.study.files_below import files_below
from migrations.study.plurals import counted
from trainer.errors import SimilarityError
from trainer.similarity.base import FloatArray, Gaze

Size = tuple[float, float]


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
    images
        Of each item: the image that its file names; empty where ids are those of images.
    note
        What was assumed, for the user to read.
    held_out
        Of each item: whether nothing may be learnt of it (the test split); empty: of none.
    labels
        Of each item, "" without one; empty: of none.
    """

    ids: tuple[str, ...]
    gazes: list[Gaze]
    owners: NDArray[np.int64]
    readers: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    note: str = ""
    held_out: tuple[bool, ...] = ()
    labels: tuple[str, ...] = ()


def read_json_folder(folder: Path, size: Size, progress: Callable[[int, int], None]) -> GazeList:
    """Return the gaze of a folder of JSON files, one item a file, sorted by name.

    Case (else image) and reader are kept beside, to group the files when measures are judged.

    Raises
    ------
    GazeFileError
        Naming the file that cannot be read, and what it should hold.
    """
    below = _json_below(folder)
    # Without any here, those in the released code's train and test folders.
    paths = [path for path in below if path.parent == folder] or below
    ids, gazes, cases, images, readers = [], [], [], [], []
    for done, path in enumerate(paths, start=1):
        found = foreign.read_mcgip(path)
        if found is not None:
            gazes.append(Gaze(found.points, *size))
            ids.append(path.relative_to(folder).with_suffix("").as_posix())
            images.append(ids[-1] if found.image == path.stem else found.image)
            cases.append(str(found.facts.get("case", "")) or images[-1])
            readers.append(found.reader or "")
        progress(done, len(paths))
    if not gazes:
        raise GazeFileError(
            f"{folder} contains neither study.toml nor a gaze file (*.json with a key 'gaze'). "
            "Name a study, a folder of gaze JSON files or a MicEye csv."
        )
    named = tuple(readers) if any(readers) else ()
    owners = np.arange(len(gazes))
    deeper = len(below) - len(paths)
    note = f"{counted(deeper, 'JSON file')} in folders below not read: {folder} has some itself."
    return GazeList(
        tuple(ids), gazes, owners, named, tuple(cases), tuple(images), note if deeper else ""
    )


def _json_below(folder: Path) -> list[Path]:
    try:
        found = [path for path in files_below(folder) if path.suffix == ".json"]
    except OSError as error:
        raise GazeFileError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def read_miceye(path: Path, size: Size, progress: Callable[[int, int], None]) -> GazeList:
    """Return the gaze of a MicEye csv, versions 1 and 2, sorted by the name of the image file.

    An image that has several lines is one item with several readings; one whose lines hold no gaze
    keeps its place in the order, alike to none.

    Raises
    ------
    GazeFileError
        Naming the line that cannot be read.
    """
    rows: dict[str, list[FloatArray]] = {}
    for line in foreign.read_miceye(path, progress):
        rows.setdefault(line.image, []).append(line.points_unzoomed)
    images = sorted(rows, key=lambda image: (PureWindowsPath(image).name, image))
    gazes = [Gaze(points, *size) for image in images for points in rows[image]]
    owners = np.repeat(np.arange(len(images)), [len(rows[image]) for image in images])
    return GazeList(_short_names(images), gazes, owners)


def in_order(gaze_list: GazeList, names: Sequence[str]) -> GazeList:
    """Return the items of some names, in their order; names may carry folder and suffix.

    Raises
    ------
    SimilarityError
        Naming those that are not there, or that are named twice.
    """
    place = {_bare(name): i for i, name in enumerate(gaze_list.ids)}
    place |= {name: i for i, name in enumerate(gaze_list.ids)}
    missing = [name for name in names if name not in place and _bare(name) not in place]
    if missing:
        raise SimilarityError(
            f"The order names {len(missing)} that are not among the {len(gaze_list.ids)} readings: "
            f"{', '.join(missing[:3])}."
        )
    items = [place.get(name, place.get(_bare(name), 0)) for name in names]
    if len(set(items)) < len(items):
        twice = next(name for k, name in enumerate(names) if items[k] in items[:k])
        raise SimilarityError(f"The order names {twice} twice. Name each reading once.")
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
        images=tuple(gaze_list.images[i] for i in items) if gaze_list.images else (),
        held_out=tuple(gaze_list.held_out[i] for i in items) if gaze_list.held_out else (),
        labels=tuple(gaze_list.labels[i] for i in items) if gaze_list.labels else (),
    )


def readings_alone(gaze_list: GazeList) -> GazeList:
    """Return the same readings, each as an item of its own that is still of its image."""
    owners, of_images = gaze_list.owners, gaze_list.cases or gaze_list.ids
    held, labels = gaze_list.held_out, gaze_list.labels
    places = np.arange(len(gaze_list.gazes))
    return replace(
        gaze_list,
        ids=tuple(map(str, places)),
        owners=places,
        cases=tuple(of_images[owner] for owner in owners),
        images=(),
        held_out=tuple(held[owner] for owner in owners) if held else (),
        labels=tuple(labels[owner] for owner in owners) if labels else (),
    )


def _bare(name: str) -> str:
    """Return a name without folder and suffix, whatever system wrote it."""
    return PureWindowsPath(name.strip()).stem


def _short_names(images: Sequence[str]) -> tuple[str, ...]:
    """Return file names without folder and suffix; in full where that would not tell them apart."""
    stems = [_bare(image) for image in images]
    return tuple(stems if len(set(stems)) == len(stems) else images)
