"""Images that may carry a burned-in name: reviewed, blacked out, cleared before they are read.

Most real files do not say whether text is part of their pixels. Such images are imported unchanged
and wait on a contact sheet; their cases are not offered to a reader until someone has cleared them.
Who did so is stored.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session as OrmSession

from app.errors import AppError, ImageUnreadable
from app.images.attributes import DisplayAttributes
from app.images.files import STORED, Unwritable, digest_of, write_image
from app.images.frames import write_looked_at
from app.images.greyscale import display_lut
from app.images.masks import MaskTemplate, Rectangle, add_mask, blacked_out
from app.images.store import load
from migrations.study.audit import add_audit
from migrations.study.folder import Study
from migrations.study.names import names_of, short_name
from migrations.study.processes import owned_name
from migrations.study.schema import CaseImage, Image, utc_now

_WHITE_PAPER = 200


class ClearingError(AppError):
    """An image cannot be cleared or blacked out."""


@dataclass(frozen=True, slots=True)
class SheetImage:
    """An image that waits for review.

    Attributes
    ----------
    name
        Its name on every page.
    burned_in
        What its file says: "yes", or "unknown".
    manufacturer, model
        Those of its device; empty if the file does not give them.
    rectangles
        Rectangles already blacked out.
    """

    image_id: str
    name: str
    rows: int
    columns: int
    burned_in: str
    manufacturer: str
    model: str
    rectangles: tuple[Rectangle, ...]


def waiting() -> ColumnElement[bool]:
    """Return the condition for images that no reader may see yet."""
    return and_(Image.burned_in != "no", Image.cleared_by.is_(None))


def to_clear(study: Study) -> list[SheetImage]:
    """Return the waiting images; those whose file says that they contain text come first."""
    query = select(Image).where(waiting()).order_by(Image.burned_in.desc(), Image.import_number)
    with study.database.read() as session:
        names = names_of(session, "image")
        return [_sheet_image(image, names[image.id]) for image in session.scalars(query)]


def cases_to_clear(study: Study) -> dict[str, int]:
    """Return how many images of a case wait, by case; cases without any are left out."""
    query = select(CaseImage.case_id).join(Image, Image.id == CaseImage.image_id).where(waiting())
    counts: dict[str, int] = {}
    with study.database.read() as session:
        for case_id in session.scalars(query):
            counts[case_id] = counts.get(case_id, 0) + 1
    return counts


def clear(study: Study, image_ids: Iterable[str], by: str) -> int:
    """Record that images carry no name; return how many were cleared now.

    Parameters
    ----------
    by
        Who reviewed them: a code or initials.

    Raises
    ------
    ClearingError
        If nobody is named.
    """
    by = by.strip()
    if not by:
        raise ClearingError("Who clears the images? Type your code or initials.")
    count = 0
    with study.database.write() as session:
        for image in session.scalars(select(Image).where(Image.id.in_(list(image_ids)))):
            if image.cleared_by is None:
                image.cleared_by, count = by, count + 1
                image.details = image.details | {"cleared_utc": utc_now()}
                _audit(session, "image cleared", image, {"by": by})
    return count


def black_out(study: Study, image_id: str, rectangles: Sequence[Rectangle], by: str) -> None:
    """Black out rectangles of an image permanently; the pixels under them are stored nowhere.

    Raises
    ------
    ClearingError
        If nobody is named, or the study's folder cannot be written.
    ImageUnreadable
        If the image is missing or damaged.
    """
    if not by.strip():
        raise ClearingError("Who blacks out the image? Type your code or initials.")
    folder = study.image_folder(image_id)
    try:
        attributes = DisplayAttributes.read(folder / "display.json")
        stored = np.load(folder / STORED, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ImageUnreadable(
            f"Image {short_name(image_id)} is missing or damaged ({error}). Restore the folder "
            f"{folder} from a copy of the study, or import the file again."
        ) from error
    stored, attributes = blacked_out(stored, attributes, rectangles)
    _replace(study, image_id, stored, attributes)
    with study.database.write() as session:
        image = session.scalars(select(Image).where(Image.id == image_id)).one()
        details = dict(image.details)
        details.setdefault("imported_sha256", image.sha256)
        details["blacked_out"] = [*details.get("blacked_out", []), *map(list, rectangles)]
        image.sha256, image.details = digest_of(stored), details
        frames = image.frames
        _audit(session, "image blacked out", image, {"by": by.strip(), "count": len(rectangles)})
    if frames > 1:
        write_looked_at(study)


def same_device(study: Study, image: SheetImage) -> list[str]:
    """Return the other waiting images of the same device and size."""
    if not (image.manufacturer or image.model):
        return []
    wanted = (image.manufacturer, image.model, image.rows, image.columns)
    return [
        other.image_id
        for other in to_clear(study)
        if (other.manufacturer, other.model, other.rows, other.columns) == wanted
        and other.image_id != image.image_id
    ]


def mask_device(
    study: Study, image: SheetImage, rectangles: Sequence[Rectangle], by: str
) -> list[str]:
    """Black out the same rectangles on all waiting and future images of a device.

    Returns
    -------
    list of str
        The images that were blacked out.

    Raises
    ------
    ClearingError, ImageUnreadable
        As for `black_out`; also if the image does not name its device.
    """
    if not (image.manufacturer or image.model):
        raise ClearingError(
            "The file of this image does not name its device, so its rectangles cannot be "
            "applied to other images."
        )
    size = image.rows, image.columns
    add_mask(study.folder, MaskTemplate(image.manufacturer, image.model, *size, tuple(rectangles)))
    images = [image.image_id, *same_device(study, image)]
    for image_id in images:
        black_out(study, image_id, rectangles, by)
    return images


def picture(study: Study, image_id: str) -> NDArray[np.uint8]:
    """Return the picture to review: for a stack, the maximum over all its frames.

    Shape (H, W), for colours (H, W, 3), since coloured text may be no brighter than its background.

    Raises
    ------
    ImageUnreadable
        If the image is missing or damaged.
    """
    image = load(study, image_id)
    lut = display_lut(image.attributes)
    if image.stack is None:
        return lut.apply(image.stored)
    shown = lut.apply(image.stored)
    for frame in image.stack:
        np.maximum(shown, lut.apply(frame), out=shown)
    return shown


def thumbnail(shown: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a picture shrunk to a square that keeps fine strokes, white ones and black on white.

    Averaging alone would make small text vanish, which a contact sheet is meant to reveal.
    """
    factor = max(*shown.shape[:2], side) / side
    size = max(round(shown.shape[1] / factor), 1), max(round(shown.shape[0] / factor), 1)

    def small(picture: Any) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)

    if factor <= 1.0:
        return small(shown)
    reach = np.ones((round(factor), round(factor)), np.uint8)
    bright, dark = small(cv2.dilate(shown, reach)), small(cv2.erode(shown, reach))
    return np.where(small(shown) > _WHITE_PAPER, dark, bright)


