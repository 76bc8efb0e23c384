"""Which image of the study a foreign file means: by hash, id or name, or by a file's name.

A study keeps no file names. They are known while images are imported in the same run
(``--images``), or from a csv that ties names to images (``--match``); otherwise gaze must name an
image by its pixels' sha256, its id or the name that the study gives it, in full: the name of a file
might begin like it by chance. The csv may say the beginning of an id or name.
"""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from app.images.results import ImportResult
from devices.gaze.errors import GazeFileError
from devices.gaze.foreign_values import read_text
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


@dataclass(slots=True)
class Matcher:
    """Names in this run only; several images under one name count as none.

    Attributes
    ----------
    images
        By id.
    called
        What the study calls them.
    names
        Name (see `keys_of`) → ids of images.
    """

    images: dict[str, MatchedImage]
    called: Names
    names: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study) -> "Matcher":
        """Return a matcher that knows the study's hashes and ids."""
        query = (
            select(Image.id, CaseImage.case_id, Image.sha256, Image.columns, Image.rows)
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
            self._add(result.path.name, str(result.image_id))

    def learn_csv(self, path: Path) -> None:
        """Read a csv: `image` as gaze files name it, and `sha256` or `image_id`, or `file`.

        Raises
        ------
        GazeFileError
            If columns are missing, or what should name an image names none, or several.
        """
        lines = read_text(path).splitlines()
        header = lines[0] if lines else ""
        rows = csv.DictReader(
            io.StringIO("\n".join(lines)), delimiter=max(",;\t", key=header.count)
        )
        columns = {(name or "").strip().lower() for name in rows.fieldnames or ()}
        if "image" not in columns or not columns & {"sha256", "image_id", "file"}:
            raise GazeFileError(
                f"{path} needs the column `image` (as the gaze files name it) and one of "
                "`sha256`, `image_id`, `file`."
            )
        for row in rows:
            plain = {(k or "").strip().lower(): (v or "").strip() for k, v in row.items()}
            try:
                self._add(plain["image"], self._named_by(plain).image_id)
            except (AmbiguousName, UnknownName) as error:
                raise GazeFileError(f"{path}, line {rows.line_num}: {error}") from error

    def _named_by(self, row: dict[str, str]) -> MatchedImage:
        """Return the image of a csv's row: by its pixels, by id or name where several have them."""
        asked = row.get("image_id") or row.get("image_name") or ""
        twins = self._of_pixels(row.get("sha256", ""))
        if len(twins) > 1 and not asked:
            names = ", ".join(sorted(self.called[image.image_id] for image in twins))
            raise AmbiguousName(
                f"{len(twins)} images have these pixels ({names}): name the one meant in a column "
                "`image_id`."
            )
        meant = row.get("sha256", "") if len(twins) < 2 else ""
        meant = meant or asked or row.get("file", "")
        found = self._asked(meant) if meant == asked else self.find(meant)
        if found is None:
            raise UnknownName(f"the study has no image {meant}.")
        return found

    def _of_pixels(self, sha256: str) -> list[MatchedImage]:
        return [image for image in self.images.values() if image.sha256 == sha256.lower()]

    def find(self, name: str) -> MatchedImage | None:
        """Return the image meant, None if the study has none of that name or several."""
        by_hash = self._of_pixels(name)
        found = self.images.get(name) or (by_hash[0] if len(by_hash) == 1 else None)
        if found is not None or by_hash:  # the same pixels may be several images
            return found
        for key in keys_of(name):
            ids = self.names.get(key, set())
            if len(ids) == 1:
                return self.images[next(iter(ids))]
        return self.images.get(self.called.called(name) or "")

    def _asked(self, text: str) -> MatchedImage | None:
        """Return the image that the user names, by the beginning of a name too."""
        return self.find(text) or self.images.get(self.called.meant(text) or "")

    def _add(self, name: str, image_id: str) -> None:
        for key in keys_of(name):
            self.names.setdefault(key, set()).add(image_id)


def leaf(name: str) -> str:
    """Return the last part of a path written on any system."""
    return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def keys_of(name: str) -> tuple[str, str]:
    """Return what a file name is known by: with and without its ending, case aside."""
    last = leaf(name).lower()
    stem, dot, ending = last.rpartition(".")
    is_ending = bool(dot) and ending in _ENDINGS
    return (f"name {last}", f"stem {stem if is_ending else last}")


_ENDINGS = {
    "png", "jpg", "jpeg", "dcm", "dicom", "tif", "tiff", "bmp", "json", "csv", "tsv", "npy",
}  # fmt: skip
