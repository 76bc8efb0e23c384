"""Phantom patches of mammograms at study size, whose classes and places are known.

A patch is a window of 64 pixels on a tissue of the demo's phantoms (power-law noise 1/f³), so that
the demo's lesions are 6 to 11 pixels in radius: large enough for a net to tell them apart.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from app.demo.fields import power_noise
from app.demo.lesions import draw_lesion

SIDE = 64
CLASSES = ("normal", "mass", "spiculated")
_FIELD = 256  # rows of the field that a patch is a window of; scales the demo's lesions
_MARGIN = 14


@dataclass(frozen=True, slots=True)
class Phantom:
    """One image: grey (SIDE, SIDE) uint8, class, patient, and its lesion (x, y, radius) if any."""

    grey: np.ndarray
    label: str
    patient: int
    lesion: tuple[float, float, float] | None


def make_phantoms(count: int, seed: int, images_per_patient: int = 3) -> list[Phantom]:
    """Return phantoms, patient after patient; images of a patient share tissue and class."""
    phantoms: list[Phantom] = []
    patient = 0
    while len(phantoms) < count:
        rng = np.random.default_rng([seed, patient])
        label = CLASSES[patient % len(CLASSES)]
        tone = rng.uniform(0.30, 0.42), rng.uniform(0.05, 0.09)
        for _ in range(min(images_per_patient, count - len(phantoms))):
            phantoms.append(_phantom(label, patient, tone, rng))
        patient += 1
    return phantoms


def _phantom(
    label: str, patient: int, tone: tuple[float, float], rng: np.random.Generator
) -> Phantom:
    level, contrast = tone
    tissue = power_noise(_FIELD, _FIELD, 3.0, rng, low_cut=2.0, coarse=1)
    left, top = rng.integers(0, _FIELD - SIDE, 2)
    window = np.s_[top : top + SIDE, left : left + SIDE]
    grey = level + contrast * tissue[window]
    lesion = None
    if label != "normal":
        x, y = rng.uniform(_MARGIN, SIDE - _MARGIN, 2)
        drawn, reach = draw_lesion(label, (_FIELD, _FIELD), left + x, top + y, rng)
        grey = grey + drawn[window]
        lesion = (float(x), float(y), float(reach))
    grey = (
        grey
        + cv2.GaussianBlur(rng.standard_normal(grey.shape).astype(np.float32), (0, 0), 0.6) * 0.015
    )
    return Phantom(np.clip(grey * 255, 0, 255).astype(np.uint8), label, patient, lesion)
