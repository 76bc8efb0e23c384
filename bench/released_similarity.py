"""The released way to compare two readings, told again from its definition: slow on purpose.

For every pair the stored heat maps of both readings are read from their JPEG files again, their
moments are summed by Python loops, and TIMA aligns the two sequences in Python. What is stored
beforehand (heat maps, the gaze as JSON) is stored beforehand there too. MultiMatch is the package
multimatch_gaze (MIT), on anchors made by a Python loop from the gaze file.
"""

import json
import math
import warnings
from pathlib import Path

import cv2
import multimatch_gaze
import numpy as np

from trainer.similarity.base import Gaze, canvas_points
from trainer.similarity.measures.tima import TimaParameters, cluster_labels

SIDE = 800
_FIELDS = [("start_x", "f8"), ("start_y", "f8"), ("duration", "f8")]


def store(folder: Path, gaze: Gaze, frames: int = 8) -> None:
    """Write what the released code has on disk before it compares: gaze and heat maps."""
    folder.mkdir(parents=True)
    points = canvas_points(gaze, TimaParameters())
    labels = cluster_labels(points, TimaParameters())
    (folder / "gaze.json").write_text(json.dumps({"gaze": points.xy.tolist()}))
    _write(folder / "whole.jpg", _whole_map(points.xy))
    for k in range(labels.max() + 1):
        _write(folder / f"cluster_{k:03d}.jpg", _cluster_map(points.xy[labels == k]))
    cuts = np.arange(frames + 1) * len(points.xy) // frames
    for k in range(frames):
        _write(folder / f"frame_{k:03d}.jpg", _whole_map(points.xy[cuts[k] : cuts[k + 1]]))


def _write(path: Path, heat: np.ndarray) -> None:
    if not cv2.imwrite(str(path), heat.astype(np.uint8)):
        raise OSError(f"{path} cannot be written")


def _whole_map(xy: np.ndarray) -> np.ndarray:
    canvas = np.zeros((SIDE, SIDE))
    canvas[xy[:, 1], xy[:, 0]] = 1
    blurred = cv2.GaussianBlur(canvas, (199, 199), 0)
    return blurred / blurred.max() * 255


def _cluster_map(xy: np.ndarray) -> np.ndarray:
    g = SIDE // 10
    offset = np.arange(-g // 2, g // 2)
    bump = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * (g / 6) ** 2))
    heat = np.zeros((SIDE + 2 * g, SIDE + 2 * g))
    for x, y in xy:
        heat[y + g // 2 : y + g + g // 2, x + g // 2 : x + g + g // 2] += bump
    heat = heat[g:-g, g:-g]
    heat = heat / heat.max()
    return np.rint(255 * (heat - heat.min()) / (heat.max() - heat.min()))


def small_map(path: Path) -> list[list[int]]:
    """Read a stored heat map and make it 32 × 32."""
    image = cv2.imread(str(path))
    return cv2.resize(image, (32, 32))[:, :, 0].tolist()


def loop_moments(grid: list[list[int]]) -> tuple[float, float]:
    """Return (mu, Hu) by Python loops, one loop for each raw and central moment."""

    def raw(p: int, q: int) -> float:
        total = 0.0
        for r in range(32):
            for c in range(32):
                total += r**p * c**q * grid[r][c]
        return total

    mu = raw(0, 0)
    if mu == 0:
        return 0.0, math.nan
    row, column = raw(1, 0) / mu, raw(0, 1) / mu

    def central(p: int, q: int) -> float:
        total = 0.0
        for r in range(32):
            for c in range(32):
                total += (r - row) ** p * (c - column) ** q * grid[r][c]
        return total

    return mu, central(2, 0) / mu**2 + central(0, 2) / mu**2


def _difference(a: float, b: float) -> float:
    if math.isnan(a) or math.isnan(b):
        return 1.0
    if a == b:
        return 0.0
    return 1.0 if max(a, b) == 0 else abs(a - b) / abs(max(a, b))


def _moment_pair(a: Path, b: Path) -> float:
    one, other = loop_moments(small_map(a)), loop_moments(small_map(b))
    return 1 - 0.5 * _difference(one[0], other[0]) - 0.5 * _difference(one[1], other[1])


def moment(a: Path, b: Path) -> float:
    """Compare the whole heat maps of two folders."""
    return _moment_pair(a / "whole.jpg", b / "whole.jpg")


def moment_sequence(a: Path, b: Path) -> float:
    """Compare the heat maps of each run."""
    frames = sorted(a.glob("frame_*.jpg"))
    return float(np.mean([_moment_pair(path, b / path.name) for path in frames]))


def dhash(a: Path, b: Path) -> float:
    """Compare the 64 bits of the whole heat maps."""
    one, other = _bits(a / "whole.jpg"), _bits(b / "whole.jpg")
    norm = math.sqrt(sum(one)) * math.sqrt(sum(other))
    return sum(x * y for x, y in zip(one, other, strict=True)) / norm if norm else 0.0


def _bits(path: Path) -> list[int]:
    grey = cv2.resize(cv2.imread(str(path)), (9, 8))[:, :, 0].tolist()
    return [int(grey[r][c] > grey[r][c + 1]) for r in range(8) for c in range(8)]


def tima(a: Path, b: Path) -> float:
    """Align the cluster heat maps of two folders."""
    one = [loop_moments(small_map(path)) for path in sorted(a.glob("cluster_*.jpg"))]
    other = [loop_moments(small_map(path)) for path in sorted(b.glob("cluster_*.jpg"))]
    if not one or not other:
        return 0.0
    total = [[math.inf] * (len(other) + 1) for _ in range(len(one) + 1)]
    total[0][0] = 0.0
    for i, p in enumerate(one, 1):
        for j, q in enumerate(other, 1):
            cost = 0.7 * _difference(p[0], q[0]) + 0.3 * _difference(p[1], q[1])
            total[i][j] = cost + min(total[i - 1][j - 1], total[i - 1][j], total[i][j - 1])
    i, j, cells = len(one), len(other), 1
    while (i, j) != (1, 1):
        steps = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min(steps, key=lambda step: total[step[0]][step[1]])
        cells += 1
    return 1 - total[-1][-1] / cells


def multimatch(a: Path, b: Path) -> float:
    """Compare anchors by multimatch_gaze, released settings; the mean of five."""
    one, other = _anchors(a), _anchors(b)
    if min(len(one), len(other)) < 3:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = multimatch_gaze.docomparison(
            one, other, [1920, 1080], grouping=True, TDir=45, TDur=100, TAmp=160
        )
    return float(np.mean(found))


def _anchors(folder: Path) -> np.ndarray:
    points = json.loads((folder / "gaze.json").read_text())["gaze"]
    anchors, anchor, count = [], points[0], 1
    for x, y in points[1:]:
        if abs(x - anchor[0]) < 40 and abs(y - anchor[1]) < 40:
            count += 1
        else:
            anchors.append((anchor[0], anchor[1], count))
            anchor, count = [x, y], 1
    return np.array(anchors, dtype=_FIELDS)


RELEASED = {
    "dhash": dhash,
    "moment": moment,
    "moment_sequence": moment_sequence,
    "tima": tima,
    "multimatch": multimatch,
}