def last_clearer(study: Study) -> str:
    """Return who last cleared images; "" at first."""
    query = (
        select(Image.cleared_by)
        .where(Image.cleared_by.is_not(None))
        .order_by(Image.details["cleared_utc"].as_string().desc())
        .limit(1)
    )
    with study.database.read() as session:
        return session.scalar(query) or ""


def _replace(
    study: Study, image_id: str, stored: NDArray[Any], attributes: DisplayAttributes
) -> None:
    """Replace an image's files, each atomically; after a crash, doing it again completes it."""
    folder = study.image_folder(image_id)
    staging = study.folder / "images" / owned_name(".incoming-")
    frames = folder / "frames"
    try:
        staging.mkdir()
        write_image(staging, stored, attributes)
        if frames.is_dir():  # they show what is to be hidden: removed first, then made again
            shutil.rmtree(frames)
        for file in sorted(staging.iterdir()):
            os.replace(file, folder / file.name)
    except (OSError, Unwritable) as error:
        raise ClearingError(
            f"{folder} cannot be written ({error}). Free some space, then black it out again."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sheet_image(image: Image, name: str) -> SheetImage:
    details = image.details
    return SheetImage(
        image.id,
        name,
        image.rows,
        image.columns,
        image.burned_in,
        str(details.get("manufacturer", "")),
        str(details.get("model", "")),
        tuple((x, y, width, height) for x, y, width, height in details.get("blacked_out", [])),
    )


def _audit(session: OrmSession, action: str, image: Image, details: dict[str, Any]) -> None:
    add_audit(session, action, image.id, details, person=details.get("by"))
