"""How bright the screen is while a case is read, for the background of calibration targets.

The pupil's size affects the measured gaze: calibrated at a luminance other than that of the cases,
gaze is off by more than the tracker's own error.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from sqlalchemy import select

from devices.gaze.geometry import ScreenGeometry
from migrations.study.folder import Study
from migrations.study.schema import Image

_GAMMA = 2.2
_MOST_IMAGES = 8


def case_grey(study: Study, geometry: ScreenGeometry, around: int) -> int:
    """Return the grey, 0 to 255, of an even screen as bright as the study's cases.

    Reads up to eight presentations: use a worker.

    Parameters
    ----------
    around
        Grey of the screen where no image covers it.
    """
    with study.database.read() as session:
        ids = session.scalars(select(Image.id).order_by(Image.import_number)).all()
    chosen = ids[:: max(1, -(-len(ids) // _MOST_IMAGES))]
    screen = (geometry.width_screen, geometry.height_screen)
    means = [_mean_light(study.presentation(i), screen, around) for i in chosen]
    known = [mean for mean in means if mean is not None]
    return round(255 * np.mean(known) ** (1 / _GAMMA)) if known else around


def _mean_light(path: Path, screen: Sequence[float], around: int) -> float | None:
    """Return the mean luminance of a screen that shows an image, 0 to 1; None if unreadable."""
    raw = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
    image = cv2.imdecode(raw, cv2.IMREAD_REDUCED_GRAYSCALE_4) if len(raw) else None
    if image is None:
        return None
    height, width = image.shape
    scale = min(screen[0] / width, screen[1] / height)
    covered = width * height * scale**2 / (screen[0] * screen[1])
    light = float(((np.arange(256) / 255) ** _GAMMA)[image].mean())
    dark = (around / 255) ** _GAMMA
    return float(covered * light + (1 - covered) * dark)
