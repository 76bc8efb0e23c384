"""Lesions of the phantoms: what each adds to the brightness of a mammogram."""

import cv2
import numpy as np

from app.demo.fields import FloatImage, grid, smooth

LESIONS = ("mass", "spiculated", "calcification")


def draw_lesion(
    lesion: str, size: tuple[int, ...], x: float, y: float, rng: np.random.Generator
) -> tuple[FloatImage, float]:
    """Draw a lesion around a place.

    Parameters
    ----------
    lesion
        One of `LESIONS`.
    size
        (rows, columns) of the picture.
    x, y
        Its centre, source-image pixels.
    rng
        Source of all randomness.

    Returns
    -------
    tuple
        The added brightness, shape `size`, and its radius in pixels.
    """
    scale = size[0] / 1024
    if lesion == "mass":
        radius = float(rng.uniform(26, 44)) * scale
        return 0.22 * _blob(size, x, y, radius, 0.10, 0.16, rng), radius * 1.2
    if lesion == "spiculated":
        radius = float(rng.uniform(15, 24)) * scale
        core = 0.30 * _blob(size, x, y, radius, 0.25, 0.35, rng)
        return core + 0.24 * _spicules(size, x, y, radius, rng), radius * 2.4
    reach = float(rng.uniform(22, 38)) * scale
    return _specks(size, x, y, reach, rng), reach


def _blob(
    size: tuple[int, ...], x: float, y: float, radius: float, wobble: float, soft: float,
    rng: np.random.Generator,
) -> FloatImage:  # fmt: skip
    ys, xs = grid(*size)
    angle = np.arctan2(ys - y, xs - x)
    edge = 1 + sum(
        wobble / k * rng.uniform(0.4, 1) * np.sin(k * angle + rng.uniform(0, 6.3))
        for k in range(2, 7)
    )
    stretch = rng.uniform(0.78, 1.0)
    distance = np.hypot(xs - x, (ys - y) / stretch) / (radius * edge)
    body = 1 - smooth(distance, 1 - soft, 1 + soft)
    return np.asarray(body * (1 - 0.25 * np.clip(distance, 0, 1) ** 2), np.float32)


def _spicules(
    size: tuple[int, ...], x: float, y: float, radius: float, rng: np.random.Generator
) -> FloatImage:
    rays = np.zeros(size, np.float32)
    count = int(rng.integers(18, 30))
    for angle in np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.normal(0, 0.1, count):
        length, bend = radius * rng.uniform(1.7, 3.6), rng.normal(0, 0.18)
        steps = np.linspace(0.4, 1.0, 9)
        turns = angle + bend * steps
        points = np.stack((x + length * steps * np.cos(turns), y + length * steps * np.sin(turns)))
        for i in range(8):  # thinner and fainter outwards
            ends = [tuple(int(v * 8) for v in points[:, i + k]) for k in (0, 1)]
            strength = float((1 - steps[i] * 0.8) * rng.uniform(0.7, 1))
            cv2.line(rays, ends[0], ends[1], strength, 2 if i < 4 else 1, cv2.LINE_AA, 3)
    return np.asarray(cv2.GaussianBlur(rays, (0, 0), 0.9), np.float32)


def _specks(
    size: tuple[int, ...], x: float, y: float, reach: float, rng: np.random.Generator
) -> FloatImage:
    specks = np.zeros(size, np.float32)
    for _ in range(int(rng.integers(12, 26))):
        angle, far = rng.uniform(0, 2 * np.pi), reach * np.sqrt(rng.uniform(0, 1))
        center = (int((x + far * np.cos(angle)) * 8), int((y + 0.7 * far * np.sin(angle)) * 8))
        axes = (int(rng.uniform(7, 17)), int(rng.uniform(5, 10)))
        cv2.ellipse(
            specks, center, axes, float(rng.uniform(0, 180)), 0, 360,
            float(rng.uniform(0.45, 0.95)), -1, cv2.LINE_8, 3,
        )  # fmt: skip
    return np.asarray(0.75 * cv2.GaussianBlur(specks, (0, 0), 0.8), np.float32)
