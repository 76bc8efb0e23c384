"""Mammogram-like pictures: a seeded breast of fat, fibroglandular tissue, skin and lesions.

The texture follows the power law measured in mammograms, about 1/f³ (Burgess 2001, Med Phys
28:419). All pictures are made with the chest wall on the left, and mirrored for the right breast.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from app.demo.fields import FloatImage, grid, power_noise, smooth
from app.demo.lesions import draw_lesion


@dataclass(frozen=True, slots=True)
class Finding:
    """A place worth looking at.

    Attributes
    ----------
    x, y, radius
        In source-image pixels.
    weight
        How strongly it draws the eye; 1 for a lesion.
    """

    x: float
    y: float
    radius: float
    weight: float


@dataclass(frozen=True, slots=True)
class BreastShape:
    """What the views of one patient have in common.

    Attributes
    ----------
    size
        Distance of the nipple from the chest wall, as a share of the picture's width.
    density
        0 (fatty) to 1 (dense).
    """

    rows: int
    columns: int
    size: float
    density: float


@dataclass(frozen=True, slots=True)
class Mammogram:
    """A picture and its findings.

    Attributes
    ----------
    brightness
        Shape (rows, columns), 0 (air) to 1.
    findings
        The lesion first, if there is one; then places that every reader looks at.
    """

    brightness: FloatImage
    findings: tuple[Finding, ...]


def draw_mammogram(
    shape: BreastShape, lesion: str, *, oblique: bool, right: bool, rng: np.random.Generator
) -> Mammogram:
    """Draw one view.

    Parameters
    ----------
    shape
        Of the patient's breast.
    lesion
        "normal", or one of `app.demo.lesions.LESIONS`.
    oblique
        MLO (with the pectoral muscle) instead of CC.
    right
        The right breast: chest wall on the right.
    rng
        Source of all randomness.
    """
    breast = _Outline.of(shape, oblique, rng)
    strands = _strands(breast, rng)
    gland = _gland(breast, strands, shape.density, rng)
    image = _tissue(breast, gland, strands, rng)
    if oblique:
        _add_muscle(image, breast, rng)
    findings = _landmarks(breast, gland)
    if lesion != "normal":
        findings = (_add_lesion(image, breast, lesion, rng), *findings)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image += cv2.GaussianBlur(noise, (0, 0), 0.6) * (0.006 + 0.012 * breast.inside)
    image = np.clip(image * breast.edge, 0.0, 1.0)
    _add_marker(image, f"{'R' if right else 'L'} {'MLO' if oblique else 'CC'}", right)
    if right:
        image = np.ascontiguousarray(image[:, ::-1])
        findings = tuple(replace(f, x=shape.columns - f.x) for f in findings)
    return Mammogram(image, findings)


@dataclass(frozen=True, slots=True)
class _Outline:
    """Where the breast is: `depth` px from the skin, `inside` 0/1, `edge` the same, soft."""

    depth: FloatImage
    inside: FloatImage
    edge: FloatImage
    nipple: tuple[float, float]
    bottom: float
    oblique: bool

    @classmethod
    def of(cls, shape: BreastShape, oblique: bool, rng: np.random.Generator) -> "_Outline":
        rows, columns = shape.rows, shape.columns
        reach = shape.size * columns
        middle = rows * (rng.uniform(0.56, 0.62) if oblique else rng.uniform(0.47, 0.53))
        half = rows * (rng.uniform(0.33, 0.37) if oblique else rng.uniform(0.36, 0.42))
        y = np.arange(rows, dtype=np.float32)
        t = (y - middle) / half
        edge_x = reach * np.sqrt(np.clip(1 - np.abs(t) ** 2.3, 0, None))
        if oblique:
            top = reach * rng.uniform(0.52, 0.62)
            upper = reach - (reach - top) * np.clip((middle - y) / middle, 0, None) ** 1.7
            edge_x = np.where(y < middle, upper, edge_x)
        wave = cv2.GaussianBlur(rng.standard_normal((1, rows), dtype=np.float32), (0, 0), rows / 12)
        edge_x += (wave[0] * rows * 0.12).astype(np.float32) * (edge_x > 0)
        mask = (np.arange(columns)[None, :] < edge_x[:, None]).astype(np.uint8)
        nipple = float(edge_x[int(middle)]), float(middle)
        cv2.ellipse(
            mask, (int(nipple[0]) - 5, int(middle)), (rows // 80, rows // 85), 0, 0, 360, 1, -1
        )
        # The chest wall is not skin: continue the breast beyond the picture before measuring.
        wide = cv2.copyMakeBorder(mask, 0, 0, 64, 0, cv2.BORDER_REPLICATE)
        if oblique:
            wide = cv2.copyMakeBorder(wide, 64, 0, 0, 0, cv2.BORDER_REPLICATE)
        depth = cv2.distanceTransform(wide, cv2.DIST_L2, 5)[-rows:, -columns:]
        depth = np.ascontiguousarray(cv2.GaussianBlur(depth, (0, 0), 1.5), np.float32)
        soft = np.clip(depth / 3.0, 0, 1).astype(np.float32)
        bottom = float(middle + half)
        return cls(depth, mask.astype(np.float32), soft, nipple, bottom, oblique)


def _gland(
    breast: _Outline, strands: FloatImage, density: float, rng: np.random.Generator
) -> FloatImage:
    """Return the share of fibroglandular tissue: a cone behind the nipple, patchy, 0 to 1."""
    rows, columns = breast.depth.shape
    y, x = grid(rows, columns)
    nx, ny = breast.nipple
    along = (nx - x) / nx  # 0 at the nipple, 1 at the chest wall
    across = np.abs(y - ny + 0.10 * rows * along * breast.oblique) / (0.36 * rows)
    cone = smooth(along, 0.02, 0.18) * (1 - smooth(along, 0.60, 0.98))
    cone = cone * (1 - smooth(across / np.clip(0.30 + 0.70 * along, 0.05, None), 0.55, 1.25))
    cone *= smooth(breast.depth, 0.015 * rows, 0.10 * rows)
    patches = power_noise(rows, columns, 4.4, rng, low_cut=3.0, coarse=8)
    lobes = power_noise(rows, columns, 3.4, rng, low_cut=9.0, coarse=4)
    raised = 1.7 * cone + (0.42 * patches + 0.26 * lobes + 0.30 * (strands - 0.3)) * cone**0.5
    return np.asarray(smooth(raised, 1.0 - 0.95 * density, 2.55 - 0.8 * density), np.float32)


def _tissue(
    breast: _Outline, gland: FloatImage, strands: FloatImage, rng: np.random.Generator
) -> FloatImage:
    rows, columns = breast.depth.shape
    thick = np.sqrt(1 - (1 - np.clip(breast.depth / (0.16 * rows), 0, 1)) ** 2)
    texture = power_noise(rows, columns, 3.0, rng, low_cut=3.0)
    image = 0.09 + 0.12 * thick + 0.026 * texture * thick
    image += gland * (0.30 + 0.060 * texture)
    image += 0.095 * strands * thick * (0.75 + 0.6 * gland)
    image += 0.05 * _vessels(breast, rng) * thick
    # Skin: a thin bright line, the fat under it dark.
    line = rows / 340
    image += 0.11 * np.exp(-(((breast.depth - 1.4 * line) / line) ** 2))
    nx, ny = breast.nipple
    y, x = grid(rows, columns)
    areola = np.exp(-(((x - nx + 4) / 16) ** 2 + ((y - ny) / 13) ** 2))
    return np.asarray(image * breast.inside + 0.16 * areola * breast.inside, np.float32)


def _strands(breast: _Outline, rng: np.random.Generator) -> FloatImage:
    """Return fine curved strands that run towards the nipple: zero lines of stretched noise."""
    rows, columns = breast.depth.shape
    nx, ny = breast.nipple
    y, x = grid(rows, columns)
    radius = np.hypot(x - nx - 40, y - ny)
    angle = np.arctan2(y - ny, nx + 40 - x)
    polar = power_noise(256, 512, 3.0, rng, low_cut=6.0, stretch=4.0, coarse=1)
    map_x = ((angle / np.pi + 1.0) * 255.5).astype(np.float32)
    map_y = (radius * (255.0 / np.hypot(rows, columns))).astype(np.float32)
    field = cv2.remap(polar, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    bends = power_noise(rows, columns, 3.3, rng, low_cut=9.0)
    field = field + 0.45 * bends
    lines = np.exp(-((field / 0.20) ** 2))
    strength = 0.45 + 0.45 * power_noise(rows, columns, 3.6, rng, low_cut=4.0, coarse=8)
    return np.asarray(lines * np.clip(strength, 0, 1.4), np.float32)


def _vessels(breast: _Outline, rng: np.random.Generator) -> FloatImage:
    rows, columns = breast.depth.shape
    canvas = np.zeros((rows, columns), np.float32)
    nx, ny = breast.nipple
    for _ in range(int(rng.integers(3, 6))):
        t = np.linspace(0, 1, 60)
        start = rng.uniform(-0.6, 0.6) * 0.4 * rows
        bend = np.cumsum(rng.standard_normal(60)) * rows * 0.0022
        xs = t * nx * rng.uniform(0.6, 0.85)
        ys = ny + start * (1 - 0.5 * t) + bend
        path = np.stack((xs, ys), axis=1).astype(np.int32)
        cv2.polylines(
            canvas, [path], False, float(rng.uniform(0.5, 1)), int(rng.integers(2, 5)), cv2.LINE_AA
        )
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 1.6), np.float32)


def _add_muscle(image: FloatImage, breast: _Outline, rng: np.random.Generator) -> None:
    rows, columns = image.shape
    y, x = grid(rows, columns)
    top, foot = breast.nipple[0] * rng.uniform(0.50, 0.60), rows * rng.uniform(0.50, 0.62)
    border = top * (1 - y / foot)
    border = border + 0.035 * columns * np.sin(np.pi * np.clip(y / foot, 0, 1))
    muscle = smooth(border - x, -9.0, 16.0) * (y < foot + 20)
    streaks = power_noise(rows, columns, 2.8, rng, low_cut=6.0)
    fibre = cv2.GaussianBlur(streaks, (0, 0), sigmaX=1.5, sigmaY=14)
    level = 0.50 + 0.12 * (1 - y / foot) + 0.03 * fibre + 0.008 * streaks
    np.copyto(image, (image * (1 - 0.9 * muscle) + level * 0.9 * muscle).astype(np.float32))


def _add_lesion(
    image: FloatImage, breast: _Outline, lesion: str, rng: np.random.Generator
) -> Finding:
    x, y = _place(breast, rng)
    added, reach = draw_lesion(lesion, breast.depth.shape, x, y, rng)
    image += added
    return Finding(x, y, reach, 1.0)


def _place(breast: _Outline, rng: np.random.Generator) -> tuple[float, float]:
    """Return a place deep enough in the breast, away from the chest wall and the muscle."""
    rows, columns = breast.depth.shape
    y, x = grid(rows, columns)
    nx, ny = breast.nipple
    allowed = (breast.depth > 0.075 * rows) & (x > 0.16 * nx) & (x < 0.86 * nx)
    allowed &= np.abs(y - ny) < 0.27 * rows
    if breast.oblique:
        allowed &= y > 0.36 * rows
    ys, xs = np.nonzero(allowed)
    index = int(rng.integers(len(xs)))
    return float(xs[index]) + 0.5, float(ys[index]) + 0.5


def _landmarks(breast: _Outline, gland: FloatImage) -> tuple[Finding, ...]:
    """Return where every reader looks: the densest tissue, the nipple, the edges of the view."""
    rows = gland.shape[0]
    nx, ny = breast.nipple
    dense = cv2.GaussianBlur(gland, (0, 0), rows / 30)
    y, x = np.unravel_index(int(np.argmax(dense)), dense.shape)
    places = [
        Finding(float(x), float(y), rows / 16, 0.45),
        Finding(nx - rows / 40, ny, rows / 34, 0.2),
        Finding(0.30 * nx, ny + 0.62 * (breast.bottom - ny), rows / 20, 0.2),
    ]
    upper = (0.42 * nx, 0.24 * rows) if breast.oblique else (0.34 * nx, ny - 0.24 * rows)
    return (*places, Finding(*upper, rows / 20, 0.2))


def _add_marker(image: FloatImage, text: str, right: bool) -> None:
    """Place the lead letters beside the breast, readable even after a right breast is mirrored."""
    rows, columns = image.shape
    letters = np.zeros((rows // 22, rows // 7), np.uint8)
    cv2.putText(
        letters, text, (2, letters.shape[0] - 10), cv2.FONT_HERSHEY_SIMPLEX, rows / 1100, 205, 2,
        cv2.LINE_AA,
    )  # fmt: skip
    plate = (letters[:, ::-1] if right else letters) * np.float32(1 / 255)
    height, width = plate.shape
    corner = image[rows // 28 : rows // 28 + height, columns - width - columns // 24 :][:, :width]
    np.maximum(corner, plate, out=corner)
