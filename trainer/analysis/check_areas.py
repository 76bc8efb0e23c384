"""Areas that a table tells of a study's images: whether gaze or a mark can lie in them at all."""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import Image
from trainer.analysis.areas import Area
from trainer.analysis.looked import FloatArray
from trainer.errors import AnalysisError


def check_areas(study: Study, areas: Mapping[str, Sequence[Area]]) -> None:
    """Refuse areas that nothing can lie in, for 0 would say that nobody looked or marked.

    Parameters
    ----------
    areas
        Of each image, by its name.

    Raises
    ------
    AnalysisError
        Naming the image and the area: a mask of another size, an area beside its image, a frame
        that the image does not have.
    """
    with study.database.read() as rows:
        names = names_of(rows, "image")
        query = select(Image.id, Image.columns, Image.rows, Image.frames)
        sizes = {names[id_]: tuple(size) for id_, *size in rows.execute(query)}
    for image, own in areas.items():
        for area in own:
            _check(area, *sizes[image])


def _check(area: Area, width: int, height: int, frames: int) -> None:
    what = f"Area {area.name!r} of image {area.image}"
    if area.mask is not None and area.mask.shape != (height, width):
        raise AnalysisError(
            f"{what}: its mask is {area.mask.shape[1]} × {area.mask.shape[0]} pixels, the "
            f"image {width} × {height}."
        )
    low, high = _reach(area)
    beside = (high < 0) | (low > (width, height))
    if area.kind not in ("keypoint", "mask"):  # only its border touches the image
        beside |= (high == 0) | (low == (width, height))
    if beside.any():
        raise AnalysisError(
            f"{what} lies outside the image of {width} × {height} pixels. Areas are given in "
            "image pixels, with (0, 0) at the upper left corner."
        )
    if area.frame is not None and area.frame >= frames:
        raise AnalysisError(
            f"{what} is on frame {area.frame}, but the image has {frames}, counted from 0."
        )


def _reach(area: Area) -> tuple[FloatArray, FloatArray]:
    if area.mask is not None:
        return np.zeros(2), np.zeros(2)
    return area.corners.min(axis=0), area.corners.max(axis=0)
