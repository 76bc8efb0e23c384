"""A plain folder of radiographs with a table of labels; no study is needed."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from trainer.errors import ProbeError
from trainer.probe.labelled import LabelledImage, LabelledSet

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})
SPLITS = ("train", "val", "test")
_SPELLINGS = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}


def labelled_folder(folder: Path, labels: Path) -> LabelledSet:
    """Return the images of a folder that a table labels.

    Parameters
    ----------
    folder
        Searched with its subfolders for PNG, JPEG, TIFF and BMP files.
    labels
        CSV with the columns `image` and `label`, optionally `patient` and `split`; an image is
        named by its path below the folder, or by its file name where that is unique.

    Raises
    ------
    ProbeError
        Naming the file, the line and the way out.
    """
    index = _Index(folder)
    rows = _rows(labels)
    images: dict[str, LabelledImage] = {}
    unlabelled = 0
    for number, row in rows:
        if not row["label"]:
            unlabelled += 1
            continue
        path = index.find(row["image"], f"{labels}, line {number}")
        image = _image(folder, path, row, f"{labels}, line {number}")
        earlier = images.setdefault(image.name, image)
        if earlier.label != image.label:
            raise ProbeError(
                f"{labels}, line {number}: {image.name} is labelled {image.label!r}, an earlier "
                f"line says {earlier.label!r}. Keep one of them."
            )
    if not images:
        raise ProbeError(f"{labels} labels no image of {folder}.")
    notes = _notes(images.values(), unlabelled, len(index.paths) - len(images), rows)
    return LabelledSet(tuple(images.values()), notes)


def images_by_class_folder(folder: Path, names: Iterable[str]) -> LabelledSet:
    """Return named images of the layout `class/file`: the first part of a name is its label.

    Raises
    ------
    ProbeError
        If a file is missing, or its name has no class.
    """
    images = []
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        path = folder.joinpath(*parts)
        if len(parts) < 2:
            raise ProbeError(
                f"{name} lies in no class folder, and no --labels are given: write class/file.png, "
                "or give a table of labels."
            )
        if not path.is_file():
            raise ProbeError(f"{path} is missing; the splits name it.")
        images.append(LabelledImage(name_of(folder, path), path, parts[0], name))
    note = "No patients are known: each image counts as a patient of its own."
    return LabelledSet(tuple(images), (note,))


def name_of(folder: Path, path: Path) -> str:
    """Return the path below the folder with forward slashes."""
    return path.relative_to(folder).as_posix()


class _Index:
    """Finds the files of a folder by what a table calls them."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ProbeError(f"{folder} is no folder. Name the folder that holds the images.")
        found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        self.folder, self.paths = folder, [p for p in found if p.is_file()]
        self._by_name: dict[str, list[Path]] = {}
        for path in self.paths:
            for name in {path.name, path.stem}:
                self._by_name.setdefault(name, []).append(path)

    def find(self, word: str, where: str) -> Path:
        """Return the file that a word means, by its path or else by its own name."""
        plain = PurePosixPath(word.replace("\\", "/"))
        direct = self.folder.joinpath(*plain.parts)
        if ".." not in plain.parts and direct.suffix.lower() in SUFFIXES and direct.is_file():
            return direct
        found = self._by_name.get(plain.name, [])
        if len(found) == 1:
            return found[0]
        if found:
            raise ProbeError(
                f"{where}: {len(found)} files are called {plain.name}, e.g. {found[0]} and "
                f"{found[1]}. Write the path below {self.folder}."
            )
        hint = " DICOM files are imported into a study first." if plain.suffix == ".dcm" else ""
        raise ProbeError(f"{where}: there is no image {word!r} in {self.folder}.{hint}")


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return line numbers and rows of a table, every known column in each row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ProbeError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ProbeError(f"{path} is not UTF-8 text; save it as CSV in UTF-8.") from error
    lines = text.splitlines()
    head = lines[0] if lines else ""
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(lines, delimiter=delimiter)
    columns = [name.strip().lower() for name in reader.fieldnames or []]
    for needed in ("image", "label"):
        if needed not in columns:
            raise ProbeError(
                f"{path} has no column {needed!r}; it has {', '.join(columns) or 'none'}. Needed "
                "are image and label, patient and split may be there."
            )
    reader.fieldnames = columns
    return [(reader.line_num, _cleaned(row)) for row in reader]


def _cleaned(row: Mapping[str | None, str | list[str] | None]) -> dict[str, str]:
    plain = {k: v.strip() for k, v in row.items() if k and isinstance(v, str)}
    return {name: plain.get(name, "") for name in ("image", "label", "patient", "split")}


def _image(folder: Path, path: Path, row: Mapping[str, str], where: str) -> LabelledImage:
    split = _SPELLINGS.get(row["split"].lower(), row["split"].lower())
    if split and split not in SPLITS:
        raise ProbeError(f"{where}: split is {row['split']!r}; it is train, val or test.")
    name = name_of(folder, path)
    return LabelledImage(name, path, row["label"], row["patient"] or name, split or None)


def _notes(
    images: Iterable[LabelledImage],
    unlabelled: int,
    others: int,
    rows: Sequence[tuple[int, Mapping[str, str]]],
) -> tuple[str, ...]:
    notes = []
    if unlabelled:
        notes.append(f"{unlabelled} rows have no label and were left out.")
    if others > 0:
        notes.append(f"{others} images of the folder are not in the table and were left out.")
    nameless = sum(1 for _, row in rows if not row["patient"])
    if nameless == len(rows):
        notes.append("No patients are known: each image counts as a patient of its own.")
    elif nameless:
        notes.append(f"{nameless} rows name no patient: each counts as a patient of its own.")
    splits = Counter(image.split for image in images)
    if None in splits and len(splits) > 1:
        notes.append(f"{splits[None]} images have no split and were left out of the fixed split.")
    return tuple(notes)
