"""TIMA as its definition reads, slow and obvious: what the compiled one is compared with."""

import math

import cv2
import numpy as np


def to_canvas(points, width, height, canvas=800, off_canvas="clip"):
    pixels = []
    for x, y in points:
        if math.isnan(x) or math.isnan(y):
            continue
        column, row = math.floor(x * canvas / width), math.floor(y * canvas / height)
        inside = 0 <= column < canvas and 0 <= row < canvas
        if off_canvas == "drop" and not inside:
            continue
        pixels.append((min(max(column, 0), canvas - 1), min(max(row, 0), canvas - 1)))
    return pixels


def dbscan(points, eps, min_samples):
    n = len(points)

    def reached(i):
        return [j for j in range(n) if sum((points[i] - points[j]) ** 2) <= eps * eps]

    near = [reached(i) for i in range(n)]
    labels, cluster = [-1] * n, 0
    for seed in range(n):
        if labels[seed] != -1 or len(near[seed]) < min_samples:
            continue
        todo = [seed]
        while todo:
            i = todo.pop()
            if labels[i] != -1:
                continue
            labels[i] = cluster
            if len(near[i]) >= min_samples:
                todo.extend(near[i])
        cluster += 1
    return labels


def heat_map(pixels, canvas=800):
    g = canvas / 10
    s = g / 6
    near = [d for d in range(-canvas, canvas) if -g / 2 <= d <= g / 2 - 1]
    weight = {(dx, dy): math.exp(-(dx**2 + dy**2) / (2 * s**2)) for dx in near for dy in near}
    heat = np.zeros((canvas, canvas))
    for x, y in pixels:
        for (dx, dy), added in weight.items():
            if 0 <= x + dx < canvas and 0 <= y + dy < canvas:
                heat[y + dy, x + dx] += added
    heat = heat / heat.max()
    return np.round(255 * (heat - heat.min()) / (heat.max() - heat.min()))


def resized(heat, width=32, height=32):
    """OpenCV's own resize of an 8-bit image is what the definition stands for."""
    return cv2.resize(heat.astype(np.uint8), (width, height)).astype(float)


def moments(grid):
    mu = grid.sum()
    if mu == 0:
        return 0.0, math.nan
    rows, columns = np.mgrid[: grid.shape[0], : grid.shape[1]]
    r, c = (rows * grid).sum() / mu, (columns * grid).sum() / mu
    return mu, (((rows - r) ** 2 + (columns - c) ** 2) * grid).sum() / mu**2


def features(points, width=800, height=800, divisor=10, eps=0.2):
    pixels = to_canvas(points, width, height)
    n = len(pixels)
    space_time = [np.array([x / 800, y / 800, i / n]) for i, (x, y) in enumerate(pixels)]
    labels = dbscan(space_time, eps, n // divisor + 1)
    out = []
    for cluster in range(max(labels, default=-1) + 1):
        members = [p for p, label in zip(pixels, labels, strict=True) if label == cluster]
        out.append(moments(heat_map(members)[12::25, 12::25]))
    return out


def canvas_features(pixels, canvas):
    """Return those of pixels of a canvas of another size, resized bilinearly."""
    n = len(pixels)
    space_time = [np.array([x / canvas, y / canvas, i / n]) for i, (x, y) in enumerate(pixels)]
    labels = dbscan(space_time, 0.2, n // 10 + 1)
    out = []
    for cluster in range(max(labels, default=-1) + 1):
        members = [tuple(p) for p, label in zip(pixels, labels, strict=True) if label == cluster]
        out.append(moments(resized(heat_map(members, canvas))))
    return out


def difference(a, b):
    if math.isnan(a) or math.isnan(b):
        return 1.0
    if a == b:
        return 0.0
    if max(a, b) == 0:
        return 1.0
    return abs(a - b) / abs(max(a, b))


def align(a, b, weight_mu=0.7, weight_hu=0.3):
    """Return 1 − D/K, the path traced back from the end over the whole table."""
    if not a or not b:
        return 0.0
    total = np.full((len(a) + 1, len(b) + 1), np.inf)
    total[0, 0] = 0
    for i, p in enumerate(a, 1):
        for j, q in enumerate(b, 1):
            cost = weight_mu * difference(p[0], q[0]) + weight_hu * difference(p[1], q[1])
            total[i, j] = cost + min(total[i - 1, j - 1], total[i - 1, j], total[i, j - 1])
    i, j, cells = len(a), len(b), 1
    while (i, j) != (1, 1):
        steps = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min(steps, key=lambda step: total[step])  # min keeps the first of equals
        cells += 1
    return 1 - total[len(a), len(b)] / cells
