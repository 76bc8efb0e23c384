"""Thumbnails of images, with an overlay of what was looked at; made off the GUI thread."""

import contextlib
import threading
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from sqlalchemy import select

from devices.gaze.density import colour, heat_map
from migrations.study.folder import Study
from migrations.study.names import split_item
from migrations.study.schema import Fixation, Image, Reading

SIDE = 160
"""Size of a thumbnail, pixels."""
_SIGMA_SHARE = 0.03
_KEPT = 600

Picture = NDArray[np.uint8]


class Pictures:
    """Makes and keeps thumbnails of a study's images; safe from several threads.

    A frame of a stack (`ID#frame`) has its own picture and heat map.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._kept: OrderedDict[tuple[str, bool], Picture] = OrderedDict()
        self._lock = threading.Lock()

    def kept(self, image_id: str, *, heat: bool) -> Picture | None:
        """Return a picture if it was already made; never waits for a disk."""
        with self._lock:
            return self._kept.get((image_id, heat))

    def make(self, image_id: str, *, heat: bool) -> Picture:
        """Return a picture (H, W, 3) of at most 160 px per side; grey if the file is missing."""
        found = self.kept(image_id, heat=heat)
        if found is not None:
            return found
        grey = self._thumbnail(image_id)
        picture = np.repeat(grey[:, :, None], 3, axis=2)
        if heat:
            picture = self._with_heat(image_id, picture)
        with self._lock:
            self._kept[image_id, heat] = picture
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return picture

    def _thumbnail(self, image_id: str) -> Picture:
        cached = self._study.cache / "thumbnails" / f"{image_id}-{SIDE}.png"
        stack_id, frame = split_item(image_id)
        source = self._study.presentation(stack_id)
        if frame is not None:
            source = self._study.presentation_of_frame(stack_id, frame)
        with contextlib.suppress(OSError, ValueError):
            if not cached.is_file():
                _write_thumbnail(source, cached)
            with PilImage.open(cached) as file:
                return np.asarray(file.convert("L"), np.uint8)
        return np.full((SIDE, SIDE), 40, np.uint8)

    def _with_heat(self, member: str, picture: Picture) -> Picture:
        image_id, frame = split_item(member)
        query = (
            select(Fixation.x_image, Fixation.y_image, Fixation.duration_us)
            .join(Reading, Reading.id == Fixation.reading_id)
            .where(Fixation.image_id == image_id, Reading.state == "finished")
            .where(Fixation.x_image.is_not(None))
        )
        if frame is not None:
            query = query.where(Fixation.frame == frame)
        with self._study.database.read() as session:
            rows = session.execute(query).all()
            image = session.get(Image, image_id)
            size = (image.columns, image.rows) if image else (0, 0)
        if not rows or not size[0]:
            return picture
        points = np.array([row[:2] for row in rows], np.float64)
        dwell = np.array([row[2] for row in rows], np.float64)
        heat = heat_map(points, dwell, *size, _SIGMA_SHARE * max(size), max_side=SIDE)
        over = cv2.resize(colour(heat), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        alpha = over[:, :, 3:].astype(np.float32) / 255
        blended = picture * (1 - alpha) + over[:, :, :3] * alpha
        return np.ascontiguousarray(blended.round().astype(np.uint8))


def _write_thumbnail(source: Path, target: Path) -> None:
    with PilImage.open(source) as file:
        small = file.convert("L")
        small.thumbnail((SIDE, SIDE), PilImage.Resampling.LANCZOS, reducing_gap=2.0)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{threading.get_ident()}.partial")
    small.save(partial, "PNG")
    partial.replace(target)
