"""A folder of image files with its order, labels and relation: training without a study.

This is the layout that the released code's users have: a folder of pictures, perhaps one
sub-folder per class, and an (N, N) matrix in the order of file names.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrations.study.files_below import files_below
from migrations.study.plurals import counted
from migrations.study.processes import as_typed
from trainer.data.csv_table import CsvTable
from trainer.data.decode import SUFFIXES
from trainer.data.splits import SPLIT_NAMES, read_splits
from trainer.errors import ImageFolderError

_COLUMNS = {
    "image": ("image", "name", "file", "filename", "path"),
    "label": ("label", "class"),
    "patient": ("patient", "group", "source_group", "patient_id"),
    "split": ("split",),
}
_DICOM = (".dcm", ".dicom")
_SPELLINGS = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}


@dataclass(frozen=True, slots=True)
class ImageFacts:
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
        If there is no such folder, one in it cannot be read, or no picture is in it.
    """
    if not folder.is_dir():
        raise ImageFolderError(
            f"{folder} is not a folder. Name the folder that contains the images."
        )
    found = {
        path.relative_to(folder).as_posix(): path
        for path in _below(folder)
        if path.suffix.lower() in SUFFIXES and path.is_file()
    }
    shown = {n: found[n] for n in sorted(found) if not any(p[:1] == "." for p in n.split("/"))}
    if not shown:
        raise ImageFolderError(
            as_typed(
                f"{folder} contains no images ({', '.join(SUFFIXES)}). Import DICOM files into a "
                "study first: python main.py import --study FOLDER FILES"
            )
        )
    return shown


def _below(folder: Path) -> list[Path]:
    try:
        return files_below(folder)
    except OSError as error:
        raise ImageFolderError(f"{error.filename} cannot be read: {error.strerror}.") from error


def overlooked(folder: Path, names: Sequence[str], labels: Path | None = None) -> tuple[str, ...]:
    """Return what a person should know of a folder: DICOM files, and labels of no image in it."""
    dicom = sum(p.suffix.lower() in _DICOM and p.is_file() for p in _below(folder))
    notes = []
    if dicom:
        notes.append(
            f"{counted(dicom, 'DICOM file')} in {folder} skipped. Import DICOM files into a study "
            "first."
        )
    if labels is not None:
        resolve = Resolver(names)
        lost = [
            r["image"] for _, r in table_rows(labels, ("image",)) if not resolve.find(r["image"])
        ]
        if lost:
            notes.append(
                f"{labels} names {counted(len(lost), 'image')} not in the folder (the first: "
                f"{lost[0]!r}); skipped."
            )
    return tuple(notes)


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
        raise ImageFolderError(f"{path} names {twice[0]} twice. Name each image once.")
    if not names:
        raise ImageFolderError(f"{path} names no images.")
    return names


class Resolver:
    """Finds the image that a name in another file means.

    One path is the end of the other, accents composed or not, with or without the suffix. A name
    of another folder is never meant: patients' folders hold equal names.
    """

    def __init__(self, names: Sequence[str] | Mapping[str, Path]) -> None:
        self._exact: dict[str, list[str]] = {}
        self._ends: dict[str, list[str]] = {}
        for name in names:
            plain = unicodedata.normalize("NFC", name)
            self._exact.setdefault(plain, []).append(name)
            for key in {*_ends(plain), *_ends(_without_suffix(plain))}:
                self._ends.setdefault(key, []).append(name)

    def find(self, text: str) -> list[str]:
        """Return the images that a text may mean."""
        plain = unicodedata.normalize("NFC", text.replace("\\", "/").removeprefix("./"))
        meant = self._exact.get(plain) or self._ends.get(plain)
        return meant or self._written_elsewhere(plain)

    def _written_elsewhere(self, plain: str) -> list[str]:
        """Return the images whose whole name ends a path that was written for another place."""
        for end in _ends(plain):
            whole = self._exact.get(end) or [
                name
                for name in self._ends.get(end, ())
                if _without_suffix(unicodedata.normalize("NFC", name)) == end
            ]
            if whole:
                return whole
        return []

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
                f"{where}: {text!r} may mean {', '.join(meant[:3])}. Write its path within the "
                "image folder."
            )
        dicom = text.lower().endswith(_DICOM)
        hint = " Import DICOM files into a study first." if dicom else ""
        raise ImageFolderError(f"{where}: there is no image {text!r} in the folder.{hint}")


