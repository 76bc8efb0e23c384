"""An encoder's features as a map: two axes, neighbours, colours by what is known of an image."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import AppError

CLUSTERS = 8
_ROUNDS, _STANDS_STILL = 20, 1e-4


class FeaturesUnreadable(AppError):
    """A features file is missing or damaged."""


@dataclass(frozen=True)
class Features:
    """Features of N images; rows of length 1."""

    ids: tuple[str, ...]
    unit: NDArray[np.float32]

    def neighbours(self, index: int, count: int) -> list[tuple[int, float]]:
        """Return the `count` nearest images by cosine: (index, cosine)."""
        cosine = self.unit @ self.unit[index]
        cosine[index] = -np.inf
        best = np.argsort(-cosine, kind="stable")[: min(count, len(self.ids) - 1)]
        return [(int(i), float(cosine[i])) for i in best]


def load_features(path: Path) -> Features:
    """Return the output of `python main.py encode`.

    Raises
    ------
    FeaturesUnreadable
        Naming the file and how to make it again.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            values = file["features"].astype(np.float32)
            ids = tuple(str(name) for name in file["ids" if "ids" in file else "names"])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise FeaturesUnreadable(
            f"The features in {path} cannot be read ({error}). Delete the file; the page makes "
            "it again."
        ) from error
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return Features(ids, values / np.maximum(length, 1e-12))


def map_pca(features: Features) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Return the first two principal components (N, 2), and the variance each explains, 0 … 1."""
    centred = features.unit - features.unit.mean(axis=0)
    if len(centred) < 3:
        return np.zeros((len(centred), 2), np.float32), (0.0, 0.0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    points: NDArray[np.float32] = (u[:, :2] * s[:2]).astype(np.float32)
    share = s**2 / max(float((s**2).sum()), 1e-12)
    return points, (float(share[0]), float(share[1]))


def map_umap(features: Features, seed: int = 0) -> NDArray[np.float32]:
    """Return a UMAP embedding (N, 2).

    Raises
    ------
    FeaturesUnreadable
        If the package umap-learn is not installed.
    """
    try:
        from umap import UMAP
    except ImportError as error:
        raise FeaturesUnreadable(
            "UMAP needs the package umap-learn: pip install umap-learn"
        ) from error
    made = UMAP(random_state=seed, metric="cosine").fit_transform(features.unit)
    return np.asarray(made, np.float32)


def clusters(features: Features, seed: int = 0) -> list[str]:
    """Return the k-means cluster of each image as text.

    By OpenCV, which is loaded anyway: SciPy's took the window's turn for 0.1 s while it was loaded.
    """
    count = min(CLUSTERS, len(features.ids))
    if count < 2:  # OpenCV would take one row for many points
        return ["cluster 1"] * count
    cv2.setRNGSeed(seed)
    how = (cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, _ROUNDS, _STANDS_STILL)
    points = np.ascontiguousarray(features.unit, np.float32)
    _, labels, _ = cv2.kmeans(points, count, None, how, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    return [f"cluster {label + 1}" for label in labels[:, 0]]
