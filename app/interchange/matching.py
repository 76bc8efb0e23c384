"""Which image of the study a foreign file means: by hash, id or name, or by a file's name.

A study stores no file names. They are known while images are imported in the same run
(``--images``), or from a csv that maps names to images (``--match``). Otherwise gaze must name an
image by the SHA-256 of its pixels, its id or its name in the study, in full, since a file's name
might begin the same way by chance. The csv may give the beginning of an id or name.

File names are compared together with their folders: the longest shared end of the path wins, a name
that several images share is refused, and a name with another folder than the image's never means
it. Endings and letter case do not count.
"""

import csv
import io
import os
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from app.images.importing.labels import path_parts
from app.images.importing.results import ImportResult
from devices.gaze.errors import GazeFileError
from devices.gaze.foreign_values import read_text
from migrations.study.csv_tables import delimiter_of
from migrations.study.errors import AmbiguousName, UnknownName
from migrations.study.folder import Study
from migrations.study.names import Names, names_of
from migrations.study.schema import CaseImage, Image


@dataclass(frozen=True, slots=True)
class MatchedImage:
    """An image of the study and the case it hangs in."""

    image_id: str
    case_id: str
    sha256: str
    width: int
    height: int
    frames: int = 1


@dataclass(frozen=True, slots=True)
class _Known:
    """A name of an image: its path's parts, last to first, and whether a csv gave it."""

    parts: tuple[str, ...]
    image_id: str
    text: str
    from_csv: bool

    def shared(self, parts: tuple[str, ...]) -> int:
        """Return how many parts of the end are equal; 0 if the name cannot mean this image."""
        pairs = zip(self.parts, parts, strict=False)
        same = next(
            (k for k, (a, b) in enumerate(pairs) if a != b), min(len(self.parts), len(parts))
        )
        if same == len(parts) or (self.from_csv and same == len(self.parts)):
            return same  # one is completely the end of the other
        return 0 if self.from_csv or not _is_absolute(parts) else same


