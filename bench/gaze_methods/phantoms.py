"""Harder phantoms: lesions of several sizes anywhere, and places that draw the eye in every image.

A patch is a window of 48 pixels on power-law tissue (1/f³). Where a lesion lies, and how large it
is, says nothing of its class; every image, normal ones too, has harmless densities at random.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from app.demo.fields import power_noise
from app.demo.lesions import draw_lesion

SIDE = 48
CLASSES = ("normal", "mass", "spiculated")
FIELDS = (144, 192, 256)
"""Rows of the field that a lesion is drawn for: the demo's lesions of it are 4 to 11 px in radius
for a mass, 2 to 6 px for the core of a spiculated one."""
_TISSUE, _MARGIN, _IMAGES = 256, 10, 3


@dataclass(frozen=True, slots=True)
class Phantom:
    """One image.

    Attributes
    ----------
    grey
        Shape (SIDE, SIDE), uint8.
    label, patient
        Class, one of `CLASSES`, and the number of the patient.
    lesion
        (x, y, reach) in pixels; None in a normal image.
    harmless
        (x, y, radius) of densities that mean nothing.
    """

    grey: np.ndarray
    label: str
    patient: int
    lesion: tuple[float, float, float] | None
    harmless: tuple[tuple[float, float, float], ...]


def make_phantoms(count: int, seed: int) -> list[Phantom]:
    """Return phantoms, patient after patient, three images each; they share tissue and class."""
    phantoms: list[Phantom] = []
    while len(phantoms) < count:
        patient = len(phantoms) // _IMAGES
        rng = np.random.default_rng([seed, patient, 31])
        tone = rng.uniform(0.30, 0.42), rng.uniform(0.05, 0.09)
        label = CLASSES[patient % len(CLASSES)]
        for _ in range(min(_IMAGES, count - len(phantoms))):
            phantoms.append(_phantom(label, patient, tone, rng))
    return phantoms


def _phantom(
    label: str, patient: int, tone: tuple[float, float], rng: np.random.Generator
) -> Phantom:
    level, contrast = tone
    tissue = power_noise(_TISSUE, _TISSUE, 3.0, rng, low_cut=2.0, coarse=1)
    grey = level + contrast * _window(tissue, *rng.integers(0, _TISSUE - SIDE, 2))
    harmless = tuple(
        (*map(float, rng.uniform(4, SIDE - 4, 2)), float(rng.uniform(3, 6)))
        for _ in range(int(rng.integers(1, 4)))
    )
    for x, y, radius in harmless:
        grey = grey + _density(x, y, radius, rng)
    lesion = None
    if label != "normal":
        drawn, lesion = _lesion(label, rng)
        grey = grey + drawn
    noise = rng.standard_normal(grey.shape).astype(np.float32)
    grey = grey + cv2.GaussianBlur(noise, (0, 0), 0.6) * 0.015
    pixels = np.clip(grey * 255, 0, 255).astype(np.uint8)
    return Phantom(pixels, label, patient, lesion, harmless)


def _lesion(label: str, rng: np.random.Generator) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Return what a lesion of a random size and place adds, and where it is."""
    field = int(rng.choice(FIELDS))
    x, y = map(float, rng.uniform(_MARGIN, SIDE - _MARGIN, 2))
    left = top = (field - SIDE) // 2
    drawn, reach = draw_lesion(label, (field, field), left + x, top + y, rng)
    return 0.8 * _window(drawn, left, top), (x, y, float(reach))


def _density(x: float, y: float, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Return a soft round density, fainter than a lesion, without an edge."""
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    far = ((xs - x) ** 2 + (ys - y) ** 2) / radius**2
    return np.asarray(rng.uniform(0.06, 0.12) * np.exp(-far / 2), np.float32)


def _window(field: np.ndarray, left: int, top: int) -> np.ndarray:
    return field[top : top + SIDE, left : left + SIDE]
