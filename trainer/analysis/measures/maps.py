"""Density maps of fixations: how well one reader's, or the centre, foretells another's gaze.

Maps are sums of Gaussians of 1° weighted by duration, on a grid of 64 cells along the longer side.
Definitions after Bylinskii, Judd, Oliva, Torralba and Durand, "What do different evaluation metrics
tell us about saliency models?", IEEE TPAMI 41 (2019).
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from trainer.analysis.definitions import defined
from trainer.analysis.looked import FloatArray, IntArray, Looked

CELLS = 64
SIGMA_DEG = 1.0
SIGMA_SHARE = 0.05
"""Of the longer side, where the geometry is not known."""
CENTRE_SHARE = 0.25
"""Spread of the map of centre bias, a share of each side."""
_TINY = 1e-12

_SOURCE = "Bylinskii et al., IEEE TPAMI 41 (2019)"

PAIR_DEFINITIONS = defined(
    "pair",
    [
        ("density_correlation", "1", "Pearson correlation of the two density maps", _SOURCE),
        ("nss", "1",
            "mean standardised density of the first map at the fixations of the "
            "second, averaged over both directions", _SOURCE),
        ("kl_nat", "nat", "Kullback–Leibler divergence of the maps, averaged over both directions",
         _SOURCE),
        ("auc_judd", "1",
            "area under the ROC curve of the first map's density at the second's "
            "fixated cells against all other cells, averaged over both directions", _SOURCE),
    ],
)  # fmt: skip

READING_DEFINITIONS = defined(
    "reading",
    [
        (f"{name}_{against}", unit, f"{text} {words}", _SOURCE)
        for against, words in (
            ("others", "against the summed map of the image's other readers"),
            (
                "centre",
                "against a Gaussian at the centre of the image, with a standard deviation of a "
                "quarter of each side",
            ),
        )
        for name, unit, text in (
            ("nss", "1", "mean standardised density at the fixations"),
            ("auc_judd", "1", "area under the ROC curve of density at fixated cells"),
            ("kl_nat", "nat", "Kullback–Leibler divergence of the reader's map"),
            ("density_correlation", "1", "correlation with the reader's map"),
        )
    ],
)


class FixationMap:
    """The density and the fixated cells of one reading, frames one below the other."""

    def __init__(self, looked: Looked, frames: IntArray) -> None:
        side = max(looked.width, looked.height) / CELLS
        self.columns = max(round(looked.width / side), 1)
        self.rows = max(round(looked.height / side), 1)
        x, y = (looked.points_image / side).T
        column = np.clip(x.astype(np.int64), 0, self.columns - 1)
        row = np.clip(y.astype(np.int64), 0, self.rows - 1)
        place = np.searchsorted(frames, looked.frame)
        dwell = np.zeros((len(frames), self.rows, self.columns))
        np.add.at(dwell, (place, row, column), looked.duration_us.astype(np.float64))
        scale = looked.scale_px_per_deg
        sigma = SIGMA_DEG * scale / side if np.isfinite(scale) else SIGMA_SHARE * CELLS
        self.density = np.stack([_blurred(frame, max(sigma, 0.3)) for frame in dwell])
        self.cells = np.ravel_multi_index((place, row, column), dwell.shape)

    def centre(self) -> FloatArray:
        """Return the map of centre bias, of the same shape."""
        y = (np.arange(self.rows) + 0.5) / self.rows - 0.5
        x = (np.arange(self.columns) + 0.5) / self.columns - 0.5
        one = np.exp(-((y[:, None] / CENTRE_SHARE) ** 2 + (x / CENTRE_SHARE) ** 2) / 2)
        return np.broadcast_to(one, self.density.shape).copy()


def _blurred(frame: FloatArray, sigma: float) -> FloatArray:
    return np.asarray(
        cv2.GaussianBlur(frame, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT), np.float64
    )


def pair_of_maps(one: FixationMap, other: FixationMap) -> dict[str, Any]:
    """Return how two readings' maps go together; NaN where one has no fixation."""
    both = [_foretold(one.density, other), _foretold(other.density, one)]
    found = {name: float(np.mean([side[name] for side in both])) for name in both[0]}
    return {d.name: found[d.name] for d in PAIR_DEFINITIONS}


def against_others(maps: Sequence[FixationMap], readers: Sequence[str]) -> list[dict[str, Any]]:
    """Return of each reading of one image how others and the centre foretell it.

    Readings of the same reader are no others of each other.
    """
    rows = []
    for own, reader in zip(maps, readers, strict=True):
        others = [m.density for m, r in zip(maps, readers, strict=True) if r != reader]
        empty = dict.fromkeys(("nss", "auc_judd", "kl_nat", "density_correlation"), np.nan)
        by_others = _foretold(np.sum(others, axis=0), own) if others else empty
        by_centre = _foretold(own.centre(), own)
        rows.append(
            {f"{k}_others": v for k, v in by_others.items()}
            | {f"{k}_centre": v for k, v in by_centre.items()}
        )
    return rows


def _foretold(density: FloatArray, own: FixationMap) -> dict[str, float]:
    """Return how a map foretells a reading's fixations and its own map."""
    if not density.sum() or not len(own.cells):
        return dict.fromkeys(("nss", "auc_judd", "kl_nat", "density_correlation"), np.nan)
    return {
        "nss": nss(density, own.cells),
        "auc_judd": auc_judd(density, own.cells),
        "kl_nat": kl_nat(own.density, density),
        "density_correlation": float(np.corrcoef(density.ravel(), own.density.ravel())[0, 1]),
    }


def nss(density: FloatArray, cells: IntArray) -> float:
    """Return the normalised scan-path saliency: mean standard score of the map at fixations."""
    spread = density.std()
    return float(((density.ravel()[cells] - density.mean()) / spread).mean()) if spread else np.nan


def kl_nat(truth: FloatArray, density: FloatArray) -> float:
    """Return the divergence of a map from the one that foretells it, both made to sum to 1."""
    p, q = truth / truth.sum(), density / density.sum()
    return float((p * np.log(_TINY + p / (q + _TINY))).sum())


def auc_judd(density: FloatArray, cells: IntArray) -> float:
    """Return the area under the ROC curve of fixated cells against all others, ties one half."""
    fixated = np.zeros(density.size, bool)
    fixated[cells] = True
    flat = density.ravel()
    if fixated.all():
        return np.nan
    others = np.sort(flat[~fixated])
    found = flat[fixated]
    below = np.searchsorted(others, found, "left") + np.searchsorted(others, found, "right")
    return float((below / (2 * len(others))).mean())