def _ends(path: str) -> list[str]:
    """Return the ends of a path, the longest first."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _without_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in SUFFIXES else name


def read_labels(path: Path, names: Sequence[str], *, strict: bool = False) -> dict[str, ImageFacts]:
    """Return what a table says of images.

    Parameters
    ----------
    path
        CSV in UTF-8, its columns divided by comma, semicolon or tab: `image`, and any of `label`,
        `patient`, `split` (train, val or test).
    names
        The images; a line means one of them by path, or by the end of it, or without its suffix.
    strict
        Demand the column `label`, and an image for each line; else lines of no image are passed
        over. Images that no line names are not in the result.

    Raises
    ------
    ImageFolderError
        Naming the line and column that cannot be understood, or that contradicts another.
    """
    resolve, table = Resolver(names), dict[str, ImageFacts]()
    lines: dict[str, str] = {}
    for where, row in table_rows(path, ("image", "label") if strict else ("image",)):
        if not strict and not resolve.find(row["image"]):
            continue
        name, facts = resolve(row["image"], where), _facts(row, where)
        earlier = table.setdefault(name, facts)
        lines.setdefault(name, where)
        for what in ("label", "patient", "split"):
            one, other = getattr(earlier, what), getattr(facts, what)
            if one != other:
                raise ImageFolderError(
                    f"{where}: {what} of {name} is {other!r}, but {one!r} in {lines[name]}. Keep "
                    "one of the two."
                )
    if not table:
        raise ImageFolderError(f"{path} names none of the images.")
    return table


def table_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where each line of a table stands, and its known columns, empty where missing."""
    table = CsvTable(path, ImageFolderError)
    taken = {k: next((c for c in own if c in table.columns), k) for k, own in _COLUMNS.items()}
    table.require([taken[name] for name in needed], list(_COLUMNS))
    for where, row in table.rows():
        yield where, {known: row.get(column, "") for known, column in taken.items()}


def _facts(row: Mapping[str, str], where: str) -> ImageFacts:
    split = _SPELLINGS.get(row["split"].lower(), row["split"].lower())
    if split and split not in SPLIT_NAMES:
        raise ImageFolderError(
            f"{where}: split is {row['split']!r}; it must be train, val or test."
        )
    return ImageFacts(row["label"] or None, row["patient"] or None, split or None)


def read_split_file(path: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the split of each image that a JSON file names in its lists train, val and test.

    Images that are not there are passed over: the file may speak of a larger set.

    Raises
    ------
    ImageFolderError
        If the file cannot be read as splits, holds several, names an image in two lists, or none
        of the images.
    """
    content = read_splits(path)
    if "repeats" in content:
        raise ImageFolderError(
            f"{path} holds {len(content['repeats'])} splits, but training needs one, because no "
            "test image may be used. Use a file with one train list and one test list."
        )
    resolve, table = Resolver(names), dict[str, str]()
    for split in SPLIT_NAMES:
        for text in map(str, content.get(split, ())):
            if not resolve.find(text):
                continue
            name = resolve(text, f"{path}, list {split}")
            if table.setdefault(name, split) != split:
                raise ImageFolderError(f"{path} names {name} in both {table[name]} and {split}.")
    if not table:
        raise ImageFolderError(f"{path} names none of the images.")
    return table


def labels_of_folders(names: Sequence[str]) -> dict[str, ImageFacts]:
    """Return the parent folder of each image as its label; none for those in the top folder."""
    return {n: ImageFacts(n.rsplit("/", 2)[-2] if "/" in n else None) for n in names}
