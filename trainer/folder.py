"""A folder of image files with its order, labels and relation: training without a study.

This is the layout that the released code's users have: a folder of pictures, perhaps one
sub-folder per class, and an (N, N) matrix in the order of file names.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.decode import SUFFIXES
from trainer.errors import ImageFolderError

_NAME_COLUMNS = ("image", "name", "file", "filename", "path")
_PATIENT_COLUMNS = ("patient", "group", "source_group", "patient_id")
_SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class About:
    """What is known of an image of a folder: label, patient and split, each may be None."""

    label: str | None = None
    patient: str | None = None
    split: str | None = None


def find_images(folder: Path) -> dict[str, Path]:
    """Return the pictures of a folder and its sub-folders, by path within it, in order of names.

    Names use forward slashes on every system; what begins with a dot is passed over.

    Raises
    ------
    ImageFolderError
        If there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise ImageFolderError(f"{folder} is no folder. Name the folder that holds the images.")
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    }
    shown = {n: found[n] for n in sorted(found) if not any(p[:1] == "." for p in n.split("/"))}
    if not shown:
        raise ImageFolderError(
            f"{folder} holds no image ({', '.join(SUFFIXES)}). DICOM files are imported into a "
            "study first: python main.py import --study FOLDER FILES"
        )
    return shown


def read_order(path: Path, found: Mapping[str, Path]) -> list[str]:
    """Return the images that a text file names, one a line, in its order.

    A line is a path within the folder, or a file name, or one without its suffix, as long as it
    means one image only. Empty lines and lines that begin with # are passed over.

    Raises
    ------
    ImageFolderError
        Naming the line that means no image or several, or an image that is named twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImageFolderError(f"{path} cannot be read as text: {error}.") from error
    resolve, names = Resolver(found), []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            names.append(resolve(text, f"{path}, line {number}"))
    twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise ImageFolderError(f"{path} names {twice[0]} twice; each image has one place.")
    if not names:
        raise ImageFolderError(f"{path} names no image.")
    return names


class Resolver:
    """Finds the image that a name in another file means."""

    def __init__(self, names: Sequence[str] | Mapping[str, Path]) -> None:
        self._exact = set(names)
        self._loose: dict[str, list[str]] = {}
        for name in names:
            last = name.rsplit("/", 1)[-1]
            for key in {last, _without_suffix(name), _without_suffix(last)}:
                self._loose.setdefault(key, []).append(name)

    def find(self, text: str) -> list[str]:
        """Return the images that a text may mean."""
        plain = text.replace("\\", "/").removeprefix("./")
        if plain in self._exact:
            return [plain]
        return self._loose.get(plain) or self._loose.get(plain.rsplit("/", 1)[-1]) or []

    def __call__(self, text: str, where: str) -> str:
        """Return the image that a text means.

        Raises
        ------
        ImageFolderError
            If it means none or several; `where` says where it stands.
        """
        meant = self.find(text)
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise ImageFolderError(
                f"{where}: {text!r} may mean {', '.join(meant[:3])}; write the path within the "
                "folder of images."
            )
        raise ImageFolderError(f"{where}: {text!r} is none of the images.")


def _without_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in SUFFIXES else name


def read_labels(path: Path, names: Sequence[str]) -> dict[str, About]:
    """Return what a csv says of images: columns `image`, and any of `label`, `patient`, `split`.

    Images that the csv does not name have neither; lines of images that are not trained on are
    passed over.

    Raises
    ------
    ImageFolderError
        Naming the line and column that cannot be understood.
    """
    resolve, table = Resolver(names), {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ImageFolderError(f"{path} cannot be read as csv: {error}.") from error
    columns = [c.strip().lower() for c in (rows[0] if rows else {}) if c is not None]
    name_column = next((c for c in _NAME_COLUMNS if c in columns), None)
    if name_column is None:
        raise ImageFolderError(
            f"{path} has no column {_NAME_COLUMNS[0]!r} that names the images; it has "
            f"{', '.join(columns) or 'no line'}."
        )
    for number, row in enumerate(rows, start=2):
        plain = {k.strip().lower(): (v or "").strip() for k, v in row.items() if k is not None}
        meant = resolve.find(plain[name_column])
        if len(meant) == 1:
            table[meant[0]] = _about(plain, f"{path}, line {number}")
    if not table:
        raise ImageFolderError(f"{path} names none of the images.")
    return table


def _about(row: Mapping[str, str], where: str) -> About:
    split = row.get("split", "").lower() or None
    if split is not None and split not in _SPLITS:
        raise ImageFolderError(f"{where}: split is {split!r}; known are {', '.join(_SPLITS)}.")
    patient = next((row[c] for c in _PATIENT_COLUMNS if row.get(c)), None)
    return About(row.get("label") or None, patient, split)


def labels_of_folders(names: Sequence[str]) -> dict[str, About]:
    """Return the parent folder of each image as its label; none for those in the top folder."""
    return {n: About(n.rsplit("/", 2)[-2] if "/" in n else None) for n in names}
