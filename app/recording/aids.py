"""What an arm shows beside the images: boxes that a program drew, from a csv in the study."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from app.errors import SessionError
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.names import resolve
from migrations.study.schema import Arm, Assignment, Image

COLUMNS = ("image", "x", "y", "width", "height")


@dataclass(frozen=True, slots=True)
class AidBox:
    """A box on an image, in source-image pixels; `text` is written beside it (a score)."""

    frame: int
    x_image: float
    y_image: float
    width_image: float
    height_image: float
    text: str


Boxes = Mapping[str, tuple[AidBox, ...]]
"""By image."""


def aids_of(study: Study) -> dict[str, Boxes]:
    """Return the boxes of each arm that someone will read in, by the arm's row.

    Raises
    ------
    SessionError
        If a csv is missing, or a line in it cannot be used.
    """
    with study.database.read() as rows:
        in_use = select(Assignment.arm_id).where(Assignment.arm_id.is_not(None))
        arms = {a.id: str(a.conditions.get("boxes", ""))
                for a in rows.scalars(select(Arm).where(Arm.id.in_(in_use)))}  # fmt: skip
    return {arm: read_boxes(study, study.folder / name) for arm, name in arms.items() if name}


def read_boxes(study: Study, path: Path) -> Boxes:
    """Return the boxes of a csv `image`, `x`, `y`, `width`, `height`; also `frame`, `text`.

    Raises
    ------
    SessionError
        Naming the file, the line and what is wrong in it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SessionError(f"The boxes to show cannot be read from {path}: {error}.") from error
    found: dict[str, tuple[AidBox, ...]] = {}
    with study.database.read() as rows:
        for number, line in enumerate(lines, 2):
            try:
                image_id = resolve(rows, "image", line["image"])
                box = _box(line)
                image = rows.get_one(Image, image_id)
                _require_inside(box, image)
            except KeyError as error:
                raise SessionError(f"{path.name} has no column {error}.") from error
            except (StudyError, ValueError, TypeError) as error:
                raise SessionError(f"{path.name}, line {number}: {error}") from error
            found[image_id] = (*found.get(image_id, ()), box)
    return found


def _box(line: Mapping[str, str]) -> AidBox:
    x, y, width, height = (float(line[name]) for name in COLUMNS[1:])
    if not all(map(math.isfinite, (x, y, width, height))) or min(width, height) <= 0:
        raise ValueError("a box needs four numbers, and a width and height above 0.")
    return AidBox(
        int(line.get("frame") or 0), x, y, width, height, (line.get("text") or "").strip()
    )


def _require_inside(box: AidBox, image: Image) -> None:
    right, bottom = box.x_image + box.width_image, box.y_image + box.height_image
    if min(box.x_image, box.y_image) < 0 or right > image.columns or bottom > image.rows:
        raise ValueError(
            f"the box is outside the image, which has {image.columns} × {image.rows} pixels."
        )
    if not 0 <= box.frame < image.frames:
        raise ValueError(f"the image has no frame {box.frame}; they count from 0.")
