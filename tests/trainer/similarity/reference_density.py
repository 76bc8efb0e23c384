"""density as its definition reads: each sample alone, each cell alone."""

import math

import numpy as np

from tests.trainer.similarity.reference_tima import to_canvas


def share(value, low, high, sigma):
    """How much of a Gaussian around a value lies between low and high."""
    return 0.5 * (
        math.erf((high - value) / sigma / 2**0.5) - math.erf((low - value) / sigma / 2**0.5)
    )


def features(points, sigma=0.05, phases=4, sigma_phase=0.15):
    pixels, cells = to_canvas(points, 800, 800), math.ceil(1 / sigma)
    grid = np.zeros((phases, cells, cells))
    for k, (x, y) in enumerate(pixels):
        phase = (k + 0.5) / len(pixels)
        across = [share((x + 0.5) / 800, c / cells, (c + 1) / cells, sigma) for c in range(cells)]
        down = [share((y + 0.5) / 800, c / cells, (c + 1) / cells, sigma) for c in range(cells)]
        for p in range(phases):
            weight = share(phase, p / phases, (p + 1) / phases, sigma_phase)
            grid[p] += weight * np.outer(down, across)
    norm = math.sqrt((grid**2).sum())
    return grid / norm if norm else grid


def similarity(a, b):
    return float((a * b).sum())
