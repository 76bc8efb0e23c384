"""The whole heat map, moments, dHash and heat sequences as their definitions read."""

import math

import numpy as np
from scipy.ndimage import correlate1d

from tests.trainer.similarity import reference_tima
from tests.trainer.similarity.reference_tima import difference, moments, resized, to_canvas


def blurred(pixels, width, height):
    """199 taps, sigma 30.2, the border mirrored without its edge pixel; both axes in turn."""
    canvas = np.zeros((height, width))
    for x, y in pixels:
        canvas[y, x] = 1
    sigma = 0.3 * ((199 - 1) * 0.5 - 1) + 0.8
    taps = np.array([math.exp(-(d**2) / (2 * sigma**2)) for d in range(-99, 100)])
    taps = taps / taps.sum()
    return correlate1d(correlate1d(canvas, taps, 0, mode="mirror"), taps, 1, mode="mirror")


def heat_map(pixels, width=800, height=800):
    if not pixels:
        return np.zeros((height, width))
    heat = blurred(pixels, width, height)
    return np.trunc(heat / heat.max() * 255)


def moment_features(points, canvas=800):
    heat = heat_map(to_canvas(points, canvas, canvas, canvas), canvas, canvas)
    return moments(resized(heat))


def moment_similarity(a, b, weight_mu=0.5, weight_hu=0.5):
    return 1 - (weight_mu * difference(a[0], b[0]) + weight_hu * difference(a[1], b[1]))


def sequence_features(points, frames, canvas=800):
    kept = to_canvas(points, canvas, canvas, canvas)
    cuts = [k * len(kept) // frames for k in range(frames + 1)]
    maps = [heat_map(kept[cuts[k] : cuts[k + 1]], canvas, canvas) for k in range(frames)]
    return [moments(resized(heat)) for heat in maps]


def sequence_similarity(a, b):
    return sum(moment_similarity(p, q) for p, q in zip(a, b, strict=True)) / len(a)


def dhash_bits(points, canvas=800):
    heat = heat_map(to_canvas(points, canvas, canvas, canvas), canvas, canvas)
    small = resized(heat, 9, 8)
    return [int(small[r, c] > small[r, c + 1]) for r in range(8) for c in range(8)]


def dhash_similarity(a, b):
    norm = math.sqrt(sum(a)) * math.sqrt(sum(b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / norm if norm else 0.0


def tima_similarity(a, b):
    return reference_tima.align(a, b)