@dataclass(slots=True)
class Matcher:
    """File names, in this run only; a name that several images share is refused.

    Attributes
    ----------
    images
        By id.
    called
        Their names in the study.
    names
        Last part of a name → the names that end with it.
    """

    images: dict[str, MatchedImage]
    called: Names
    names: dict[str, list[_Known]] = field(default_factory=dict)
    _hashes: dict[str, list[MatchedImage]] = field(default_factory=dict)
    _folders: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, study: Study) -> "Matcher":
        """Return a matcher that knows the study's hashes and ids."""
        query = (
            select(
                Image.id, CaseImage.case_id, Image.sha256, Image.columns, Image.rows, Image.frames
            )
            .join(CaseImage, CaseImage.image_id == Image.id)
            .order_by(CaseImage.id)
        )
        images: dict[str, MatchedImage] = {}
        with study.database.read() as session:
            for row in session.execute(query):
                images.setdefault(row[0], MatchedImage(*row))
            return cls(images, names_of(session, "image"))

    def learn(self, result: ImportResult) -> None:
        """Remember the file name of an image that was just imported, for this run."""
        if result.image_id in self.images:
            path = Path(os.path.abspath(result.path))
            self._folders.update(_parts_of(str(path))[1:2])
            self._add(str(path), str(result.image_id), from_csv=False)

    def learn_csv(self, path: Path) -> None:
        """Read a csv: `image` as in the gaze files, and `sha256` or `image_id`, or `file`.

        Raises
        ------
        GazeFileError
            If columns are missing, or a value matches no image, or several.
        """
        lines = read_text(path).splitlines()
        header = lines[0] if lines else ""
        rows = csv.DictReader(io.StringIO("\n".join(lines)), delimiter=delimiter_of(header))
        columns = {(name or "").strip().lower() for name in rows.fieldnames or ()}
        if "image" not in columns or not columns & {"sha256", "image_id", "file"}:
            raise GazeFileError(
                f"{path} needs the column `image` (the name in the gaze files) and one of "
                "`sha256`, `image_id`, `file`."
            )
        for row in rows:
            plain = {(k or "").strip().lower(): (v or "").strip() for k, v in row.items()}
            try:
                self._add(plain["image"], self._named_by(plain).image_id)
            except (AmbiguousName, UnknownName) as error:
                raise GazeFileError(f"{path}, line {rows.line_num}: {error}") from error

    def _named_by(self, row: dict[str, str]) -> MatchedImage:
        """Return the image of a csv's row: by its pixels, or by id or name if several have them."""
        asked = row.get("image_id") or row.get("image_name") or ""
        twins = self._of_pixels(row.get("sha256", ""))
        if len(twins) > 1 and not asked:
            names = ", ".join(sorted(self.called[image.image_id] for image in twins))
            raise AmbiguousName(
                f"{len(twins)} images have these pixels ({names}). Choose one in a column "
                "`image_id`."
            )
        meant = row.get("sha256", "") if len(twins) < 2 else ""
        meant = meant or asked or row.get("file", "")
        found = self._asked(meant) if meant == asked else self.find(meant)
        if found is None:
            raise UnknownName(f"the study has no image {meant}.")
        return found

    def _of_pixels(self, sha256: str) -> list[MatchedImage]:
        if not self._hashes:
            for image in self.images.values():
                self._hashes.setdefault(image.sha256, []).append(image)
        return self._hashes.get(sha256.lower(), [])

    def find(self, name: str) -> MatchedImage | None:
        """Return the image meant, or None if the study has none of that name.

        Raises
        ------
        GazeFileError
            If the name means several images just as well: two are named.
        """
        by_hash = self._of_pixels(name)
        found = self.images.get(name) or (by_hash[0] if len(by_hash) == 1 else None)
        if found is not None or by_hash:  # the same pixels may be several images
            return found
        image_id = self._by_path(name) or self.called.called(name) or ""
        return self.images.get(image_id)

    def _by_path(self, name: str) -> str | None:
        parts = _parts_of(name)
        while len(parts) > 1 and parts[-1] in _ANYBODYS:
            parts = parts[:-1]  # a project's own folder does not identify a patient
        shared = [(known.shared(parts), known) for known in self.names.get(parts[0], [])]
        longest = max((count for count, _ in shared), default=0)
        meant = {k.image_id: k for count, k in shared if count == longest and count}
        if len(meant) > 1:
            one, other, *more = sorted(known.text for known in meant.values())
            rest = f" and {len(more)} more" if more else ""
            raise GazeFileError(
                f"{leaf(name)} may mean {one} or {other}{rest}: the gaze file must contain more "
                "of the path, or identify the images with --match CSV"
            )
        if not meant or (longest == 1 and self._is_elsewhere(parts, next(iter(meant.values())))):
            return None
        return next(iter(meant))

    def _is_elsewhere(self, parts: tuple[str, ...], known: _Known) -> bool:
        """Whether a name has a known folder that is not the image's."""
        if known.from_csv or len(parts) < 2:
            return False
        return parts[1] in self._folders and parts[1] != known.parts[1]

    def _asked(self, text: str) -> MatchedImage | None:
        """Return the image that the user names; the beginning of a name is enough."""
        return self.find(text) or self.images.get(self.called.meant(text) or "")

    def _add(self, name: str, image_id: str, *, from_csv: bool = True) -> None:
        parts = _parts_of(name)
        text = name if from_csv else "/".join(path_parts(name)[-3:])
        self.names.setdefault(parts[0], []).append(_Known(parts, image_id, text, from_csv))


def leaf(name: str) -> str:
    """Return the last part of a path written on any system."""
    return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a path from its end, the last without its ending, in one letter case."""
    *folders, last = path_parts(name.strip().casefold()) or ("",)
    stem, dot, ending = last.rpartition(".")
    return (stem if dot and ending in _ENDINGS else last, *reversed(folders))


def _is_absolute(parts: tuple[str, ...]) -> bool:
    """Whether parts, last to first, begin at a root or a drive."""
    return parts[-1] == "" or parts[-1].endswith(":")


_ANYBODYS = {"images", "image", "img", "imgs", "stimuli", "pictures", "pics", "library", "data"}
"""Outermost folders of relative paths in which experiment software puts its pictures."""
_ENDINGS = {
    "png", "jpg", "jpeg", "dcm", "dicom", "tif", "tiff", "bmp", "json", "csv", "tsv", "npy",
}  # fmt: skip
